"""A user at a machine: the real commands, beside a sandbox that is served for real."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typer
from click.testing import CliRunner
from starlette.types import ASGIApp, Receive, Scope, Send

from jobrecon.cli.app import app
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.sandbox.tasks import Task
from jobrecon.settings import Settings
from jobrecon.webhook.serving import serve_in_thread

ACME = "urn:li:developerApplication:1001"
BETA = "urn:li:developerApplication:1002"
SECRET = "acme-secret-that-nobody-may-see"
JOBRECON = Path(sys.executable).with_name("jobrecon")
NOW = datetime.now(UTC).replace(microsecond=0)
"""The moment the tests speak about: today's, so that the ledger of this UTC day is the one that counts."""
Rows = list[tuple[Any, ...]]


class Stage:
    """One server for all tests (to stop one takes uvicorn a while), on which each test puts the world it is about."""

    address = ""
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (event := (await receive())["type"]) and event.startswith("lifespan."):
                await send({"type": f"{event}.complete"})
                if event == "lifespan.shutdown":
                    return
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    stage = Stage()
    with serve_in_thread(stage) as stage.address:
        yield stage


@dataclass
class User:
    """Somebody with a home folder, an environment, one application at LinkedIn and a terminal."""

    folder: Path
    world: World
    environment: dict[str, str]
    posted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "var"

    @property
    def published(self) -> Path:
        return self.home / "published" / "jobrecon.duckdb"

    @property
    def settings(self) -> Settings:
        """The same settings, for what a test does within its own process."""
        names = {name.removeprefix("JOBRECON_").lower(): value for name, value in self.environment.items() if name.startswith("JOBRECON_")}
        return Settings(**names)

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = [str(each) for each in (JOBRECON, *arguments)]
        # As from a terminal: what a shell starts in the background ignores Ctrl-C, and its children inherit that.
        listening = ["env", "--default-signal=INT", *command]
        return subprocess.Popen(listening, cwd=self.folder, env=self.environment, **(pipes | options))

    def types(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, within this process: a start takes a second."""
        with contextlib.chdir(self.folder):
            ended = CliRunner(env=self.environment).invoke(typer.main.get_command(app), [str(each) for each in arguments])
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)

    def launches(self, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as the process that it is for a user."""
        with self.start(*arguments, **options) as process:
            out, err = process.communicate(timeout=60)
        assert "Traceback" not in (err or ""), err
        return subprocess.CompletedProcess(arguments, process.returncode, out or "", err or "")

    def posts(self, job: str, operation: str = "CREATE", *, hours_ago: float = 3, application: str = ACME, **fate: Any) -> Task:
        """Request an operation of LinkedIn; `fate` says what becomes of it, an hour ago unless it says otherwise."""
        self.world.seconds = (NOW - timedelta(hours=hours_ago)).timestamp()
        title = fate.pop("title", "Cook")
        task = self.world.submit(self.world.applications[application], external_id=job, operation=operation, title=title)
        fate = {"status": "SUCCEEDED", "error": None, "settles_at": (NOW - timedelta(hours=1)).timestamp(), "quirks": 0} | fate
        for name, value in fate.items():
            setattr(task, name, value)
        self.posted.append(self.world.task_row(self.world.applications[application], task))
        self.world.seconds = NOW.timestamp()
        return task

    def write_tasks(self, name: str = "tasks.ndjson") -> Path:
        """What was posted since the last time, as a file to import."""
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in self.posted), encoding="utf-8")
        self.posted.clear()
        return path

    def reads(self, statement: str, path: Path | None = None) -> Rows:
        """Rows of the published copy, or of another file."""
        with duckdb.connect(path or self.published, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(statement).fetchall()


@pytest.fixture
def make_user(tmp_path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., User]:
    """Makes a user whose sandbox knows Acme and Beta; only Acme is configured, by environment variables."""

    def make(**variables: str) -> User:
        world = World([SandboxApplication(ACME, "78acme", [SECRET]), SandboxApplication(BETA, "78beta", ["beta-secret"])], NOW, seed=4)
        stage.app = create_app(world)
        for name in os.environ:
            if name.startswith(("JOBRECON_", "PREFECT_")):
                monkeypatch.delenv(name)
        environment = {
            **os.environ,
            "JOBRECON_HOME": str(tmp_path / "var"),
            "JOBRECON_API_URL": stage.address,
            "JOBRECON_TOKEN_URL": f"{stage.address}/oauth/v2/accessToken",
            "JOBRECON_APPLICATION_URN": ACME,
            "JOBRECON_CLIENT_ID": "78acme",
            "JOBRECON_CLIENT_SECRET": SECRET,
            "JOBRECON_LOCK_WAIT": "1",
            **variables,
        }
        return User(tmp_path, world, environment)

    return make


@pytest.fixture
def user(make_user: Callable[..., User]) -> User:
    return make_user()

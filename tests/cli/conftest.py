"""A user at a terminal: the real commands, against a sandbox served for real."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner

from jobrecon.cli.app import app
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.sandbox.tasks import Task
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from jobrecon.webhook.server import serve_in_thread
from tests.delivery.mail_server import serve_mail

ACME = "urn:li:developerApplication:1001"
BETA = "urn:li:developerApplication:1002"
SECRET = "acme-secret-that-nobody-may-see"
JOBRECON = Path(sys.executable).with_name("jobrecon")
NOW = datetime.now(UTC).replace(microsecond=0)
"""The time of the tests: today, so that the ledger of this UTC day is the one that counts."""
Rows = list[tuple[Any, ...]]


class SharedServer:
    """One server for all tests (stopping uvicorn takes a while), which serves the world of the current test."""

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
def server() -> Iterator[SharedServer]:
    server = SharedServer()
    with serve_in_thread(server) as server.address:
        yield server


@dataclass
class User:
    """A user with a home folder, an environment, one application at LinkedIn and a terminal."""

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
        """The same settings, for use within the test's own process."""
        values: dict[str, Any] = {
            name.removeprefix("JOBRECON_").lower(): value for name, value in self.environment.items() if name.startswith("JOBRECON_")
        }
        return Settings(**values)

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        program = [str(each) for each in (JOBRECON, *arguments)]
        # As from a terminal: background processes of a shell ignore Ctrl-C, and their children inherit that.
        command = ["env", "--default-signal=INT", *program]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, **(pipes | options))

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command within this process, since starting one takes a second. It closes the landing database that it opened."""
        opened = self._count_landing_files()
        with contextlib.chdir(self.folder):
            ended = CliRunner(env=self.environment).invoke(app, [str(each) for each in arguments])
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        # SQLite keeps a file open while this process has another connection to it.
        assert opened or not self._count_landing_files()
        return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)

    @staticmethod
    def _count_landing_files() -> int:
        """How often this process has a landing database open; 0 where the system does not tell."""
        return sum("/landing.db" in os.path.realpath(file) for file in Path("/proc/self/fd").glob("*"))

    def run_process(self, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own."""
        with self.start(*arguments, **options) as process:
            out, err = process.communicate(timeout=60)
        assert "Traceback" not in (err or ""), err
        return subprocess.CompletedProcess(arguments, process.returncode, out or "", err or "")

    def post(self, job: str, operation: str = "CREATE", *, hours_ago: float = 3, application: str = ACME, **outcome: Any) -> Task:
        """Request an operation of LinkedIn, with the outcome given; it settles an hour ago unless `settles_at` says otherwise."""
        self.world.seconds = (NOW - timedelta(hours=hours_ago)).timestamp()
        title = outcome.pop("title", "Cook")
        task = self.world.submit(self.world.applications[application], external_id=job, operation=operation, title=title)
        outcome = {"status": "SUCCEEDED", "error": None, "settles_at": (NOW - timedelta(hours=1)).timestamp(), "quirks": 0} | outcome
        for name, value in outcome.items():
            setattr(task, name, value)
        self.posted.append(self.world.task_row(self.world.applications[application], task))
        self.world.seconds = NOW.timestamp()
        return task

    def write_tasks(self, name: str = "tasks.ndjson") -> Path:
        """Write a file to import, with the tasks posted since the last call."""
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in self.posted), encoding="utf-8")
        self.posted.clear()
        return path

    def open_warehouse(self) -> AbstractContextManager[Warehouse]:
        """The writer's file, opened by this process."""
        return open_warehouse(self.settings)

    def read(self, statement: str, path: Path | None = None) -> Rows:
        """Rows of the published copy, or of another file."""
        with duckdb.connect(path or self.published, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(statement).fetchall()


MakeUser = Callable[..., User]


@pytest.fixture
def make_user(tmp_path: Path, server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> MakeUser:
    """Makes a user whose sandbox knows Acme and Beta; only Acme is configured, by environment variables."""

    def make(**variables: str) -> User:
        world = World([SandboxApplication(ACME, "78acme", [SECRET]), SandboxApplication(BETA, "78beta", ["beta-secret"])], NOW, seed=4)
        server.app = create_app(world)
        for name in os.environ:
            if name.startswith(("JOBRECON_", "PREFECT_")):
                monkeypatch.delenv(name)
        environment = {
            **os.environ,
            "JOBRECON_HOME": str(tmp_path / "var"),
            "JOBRECON_API_URL": server.address,
            "JOBRECON_TOKEN_URL": f"{server.address}/oauth/v2/accessToken",
            "JOBRECON_APPLICATION_URN": ACME,
            "JOBRECON_CLIENT_ID": "78acme",
            "JOBRECON_CLIENT_SECRET": SECRET,
            "JOBRECON_LOCK_WAIT": "1",
            **variables,
        }
        return User(tmp_path, world, environment)

    return make


@pytest.fixture
def user(make_user: MakeUser) -> User:
    return make_user()


@pytest.fixture
def mail_server() -> Iterator[str]:
    """The address of a mail server that takes everything."""
    with serve_mail() as box:
        yield f"smtp://127.0.0.1:{box.port}?starttls=off"

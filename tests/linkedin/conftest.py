"""A landing database of each kind and a warehouse, for real, with a LinkedIn beside them served on a loopback port."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from jobrecon.applications import Application, Applications
from jobrecon.ingest import import_tasks
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.budget import describe_budget
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.responses import TaskResponse
from jobrecon.linkedin.tasks import TaskClient
from jobrecon.reconcile.polling import PollResult, poll_due_tasks
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse
from jobrecon.webhook.server import serve_in_thread

ACME = "urn:li:developerApplication:1001"
BOLT = "urn:li:developerApplication:1002"
CORE = "urn:li:developerApplication:1003"
DUSK = "urn:li:developerApplication:1004"
SECRETS = {"ACME": "acme-secret", "BOLT": "bolt-secret", "CORE": "core-secret", "DUSK": "dusk-secret"}
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
TASKS = "simpleJobPostingTasks"


def task_urn(number: int) -> str:
    """A task URN of the usual 64 characters."""
    return f"urn:li:simpleJobPostingTask:{number:08x}-0000-4000-8000-000000000000"


def make_application(urn: str = ACME, *references: str, **more: Any) -> Application:
    name = {ACME: "ACME", BOLT: "BOLT", CORE: "CORE", DUSK: "DUSK"}[urn]
    return Application(urn, name.lower(), list(references or (f"env:{name}",)), name.title(), **({"environment": SECRETS} | more))


def make_world(**options: Any) -> World:
    """The four applications as LinkedIn knows them, at START."""
    applications = [
        SandboxApplication(urn, name.lower(), [SECRETS[name]]) for urn, name in zip((ACME, BOLT, CORE, DUSK), SECRETS, strict=True)
    ]
    return World(applications, START, **options)


def count_calls(world: World, urn: str = ACME) -> int:
    """Calls about tasks that the sandbox counted."""
    return world.applications[urn].calls[TASKS].total


@dataclass
class SteppingClock:
    """A clock that stands until a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class PollingHarness:
    """One installation of the product and the LinkedIn it talks to."""

    settings: Settings
    engine: Engine
    open_warehouse: Callable[[], Warehouse]
    folder: Path
    clock: SteppingClock
    applications: Applications = field(default_factory=lambda: Applications([make_application()]))

    @cached_property
    def warehouse(self) -> Warehouse:
        """Opened for those who need it: it takes a while."""
        return self.open_warehouse()

    def configure(self, *applications: Application, **settings: Any) -> None:
        if applications:
            self.applications = Applications(list(applications))
        self.settings = self.settings.model_copy(update=settings)

    def limit(self, calls: int) -> None:
        """Give every application this daily limit."""
        self.applications = Applications([replace(item, daily_call_limit=calls) for item in self.applications])

    def import_rows(self, rows: list[dict[str, Any]]) -> None:
        path = self.folder / f"{uuid4().hex}.ndjson"
        path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
        assert import_tasks(self.warehouse, path, self.applications, START).rejected == 0

    def import_urns(self, *urns: str, application_urn: str = ACME, requested_at: datetime = START) -> None:
        shared = {"operation": "CREATE", "requested_at": requested_at.isoformat(), "application_urn": application_urn}
        self.import_rows([{"task_urn": urn, "external_job_posting_id": f"job-{index}"} | shared for index, urn in enumerate(urns)])

    def poll(self, hours: float = 1, **more: Any) -> PollResult:
        """Poll as of so many hours after START."""
        as_of = START + timedelta(hours=hours)
        arguments = (self.warehouse, self.settings, self.applications, self.engine, as_of, "run", self.clock)
        return asyncio.run(poll_due_tasks(*arguments, **more))

    def fetch(self, *urns: str, application: Application | None = None) -> list[TaskResponse]:
        """Fetch as polling does, without a warehouse."""

        async def fetch() -> list[TaskResponse]:
            async with HttpClient() as http:
                client = TaskClient(application or self.applications.items[0], self.settings, self.engine, http, self.clock)
                return [row async for rows in client.fetch(list(urns)) for row in rows]

        return asyncio.run(fetch())

    def budget(self, urn: str = ACME) -> dict[str, Any]:
        """The application's line of today's budget."""
        lines = describe_budget(self.engine, self.applications, self.clock())
        return next(line for line in lines if line["application_urn"] == urn)

    def tasks(self, *columns: str) -> dict[str, Any]:
        """One column (or a tuple of several) of each task, by URN."""
        rows = self.warehouse.connection.execute("select * from job_tasks").to_arrow_table().to_pylist()
        return {row["task_urn"]: row[columns[0]] if len(columns) == 1 else tuple(row[name] for name in columns) for row in rows}


@pytest.fixture
def any_engine(landing_url: str) -> Iterator[Engine]:
    """An open landing database of each kind."""
    engine = open_landing(landing_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An open landing database of the default kind."""
    engine = open_landing(f"sqlite:///{tmp_path / 'harness.db'}")
    yield engine
    engine.dispose()


Serve = Callable[..., PollingHarness]


@pytest.fixture
def serve(tmp_path: Path, settings: Settings, engine: Engine, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Serves a world (or a fake) and gives the harness that talks to it."""
    with ExitStack() as stack:

        def start(linkedin: World | Starlette, *applications: Application, **more: Any) -> PollingHarness:
            app = create_app(linkedin) if isinstance(linkedin, World) else linkedin
            url = stack.enter_context(serve_in_thread(app))
            harness = PollingHarness(settings, engine, lambda: request.getfixturevalue("warehouse"), tmp_path, SteppingClock())
            harness.configure(*applications, api_url=url, token_url=f"{url}/oauth/v2/accessToken", **more)
            return harness

        yield start

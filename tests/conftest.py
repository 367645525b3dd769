"""Fixtures of all rooms: settings over a temporary home with two applications, a warehouse, landing databases of each kind."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, event
from xdist.scheduler import LoadFileScheduling

from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from tests.postgres import create_database, open_postgres

# How long an example takes, or the tables of all characters that a fresh clone makes first, is the machine's affair: no test fails by it.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")

MAX_WORKERS = 12

APPLICATIONS = """
[[applications]]
urn = "urn:li:developerApplication:1001"
client_id = "78acme"
client_secrets = ["env:ACME_SECRET"]
customer = "Acme"
account_manager = "Dana Fox"
account_manager_email = "dana@example.com"

[[applications]]
urn = "urn:li:developerApplication:1002"
client_id = "78beta"
client_secrets = ["env:BETA_SECRET"]
customer = "Beta"
"""


def configure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything in a home below the folder; two customers, of whom only Acme has an account manager."""
    applications = folder / "applications.toml"
    applications.write_text(APPLICATIONS, encoding="utf-8")
    monkeypatch.setenv("ACME_SECRET", "acme-secret")
    monkeypatch.setenv("BETA_SECRET", "beta-secret")
    return Settings(home=folder / "var", applications=applications)


@pytest.fixture(autouse=True)
def dispose_engines() -> Iterator[None]:
    """Close what tests opened: Python 3.13 warns of each connection that is collected open."""
    opened: set[Engine] = set()

    def remember(connection: Connection) -> None:
        opened.add(connection.engine)

    event.listen(Engine, "engine_connect", remember)
    yield
    event.remove(Engine, "engine_connect", remember)
    for engine in opened:
        engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As `configure` makes them, in a temporary folder."""
    return configure(tmp_path, monkeypatch)


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """An empty warehouse: a real DuckDB file, open for writing."""
    with open_warehouse(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in its warehouse, to be copied: a third of the time that making one takes."""
    home = tmp_path_factory.mktemp("empty")
    with open_warehouse(Settings(home=home, _env_file=None)):
        return home


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[str]:
    """A PostgreSQL server of this session's own."""
    with open_postgres() as server:
        yield server.get_uri()


@pytest.fixture(params=["sqlite", "postgres"])
def landing_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a landing database of each kind, empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'landing.db'}"
    return create_database(request.getfixturevalue("postgres_uri"))


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, since much of a test's time is waiting; but not many: each may start servers of its own."""
    return min((os.cpu_count() or 1) + 1, MAX_WORKERS)


class OnePrefect(LoadFileScheduling):  # type: ignore[misc]
    """Tests of one file run in one worker, and those of all flows: each worker with such tests starts a Prefect server."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/flows" if nodeid.startswith("tests/flows/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OnePrefect:
    """Hand out the tests by files."""
    return OnePrefect(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL or a browser, by the fixtures that start them; what may take longest comes first, so that no worker waits for it."""

    def find_timeout(item: pytest.Item) -> int:
        marker = item.get_closest_marker("timeout")
        return int(marker.args[0]) if marker else 0

    items.sort(key=find_timeout, reverse=True)
    for item in items:
        assert isinstance(item, pytest.Function)
        fixtures = set(item.fixturenames)
        arguments = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if fixtures & {"postgres_uri", "own_postgres"} or "postgres" in arguments:
            item.add_marker("postgres")
        if "browser" in fixtures:
            item.add_marker("browser")

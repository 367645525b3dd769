"""One Prefect for all tests of the flows, and a customer whose LinkedIn is a sandbox served for real."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from jobrecon.clock import utc_now
from jobrecon.ingest import import_tasks
from jobrecon.sandbox import FaultInjection, SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.webhook.serving import serve_in_thread
from tests.flows.prefect_stack import FlowRun, PrefectStack, open_prefect_stack

ACME = "urn:li:developerApplication:1001"
SECRET = "the-secret-of-acme"
TASKS = 150


@pytest.fixture(scope="session")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectStack]:
    with open_prefect_stack(tmp_path_factory.mktemp("station")) as opened:
        yield opened


@dataclass
class Shop:
    """A partner with tasks imported, and the settings its worker reads."""

    station: PrefectStack
    settings: Settings
    world: World
    variables: dict[str, str]

    def configure(self, **changes: str) -> None:
        self.station.configure(**self.variables | changes)


def open_shop(home: Path, station: PrefectStack) -> Iterator[Shop]:
    """A partner who an hour ago requested jobs that LinkedIn has dealt with since."""
    application = SandboxApplication(ACME, "78acme", [SECRET])
    world = World([application], utc_now() - timedelta(hours=1), faults=FaultInjection())
    rows = world.create_tasks(ACME, TASKS, prefix="<b>[job](https://example.com)`")
    world.seconds += 3600
    applications = home / "applications.toml"
    applications.write_text(
        f'[[applications]]\nurn = "{ACME}"\nclient_id = "78acme"\nclient_secrets = ["env:ACME_SECRET"]\ncustomer = "Acme"\n',
        encoding="utf-8",
    )
    file = home / "tasks.ndjson"
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    settings = Settings(_env_file=None, home=home / "var", applications=applications)
    with open_warehouse(settings) as warehouse:
        import_tasks(warehouse, file, settings.load_applications(), utc_now())
    with serve_in_thread(create_app(world)) as url:
        variables = {
            "JOBRECON_HOME": str(settings.home),
            "JOBRECON_APPLICATIONS": str(applications),
            "JOBRECON_API_URL": url,
            "JOBRECON_TOKEN_URL": f"{url}/oauth/v2/accessToken",
            "ACME_SECRET": SECRET,
        }
        shop = Shop(station, settings, world, variables)
        shop.configure()
        yield shop


@pytest.fixture
def shop(tmp_path: Path, station: PrefectStack) -> Iterator[Shop]:
    yield from open_shop(tmp_path, station)


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory: pytest.TempPathFactory, station: PrefectStack) -> Iterator[tuple[Shop, FlowRun]]:
    """A partner after one reconciliation, and that run."""
    for opened in open_shop(tmp_path_factory.mktemp("reconciled"), station):
        run = station.run("reconcile")
        assert run.state == ("COMPLETED", "Completed"), run.message
        yield opened, run

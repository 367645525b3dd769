"""One Prefect for all tests of the flows, and a partner whose LinkedIn is a served sandbox."""

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
from jobrecon.webhook.server import serve_in_thread
from tests.flows.prefect_stack import FlowRun, PrefectStack, open_prefect_stack

ACME = "urn:li:developerApplication:1001"
SECRET = "the-secret-of-acme"
TASKS = 150


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectStack]:
    with open_prefect_stack(tmp_path_factory.mktemp("prefect")) as opened:
        yield opened


@dataclass
class Partner:
    """A partner with imported tasks, and the settings its worker reads."""

    stack: PrefectStack
    settings: Settings
    world: World
    variables: dict[str, str]

    def configure(self, **changes: str) -> None:
        self.stack.configure(**self.variables | changes)


def open_partner(home: Path, stack: PrefectStack) -> Iterator[Partner]:
    """A partner who requested jobs an hour ago; LinkedIn has processed most of them."""
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
        partner = Partner(stack, settings, world, variables)
        partner.configure()
        yield partner


@pytest.fixture
def partner(tmp_path: Path, stack: PrefectStack) -> Iterator[Partner]:
    yield from open_partner(tmp_path, stack)


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory: pytest.TempPathFactory, stack: PrefectStack) -> Iterator[tuple[Partner, FlowRun]]:
    """A partner after one reconciliation, and that run."""
    for opened in open_partner(tmp_path_factory.mktemp("reconciled"), stack):
        run = stack.run("reconcile")
        assert run.state == ("COMPLETED", "Completed"), run.message
        yield opened, run

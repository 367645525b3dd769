"""The cluster: what its machines share, and the processes on each."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import psycopg

from bench.cluster.compose import SECRETS, Compose
from bench.cluster.partner import SHARDS, write_applications
from bench.cluster.prefect import Prefect
from bench.cluster.processes import Process, run, serve, start, wait_for_server
from tests.flows.prefect_stack import find_free_port
from tests.postgres import open_postgres

ROOT = Path(__file__).parents[2]


class Cluster:
    """Servers that run, and how to start something on a machine."""

    def __init__(self, folder: Path, compose: Compose, linkedin: str, prefect: str) -> None:
        self.folder = folder
        self.compose = compose
        self.linkedin = linkedin
        self.prefect_address = prefect
        self.prefect = Prefect(prefect)
        # What differs from the compose file: LinkedIn is a fake one, and its tasks are polled at once.
        self.common = make_environment() | {
            "JOBRECON_APPLICATIONS": str(folder / "project" / "applications.toml"),
            "JOBRECON_API_URL": linkedin,
            "JOBRECON_TOKEN_URL": f"{linkedin}/oauth/v2/accessToken",
            "JOBRECON_FIRST_CHECK_AFTER": "0",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            **{f"SECRET_{number}": f"secret-{number}" for number in SHARDS},
        }

    def environment(self, service: str) -> dict[str, str]:
        return self.common | self.compose.environment(service) | {"PREFECT_HOME": str(self.folder / f"{service}-prefect")}

    def start(self, service: str, port: int = 0) -> Process:
        """A worker or a receiver, as the compose file starts it."""
        log = self.folder / f"{service}.log"
        process = start(self.compose.command(service, port), log, self.environment(service), self.folder / "project")
        if port:
            wait_for_server(f"http://127.0.0.1:{port}/healthz", process, log)
        return process

    def run(self, service: str, *arguments: str, **settings: str) -> None:
        """A `jobrecon` command with the settings of a service."""
        log = self.folder / f"{service}-{arguments[0]}.log"
        run(["jobrecon", *arguments], log, self.environment(service) | settings, self.folder / "project")


def make_environment() -> dict[str, str]:
    """That of this process without its settings of ours, and with the programs of its Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_", "PG"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def open_cluster(folder: Path) -> Iterator[Cluster]:
    """PostgreSQL, an S3-compatible store, the fake LinkedIn and Prefect's server; the deployments are made."""
    with ExitStack() as stack:
        postgres = stack.enter_context(open_postgres()).get_uri()
        with psycopg.connect(postgres, autocommit=True) as connection:
            for name in ("landing", "lake"):
                connection.execute(f"create database {name}")
        compose = Compose(postgres, folder)
        store = compose.place("s3", find_free_port())
        prefect = compose.place("prefect", find_free_port())
        linkedin = f"http://127.0.0.1:{find_free_port()}"
        cluster = Cluster(folder, compose, linkedin, prefect)
        moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", store.rpartition(":")[2]]
        moto_environment = make_environment() | {"MOTO_S3_CUSTOM_ENDPOINTS": store}
        stack.enter_context(serve(moto, folder / "s3.log", store, moto_environment))
        keys = {"aws_access_key_id": "jobrecon", "aws_secret_access_key": SECRETS["JOBRECON_S3_SECRET"]}
        boto3.client("s3", endpoint_url=store, region_name="us-east-1", **keys).create_bucket(Bucket="lake")
        write_project(folder / "project")
        sandbox = ["jobrecon", "sandbox", "--port", linkedin.rpartition(":")[2]]
        stack.enter_context(serve(sandbox, folder / "linkedin.log", f"{linkedin}/control/state", cluster.common, folder / "project"))
        server_environment = cluster.environment("prefect") | {
            # The wheel's PostgreSQL lacks the extension pg_trgm, which Prefect needs: SQLite, with the batches of docs/prefect.md.
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder}/prefect.db",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": prefect.rpartition(":")[2],
            "PREFECT_UI_API_URL": f"{prefect}/api",
            # Runs start when they are started here.
            "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
        }
        server = ["prefect", "server", "start"]
        stack.enter_context(serve(server, folder / "prefect.log", f"{prefect}/api/health", server_environment, folder / "project"))
        run(compose.command("deployments"), folder / "deployments.log", cluster.environment("deployments"), folder / "project")
        yield cluster


def write_project(folder: Path) -> None:
    """A project as `jobrecon init` writes it, with two shards and the deployments that docs/machines.md has for a shard."""
    run(["jobrecon", "init", str(folder)], folder.parent / "init.log", make_environment(), folder.parent)
    write_applications(folder / "applications.toml")
    page = (ROOT / "docs" / "machines.md").read_text(encoding="utf-8")
    template = page.split("<!-- template: shard -->\n```yaml\n", 1)[1].split("```", 1)[0]
    with (folder / "prefect.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n{template}")

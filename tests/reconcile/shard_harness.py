"""Deployments of several shards against one served sandbox, for tests and benchmarks."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg

from jobrecon.ingest import ImportResult, import_notifications, import_tasks
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import Delivery, write_inbox
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.reconcile.gather import GatherResult, gather
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.sandbox import SandboxApplication, World
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published, open_warehouse
from jobrecon.warehouse.schema import list_tables, list_views
from jobrecon.webhook.parsing import parse_body

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
SHARDS = {1001: "", 1002: "b", 1003: "b", 1004: "east-1"}
NOBODY = 4711
# Ids and the machine's own clock differ from one run to the next; of all applications together each shard knows only its own.
VARYING = {"runs": "run_id, started_at, finished_at", "task_status_changes": "run_id"}
LEFT_OUT = {"notification_merges", "runs", "settling_hazard", "warehouse_info"}


def urn(number: int) -> str:
    return f"urn:li:developerApplication:{number}"


class Deployment:
    """A home, and the runs of its shards in it."""

    def __init__(self, home: Path, shards: dict[int, str], url: str, **options: Any) -> None:
        home.mkdir()
        self.home = home
        self.options: dict[str, Any] = {
            "home": home / "var",
            "applications": home / "applications.toml",
            "api_url": url,
            "token_url": f"{url}/oauth/v2/accessToken",
            "concurrency": 1,
        } | options
        self.write_applications(shards)

    def write_applications(self, shards: dict[int, str]) -> None:
        self.names = sorted({"", *shards.values()})
        (self.home / "applications.toml").write_text(
            "".join(
                f'[[applications]]\nurn = "{urn(number)}"\nclient_id = "client-{number}"\nclient_secrets = ["env:SECRET_{number}"]\n'
                f'customer = "Customer {number}"\n' + (f'shard = "{shard}"\n' if shard else "")
                for number, shard in shards.items()
            ),
            encoding="utf-8",
        )

    def settings(self, shard: str = "") -> Settings:
        return Settings(_env_file=None, shard=shard, **self.options)

    def import_tasks(self, file: Path) -> list[ImportResult]:
        return [self._import(shard, lambda warehouse, own: import_tasks(warehouse, file, own, START)) for shard in self.names]

    def import_notifications(self, file: Path) -> list[ImportResult]:
        return [
            self._import(shard, lambda warehouse, own: import_notifications(warehouse, file, START, applications=own))
            for shard in self.names
        ]

    def _import(self, shard: str, work: Callable[..., ImportResult]) -> ImportResult:
        with open_warehouse(self.settings(shard)) as warehouse:
            return work(warehouse, self.settings(shard).load_shard())

    def land(self, deliveries: list[Any]) -> None:
        engine = open_landing(self.settings().landing_url)
        write_inbox(engine, deliveries)
        engine.dispose()

    def run(self, now: datetime, *shards: str) -> dict[str, RunSummary]:
        """Runs of the shards, of all where none is named, all at once."""

        def reconcile(shard: str) -> RunSummary:
            with open_reconciliation(self.settings(shard), now, clock=lambda: now) as run:
                run.pull()
                run.ingest_notifications()
                asyncio.run(run.poll())
                asyncio.run(run.check())
                run.update_findings()
                run.publish()
            return run.summary

        names = shards or tuple(self.names)
        with ThreadPoolExecutor(len(names)) as threads:
            return dict(zip(names, threads.map(reconcile, names), strict=True))

    def gather(self, now: datetime) -> GatherResult:
        return gather(self.settings(), now)

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with open_published(self.settings()) as published:
            return published.connection.execute(query).fetchall()

    def read_all(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table and view of the published copy, but for what differs by chance."""
        return {
            name: self.read(
                f"select * exclude ({VARYING[name]}) from {name} order by all" if name in VARYING else f"from {name} order by all"
            )
            for name in (*list_tables(), *list_views())
            if name not in LEFT_OUT
        }


def make_world() -> World:
    """The applications of all shards as LinkedIn knows them, at START. Their secrets are in the variables `SECRET_<number>`."""
    return World([SandboxApplication(urn(number), f"client-{number}", [f"secret-{number}"]) for number in SHARDS], START, seed=7)


def write_tasks(file: Path, world: World) -> None:
    """Requests of all applications in one file, with one row of nobody's and one that is no row."""
    rows = []
    for number in range(160):
        application = world.applications[urn(1001 + number % 4)]
        operation = ("CREATE", "CREATE", "UPDATE", "CLOSE")[number // 4 % 4]
        task = world.submit(application, external_id=f"job-{number // 4 % 30}", operation=operation)
        rows.append(world.task_row(application, task))
    rows.append(rows[0] | {"task_urn": "urn:li:simpleJobPostingTask:nobodys", "application_urn": urn(NOBODY)})
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows) + b"{broken\n")


def make_delivery(rng: random.Random, now: datetime) -> Delivery:
    body = {
        "type": "JOB_POSTING_STATUS",
        "developerApplicationUrn": urn(rng.choice([*SHARDS, NOBODY])),
        "externalJobPostingId": f"job-{rng.randrange(35)}",
        "listingStatus": rng.choice(["LISTED", "LISTED", "NOT_LISTED"]),
        "linkedInApplyStatus": rng.choice(["ENABLED", "NOT_ENABLED"]),
    }
    raw = orjson.dumps(body)
    parsed = parse_body(raw)
    names = ("application_urn", "external_job_posting_id", "type", "body_hash", "payload")
    return Delivery(received_at=now, body=raw, signed_by="parent#1 raw", **{name: getattr(parsed, name) for name in names})


def live(world: World, deployments: list[Deployment], ticks: int, tick: timedelta = timedelta(hours=2)) -> list[dict[str, RunSummary]]:
    """The same hours for each deployment; returns the summaries of the last runs."""
    rng = random.Random(3)
    summaries: list[dict[str, RunSummary]] = []
    for number in range(1, ticks + 1):
        summaries = live_tick(world, deployments, START + number * tick, rng)
    return summaries


def live_tick(world: World, deployments: list[Deployment], now: datetime, rng: random.Random) -> list[dict[str, RunSummary]]:
    """The same deliveries land for each deployment, and its shards run; returns their summaries."""
    landed = [ReceivedChallenge("", now), *(make_delivery(rng, now - timedelta(minutes=5)) for _ in range(6))]
    for deployment in deployments:
        world.seconds = now.timestamp()
        deployment.land(landed)
    return [deployment.run(now) for deployment in deployments]


def make_lake_address(postgres_uri: str, folder: Path) -> str:
    """A lake in a new database, so that its lock and schemas are its own."""
    name = f"lake_{uuid4().hex}"
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return f"ducklake:postgres:{postgres_uri.replace('/postgres?', f'/{name}?')} (DATA_PATH '{folder}/lake/')"

"""Shards: their runs at the same times, gathered, give what one run over everything gives; each does only what is its own."""

import asyncio
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest

from jobrecon.errors import ConfigurationError
from jobrecon.ingest import ImportResult, import_notifications, import_tasks
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import Delivery, write_inbox
from jobrecon.landing.inbox_reader import read_state
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.reconcile.gather import GatherResult, gather
from jobrecon.reconcile.run import open_reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published, open_warehouse
from jobrecon.warehouse.schema import list_tables, list_views
from jobrecon.webhook.parsing import parse_body
from jobrecon.webhook.server import serve_in_thread

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
TICKS = {"files": 6, "lake": 2}
SHARDS = {1001: "", 1002: "b", 1003: "b", 1004: "east-1"}
NOBODY = 4711
# Ids and the machine's own clock differ from one run to the next; of all applications together each shard knows only its own.
VARYING = {"runs": "run_id, started_at, finished_at", "task_status_changes": "run_id"}
LEFT_OUT = {"notification_merges", "runs", "settling_hazard"}


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
        summaries = {}
        for shard in shards or self.names:
            with open_reconciliation(self.settings(shard), now, clock=lambda: now) as run:
                run.pull()
                run.ingest_notifications()
                asyncio.run(run.poll())
                asyncio.run(run.check())
                run.update_findings()
                run.publish()
            summaries[shard] = run.summary
        return summaries

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


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for number in SHARDS:
        monkeypatch.setenv(f"SECRET_{number}", f"secret-{number}")
    return World([SandboxApplication(urn(number), f"client-{number}", [f"secret-{number}"]) for number in SHARDS], START, seed=7)


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serve_in_thread(create_app(world)) as served:
        yield served


@pytest.fixture
def tasks(tmp_path: Path, world: World) -> Path:
    """Requests of all applications in one file, with one row of nobody's and one that is no row."""
    rows = []
    for number in range(160):
        application = world.applications[urn(1001 + number % 4)]
        operation = ("CREATE", "CREATE", "UPDATE", "CLOSE")[number // 4 % 4]
        task = world.submit(application, external_id=f"job-{number // 4 % 30}", operation=operation)
        rows.append(world.task_row(application, task))
    rows.append(rows[0] | {"task_urn": "urn:li:simpleJobPostingTask:nobodys", "application_urn": urn(NOBODY)})
    file = tmp_path / "tasks.ndjson"
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows) + b"{broken\n")
    return file


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
        now = START + number * tick
        landed = [ReceivedChallenge("", now), *(make_delivery(rng, now - timedelta(minutes=5)) for _ in range(6))]
        for deployment in deployments:
            world.seconds = now.timestamp()
            deployment.land(landed)
        summaries = [deployment.run(now) for deployment in deployments]
    return summaries


def make_lake_address(postgres_uri: str, folder: Path) -> str:
    """A lake in a new database, so that its lock and schemas are its own."""
    name = f"lake_{uuid4().hex}"
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return f"ducklake:postgres:{postgres_uri.replace('/postgres?', f'/{name}?')} (DATA_PATH '{folder}/lake/')"


@pytest.mark.parametrize("kind", ["files", "lake"])
def test_shards_gathered_equal_one_run_over_everything(
    tmp_path: Path, world: World, url: str, tasks: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    whole = Deployment(tmp_path / "whole", dict.fromkeys(SHARDS, ""), url)
    address = make_lake_address(request.getfixturevalue("postgres_uri"), tmp_path) if kind == "lake" else ""
    shards = Deployment(tmp_path / "shards", SHARDS, url, warehouse=address)
    (imported,) = whole.import_tasks(tasks)
    parts = shards.import_tasks(tasks)
    assert (imported.added, imported.rejected, imported.skipped) == (160, 2, 0)
    assert [(part.added, part.rejected, part.skipped) for part in parts] == [(40, 2, 120), (80, 0, 82), (40, 0, 122)]
    last_whole, last_shards = live(world, [whole, shards], ticks=TICKS[kind])
    now = last_whole[""].as_of
    assert {summary.state for summary in last_shards.values()} == {last_whole[""].state} == {"COMPLETED"}
    result = shards.gather(now)
    assert result.incomplete_reasons == []
    assert result.shards == {"default": now, "b": now, "east-1": now}
    expected = whole.read_all()
    assert len(expected["findings"]) > 30
    assert any(urn(NOBODY) in row for row in expected["notifications"])
    for name, rows in shards.read_all().items():
        assert rows == expected[name], name
    sums = "select as_of, sum(tasks_polled), sum(calls_used), sum(notifications_merged), sum(findings_open) from runs group by all order by all"
    assert shards.read(sums) == whole.read(sums)
    assert shards.read("select distinct shard from runs order by all nulls first") == [(None,), ("b",), ("east-1",)]
    comments = "select table_name, column_name, comment from duckdb_columns() where not internal order by all"
    assert shards.read(comments) == whole.read(comments)


def test_a_shard_whose_secret_is_missing_is_incomplete_and_the_others_are_not(
    tmp_path: Path, world: World, url: str, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Deployment(tmp_path / "shards", SHARDS, url)
    shards.import_tasks(tasks)
    live(world, [shards], ticks=1)
    is_open = f"select finding_id from findings where resolved_at is null and application_urn = '{urn(1003)}' order by all"
    shards.gather(START)
    before = shards.read(is_open)
    assert before
    later = tmp_path / "later.ndjson"
    application = world.applications[urn(1003)]
    new = [world.submit(application, external_id=f"job-{number}", operation="CREATE") for number in range(30)]
    later.write_bytes(b"".join(orjson.dumps(world.task_row(application, task)) + b"\n" for task in new))
    assert [result.added for result in shards.import_tasks(later)] == [0, 30, 0]
    monkeypatch.delenv("SECRET_1003")
    world.expire_tokens()
    now = START + timedelta(hours=4)
    world.seconds = now.timestamp()
    summaries = shards.run(now)
    assert {shard: summary.state for shard, summary in summaries.items()} == {"": "COMPLETED", "b": "INCOMPLETE", "east-1": "COMPLETED"}
    assert summaries["b"].failed_applications == [urn(1003)]
    assert shards.gather(now).incomplete_reasons == []
    assert set(before) <= set(shards.read(is_open))
    assert any("SECRET_1003" in str(reason) for (reason,) in shards.read("select incomplete_reasons from runs where shard = 'b'"))


def test_a_shard_that_is_missing_or_stale_is_named_and_the_others_are_gathered(tmp_path: Path, world: World, url: str, tasks: Path) -> None:
    shards = Deployment(tmp_path / "shards", SHARDS, url)
    shards.import_tasks(tasks)
    now = START + timedelta(hours=5)
    shards.run(START, "b")
    world.seconds = now.timestamp()
    shards.run(now, "")
    result = shards.gather(now)
    missing = tmp_path / "shards" / "var" / "published" / "jobrecon-east-1.duckdb"
    assert result.incomplete_reasons == [
        "The shard b is stale: its last run is as of 2026-03-01T06:00:00+00:00.",
        f"The shard east-1 is missing: {missing} does not exist.",
    ]
    assert shards.read("select count(*), count(distinct application_urn) from job_tasks") == [(120, 3)]
    missing.write_bytes(b"no database")
    assert "The shard east-1 is missing: IO Error" in shards.gather(now).incomplete_reasons[1]
    assert shards.read("select count(*) from job_tasks") == [(120,)]


def test_a_shard_merges_its_own_notifications_and_the_default_shard_what_nobody_owns(tmp_path: Path, url: str) -> None:
    shards = Deployment(tmp_path / "shards", SHARDS, url)
    rng = random.Random(1)
    deliveries = [make_delivery(rng, START) for _ in range(200)]
    shards.land(deliveries)
    engine = open_landing(shards.settings().landing_url)
    owners = {shard: {urn(number) for number, name in SHARDS.items() if name == shard} for shard in shards.names}
    owners[""].add(urn(NOBODY))
    left = len(deliveries)
    for shard, summary in shards.run(START).items():
        assert summary.notifications_merged == sum(delivery.application_urn in owners[shard] for delivery in deliveries)
        left -= summary.notifications_merged
        with open_published(shards.settings(shard).for_shard()) as published:
            merged = {urn for (urn,) in published.connection.execute("select application_urn from notification_deliveries").fetchall()}
            assert merged == owners[shard]
    assert left == read_state(engine).unmerged_count == 0
    engine.dispose()


def test_silences_of_one_shard_stay_while_another_runs(tmp_path: Path, url: str) -> None:
    shards = Deployment(tmp_path / "shards", SHARDS, url)
    shards.land([ReceivedChallenge("", START)])
    engine = open_landing(shards.settings().landing_url)
    summaries = shards.run(START + timedelta(days=1))
    assert {shard: summary.state for shard, summary in summaries.items()} == {"": "INCOMPLETE", "b": "COMPLETED", "east-1": "COMPLETED"}
    assert set(read_state(engine).silences) == {""}
    engine.dispose()


def test_notification_files_are_shared_out_too(tmp_path: Path, url: str) -> None:
    shards = Deployment(tmp_path / "shards", SHARDS, url)
    file = tmp_path / "bodies.ndjson"
    rng = random.Random(2)
    file.write_bytes(b"".join(make_delivery(rng, START).body + b"\n" for _ in range(100)) + b"{broken\n")
    results = shards.import_notifications(file)
    assert [result.added + result.rejected + result.skipped for result in results] == [101] * 3
    assert sum(result.added for result in results) == 100
    assert [result.rejected for result in results] == [1, 0, 0]


def test_a_shard_that_no_application_names_is_a_wrong_setting(tmp_path: Path, url: str) -> None:
    shards = Deployment(tmp_path / "shards", SHARDS, url)
    with pytest.raises(ConfigurationError, match=r"No application has the shard 'c'; .*: b, east-1\."):
        shards.run(START, "c")
    assert not (tmp_path / "shards" / "var" / "warehouse-c.duckdb").exists()


def test_with_one_shard_there_is_nothing_to_gather(tmp_path: Path, url: str) -> None:
    whole = Deployment(tmp_path / "whole", dict.fromkeys(SHARDS, ""), url)
    with pytest.raises(ConfigurationError, match="nothing to gather"):
        whole.gather(START)


def test_an_application_that_changed_its_shard_is_gathered_from_the_new_one_only(
    tmp_path: Path, world: World, url: str, tasks: Path
) -> None:
    deployment = Deployment(tmp_path / "home", {**SHARDS, 1004: ""}, url)
    deployment.import_tasks(tasks)
    world.seconds += 7200
    now = START + timedelta(hours=2)
    deployment.run(now)
    deployment.write_applications(SHARDS)
    deployment.import_tasks(tasks)
    deployment.run(now)
    assert deployment.gather(now).incomplete_reasons == []
    assert deployment.read("select count(*), count(distinct task_urn) from job_tasks") == [(160, 160)]
    changes = "select count(*), count(distinct (task_urn, observed_at)), count(*) filter (task_urn not in (from job_tasks select task_urn))"
    assert deployment.read(f"{changes} from task_status_changes")[0][0] == deployment.read(f"{changes} from task_status_changes")[0][1]

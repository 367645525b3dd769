"""Shards: their runs at the same times, gathered, give what one run over everything gives; each does only what is its own."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobrecon.errors import ConfigurationError, WarehouseLocked
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox_reader import read_state
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.sandbox import World, create_app
from jobrecon.warehouse import open_published
from jobrecon.warehouse.lock import hold_database_lock
from jobrecon.webhook.server import serve_in_thread
from tests.postgres import create_database
from tests.reconcile.shard_harness import (
    NOBODY,
    SHARDS,
    START,
    Deployment,
    live,
    make_delivery,
    make_lake_address,
    make_world,
    urn,
    write_tasks,
)

TICKS = {"files": 3, "lake": 2}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for number in SHARDS:
        monkeypatch.setenv(f"SECRET_{number}", f"secret-{number}")
    return make_world()


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serve_in_thread(create_app(world)) as served:
        yield served


@pytest.fixture
def tasks(tmp_path: Path, world: World) -> Path:
    file = tmp_path / "tasks.ndjson"
    write_tasks(file, world)
    return file


@pytest.mark.parametrize("kind", ["files", pytest.param("lake", marks=pytest.mark.postgres)])
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


def test_two_machines_do_not_gather_at_once_into_the_copy_they_share(tmp_path: Path, world: World, url: str, postgres_uri: str) -> None:
    landing_url = create_database(postgres_uri)
    options: dict[str, Any] = {"landing_url": landing_url, "published": tmp_path / "shared" / "jobrecon.duckdb", "lock_wait": 0.5}
    first, second = (Deployment(tmp_path / name, SHARDS, url, **options) for name in ("first", "second"))
    first.run(START)
    address = landing_url.replace("postgresql+psycopg", "postgresql")
    with (
        hold_database_lock(address, "gather", "the copy", 0),
        pytest.raises(WarehouseLocked, match=rf"gather into it\) is open for writing in process {os.getpid()} on "),
    ):
        second.gather(START)
    assert not (tmp_path / "shared" / "jobrecon.duckdb").exists()
    assert second.gather(START).incomplete_reasons == first.gather(START).incomplete_reasons == []


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

"""Merged deliveries are marked with their merge, and a warehouse that has lost it gets them again."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from jobrecon.landing.merges import read_merge_ids, undo_merges
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.run import Reconciliation
from jobrecon.settings import Settings
from models.inbox import InboxItem, InboxMerge
from tests.webhook.conftest import ACME, land, mark, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-%d","listingStatus":"NOT_LISTED"}'


@contextmanager
def run_as_of(settings: Settings, as_of: datetime) -> Iterator[Reconciliation]:
    with open_reconciliation(settings, as_of, clock=lambda: as_of) as run:
        run.pull()
        run.ingest_notifications()
        yield run
        run.update_findings()
        run.publish()


def count_merged(settings: Settings, as_of: datetime) -> tuple[int, int]:
    """How many deliveries a run merges, and how many notifications the warehouse holds then."""
    with run_as_of(settings, as_of) as run:
        (row,) = run.warehouse.connection.execute("select count(*) from notifications").fetchall()
    return run.summary.notifications_merged, int(row[0])


@pytest.fixture
def shop(settings: Settings, landing_url: str) -> Settings:
    return settings.model_copy(update={"landing_url": landing_url})


def test_the_deliveries_of_undone_merges_are_unmerged_again(engine: Engine) -> None:
    land(engine, BODY % 1, SIX, times=4)
    first, second = mark(engine, [1, 2], SIX), mark(engine, [3], SIX)
    assert sorted(read_merge_ids(engine)) == sorted([first, second])
    assert read_merge_ids(engine, shard="b") == []
    assert undo_merges(engine, [first]) == 2
    rows = sorted(rows_of(engine, InboxItem), key=lambda row: row.inbox_id or 0)
    assert [(row.merged_at, row.merge_id) for row in rows] == [(None, None), (None, None), (SIX, second), (None, None)]
    assert [row.merge_id for row in rows_of(engine, InboxMerge)] == [second]
    assert undo_merges(engine, [first]) == 0


def test_what_a_lost_warehouse_had_merged_is_merged_into_the_new_one(
    shop: Settings, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        land(engine, BODY % number, SIX)
    assert count_merged(shop, SIX + HOUR) == (20, 20)
    assert count_merged(shop, SIX + 2 * HOUR) == (0, 20)
    for file in Path(shop.warehouse).parent.glob("warehouse.duckdb*"):
        file.unlink()
    assert "merged again" not in caplog.text
    assert count_merged(shop, SIX + 3 * HOUR) == (20, 20)
    assert "does not hold 20 notifications that earlier runs merged" in caplog.text
    assert count_merged(shop, SIX + 4 * HOUR) == (0, 20)


def test_a_restored_warehouse_gets_what_came_after_its_backup(shop: Settings, engine: Engine, tmp_path: Path) -> None:
    land(engine, BODY % 1, SIX)
    assert count_merged(shop, SIX) == (1, 1)
    shutil.copy(shop.warehouse, tmp_path / "backup.duckdb")
    for number in (2, 3):
        land(engine, BODY % number, SIX + HOUR)
        assert count_merged(shop, SIX + number * HOUR) == (1, number)
    land(engine, BODY % 4, SIX + 3 * HOUR)
    shutil.copy(tmp_path / "backup.duckdb", shop.warehouse)
    assert count_merged(shop, SIX + 4 * HOUR) == (3, 4)
    assert count_merged(shop, SIX + 5 * HOUR) == (0, 4)


BREAK_ALL = """
create function break_all() returns trigger language plpgsql as
'begin perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid(); raise exception ''gone''; end';
create trigger break_all before update on inbox for each statement execute function break_all()
"""


@pytest.mark.parametrize("landing_url", ["postgres"], indirect=True)
def test_a_server_that_goes_away_between_reading_and_marking_is_said_once(shop: Settings, engine: Engine) -> None:
    land(engine, BODY % 1, SIX)
    with engine.begin() as connection:
        connection.exec_driver_sql(BREAK_ALL)
    with run_as_of(shop, SIX + HOUR) as run:
        assert run.failures.keys() == {"inbox"}
        assert "The landing database" in run.failures["inbox"]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_restored_landing_database_repeats_nothing_and_its_ledger_is_charged_what_the_warehouse_knows(
    shop: Settings, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, backup = tmp_path / "landing.db", tmp_path / "backup.db"
    ledger = CallLedger(engine, ACME, 100, clock=lambda: SIX)
    assert ledger.charge_now(10) == 10
    land(engine, BODY % 1, SIX)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    assert count_merged(shop, SIX + HOUR) == (1, 1)
    assert ledger.charge_now(30) == 30
    land(engine, BODY % 2, SIX + HOUR)
    assert count_merged(shop, SIX + 2 * HOUR) == (1, 2)
    engine.dispose()
    for file in tmp_path.glob("landing.db*"):
        file.unlink()
    shutil.copy(backup, path)
    assert ledger.count_left() == 90
    assert count_merged(shop, SIX + 3 * HOUR) == (0, 2)
    assert ledger.count_left() == 60
    assert "lacked 30 calls of today" in caplog.text
    land(engine, BODY % 3, SIX + 3 * HOUR)
    assert count_merged(shop, SIX + 4 * HOUR) == (1, 3)


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", ["deleted", "cut", "flipped"])
def test_what_was_lost_with_the_warehouses_log_is_merged_again(shop: Settings, engine: Engine, tmp_path: Path, damage: str) -> None:
    land(engine, BODY % 1, SIX)
    assert count_merged(shop, SIX) == (1, 1)
    for number in (2, 3):
        land(engine, BODY % number, SIX)
    log, kept = Path(shop.warehouse + ".wal"), tmp_path / "kept"
    with open_reconciliation(shop, SIX + HOUR, clock=lambda: SIX + HOUR) as run:
        run.ingest_notifications()
        assert run.summary.notifications_merged == 2
        # What a killed process leaves behind.
        shutil.copy(log, kept)
        shutil.copy(shop.warehouse, tmp_path / "file")
    shutil.copy(tmp_path / "file", shop.warehouse)
    log.unlink(missing_ok=True)
    content = kept.read_bytes()
    if damage == "cut":
        log.write_bytes(content[: len(content) * 2 // 3])
    elif damage == "flipped":
        log.write_bytes(content[:-40] + bytes([content[-40] ^ 255]) + content[-39:])
    assert count_merged(shop, SIX + 2 * HOUR)[1] == 3

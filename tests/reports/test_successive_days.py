"""Two weeks, one report a day: every day balances, hands on what is open, and says the same when it is made again later."""

import datetime as dt
import json
import random
from itertools import pairwise
from typing import Any

import duckdb

from jobrecon.reports.reading import read_day
from jobrecon.reports.report import write_report
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from tests.reports.conftest import UTC, History

DAYS = 16
FIRST = dt.date(2026, 10, 14)  # the clocks of Berlin change on the 25th
KINDS = [("FAILED", "TASK", "HIGH", "CUSTOMER"), ("STUCK", "TASK", "MEDIUM", "LINKEDIN"), ("UNCONFIRMED", "LISTING", "LOW", "PARTNER")]


WRITTEN = (6, 11, DAYS - 1)
"""Days whose files are compared too, among them one that could not be checked completely and one of 25 hours."""


def test_two_weeks_of_reports_balances_and_can_be_made_again(history: History) -> None:
    settings = history.settings
    settings.timezone = "Europe/Berlin"
    chance = random.Random(7)
    summaries, files = [], {}
    for number in range(DAYS):
        date = FIRST + dt.timedelta(days=number)
        midnight = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), tzinfo=settings.zone).astimezone(UTC)
        with open_warehouse(settings) as warehouse:
            for hours in (20, 9, 1):
                live_through(history, warehouse.connection, chance, midnight - dt.timedelta(hours=hours))
            if number == 6:
                warehouse.connection.execute(
                    "update runs set state = 'INCOMPLETE', incomplete_reasons = 'no inbox' where as_of = (select max(as_of) from runs)"
                )
            summaries.append(summarise(warehouse, date, midnight))
            if number in WRITTEN:
                warehouse.publish()
        if number in WRITTEN:
            files[number] = write_files(settings, date, midnight)
    assert [summary["complete"] for summary in summaries].count(False) == 1
    for summary in summaries:
        roll = summary["roll_forward"]
        assert roll["open_before"] + roll["new"] - roll["resolved"] == roll["open_now"] > 0
        assert sum(summary["open_by_kind"].values()) == sum(summary["open_by_age"].values()) == roll["open_now"]
        for name, total in roll.items():
            assert total == sum(movement[name] for movement in summary["by_account_manager"].values())
    for day, following in pairwise(summaries):
        assert day["roll_forward"]["open_now"] == following["roll_forward"]["open_before"]
    later = midnight + dt.timedelta(hours=5)
    with open_warehouse(settings) as warehouse:
        for number in range(0, DAYS, 3):
            assert summarise(warehouse, FIRST + dt.timedelta(days=number), later) == summaries[number]
    for number in WRITTEN:
        again = write_files(settings, FIRST + dt.timedelta(days=number), later)
        assert again == files[number]
        assert json.loads(again["summary.json"])["roll_forward"] == summaries[number]["roll_forward"]


def summarise(warehouse: Warehouse, date: dt.date, now: dt.datetime) -> dict[str, Any]:
    settings = warehouse.settings
    return read_day(warehouse, date, settings.zone, now, settings.stale_after).summarise("")


def write_files(settings: Settings, date: dt.date, now: dt.datetime) -> dict[str, bytes]:
    """What a report's files hold; a workbook holds the moment at which it was packed."""
    return {path.name: path.read_bytes() for path in write_report(settings, date, now).files if path.suffix != ".xlsx"}


def live_through(history: History, connection: duckdb.DuckDBPyConnection, chance: random.Random, as_of: dt.datetime) -> None:
    """A run: some jobs come, some break, some are mended."""
    open_ids = [row[0] for row in connection.execute("select finding_id from findings where resolved_at is null order by all").fetchall()]
    gone = [finding_id for finding_id in open_ids if chance.random() < 0.2]
    connection.execute("update findings set resolved_at = ?, resolution = 'RELISTED' where list_contains(?, finding_id)", [as_of, gone])
    for _ in range(chance.randrange(6)):
        job = f"job-{history.count}"
        kind, facet, severity, owner = chance.choice(KINDS)
        manager = chance.choice(["Dana Fox", "Jo Ng", None])
        history.add_job(job, account_manager=manager)
        requested_at = as_of - dt.timedelta(minutes=chance.randrange(30, 3000))
        history.add_task(f"t-{job}", job, requested_at=as_of - dt.timedelta(minutes=5), status="FAILED", status_changed_at=as_of)
        history.add_finding(
            external_job_posting_id=job, kind=kind, facet=facet, severity=severity, owner=owner, opened_at=as_of, since=requested_at,
            account_manager=manager, task_urn=f"t-{job}",
        )  # fmt: skip
    history.add_run(as_of, calls_used=chance.randrange(50))
    history.insert_rows(connection)
    history.rows.clear()

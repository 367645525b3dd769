"""A month, one report a day: every day balances, hands on what is open, and says the same when it is made again later."""

import datetime as dt
import json
import random
from itertools import pairwise

from jobrecon.reports import write_report
from jobrecon.warehouse import open_warehouse
from tests.reports.conftest import UTC

DAYS = 30
FIRST = dt.date(2026, 10, 10)  # the clocks of Berlin change on the 25th
KINDS = [("FAILED", "TASK", "HIGH", "CUSTOMER"), ("STUCK", "TASK", "MEDIUM", "LINKEDIN"), ("UNCONFIRMED", "LISTING", "LOW", "PARTNER")]


def test_a_month_of_reports_balances_and_can_be_made_again(history):
    settings = history.settings
    settings.timezone = "Europe/Berlin"
    chance = random.Random(7)
    summaries, pages = [], []
    for number in range(DAYS):
        date = FIRST + dt.timedelta(days=number)
        midnight = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), tzinfo=settings.zone).astimezone(UTC)
        # Day 12 ends with something unseen.
        with open_warehouse(settings) as warehouse:
            for hours in (20, 9, 1):
                live_through(history, warehouse.connection, chance, midnight - dt.timedelta(hours=hours))
            if number == 12:
                warehouse.connection.execute(
                    "update runs set state = 'INCOMPLETE', incomplete_reasons = 'no inbox' where as_of = (select max(as_of) from runs)"
                )
            warehouse.publish()
        result = write_report(settings, date, midnight)
        summaries.append(result.summary)
        pages.append({path.name: path.read_bytes() for path in result.files if path.suffix != ".xlsx"})
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
    for number in range(0, DAYS, 3):
        again = write_report(settings, FIRST + dt.timedelta(days=number), later)
        assert again.summary == summaries[number]
        assert {path.name: path.read_bytes() for path in again.files if path.suffix != ".xlsx"} == pages[number]
    assert json.loads((again.folder / "summary.json").read_text(encoding="utf-8")) == again.summary


def live_through(history, connection, chance, as_of):
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

"""Deployment runs, by a worker, against a sandbox: what they leave behind, and how they end when something is wrong."""

import csv
import json
import os
import re
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobrecon.clock import utc_now
from jobrecon.landing.challenges import ReceivedChallenge
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import write_inbox
from jobrecon.warehouse import open_warehouse
from tests.flows.conftest import SECRET, TASKS, Shop
from tests.flows.prefect_stack import FlowRun, wait_for

# Each starts several processes; on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(600)

Reconciled = tuple[Shop, FlowRun]


def query(shop: Shop, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the published copy."""
    with duckdb.connect(shop.settings.published, read_only=True) as connection:
        return connection.execute(statement).fetchall()


def test_a_reconciliation_completes_and_publishes_what_it_learned(reconciled: Reconciled) -> None:
    shop, run = reconciled
    assert f"{TASKS} of {TASKS} due tasks polled with 3 calls" in run.message
    assert query(shop, "select flow_run_id, state, tasks_polled, calls_used from runs") == [(run.id, "COMPLETED", TASKS, 3)]
    assert query(shop, "select count(*) from job_tasks where state = 'SETTLED'")[0][0] > TASKS / 2


def test_a_reconciliation_tells_its_stages_in_the_log(reconciled: Reconciled) -> None:
    shop, run = reconciled
    log = run.wait_for_log("Published")
    for line in (f"{TASKS} tasks are pending.", f"Asked about {TASKS} of {TASKS} due tasks", "0 notifications merged."):
        assert line in log
    wanted = {"flow_runs": {"id": {"any_": [run.id]}}}
    stages = {"pull", "poll", "listen", "find", "publish"}
    # Task runs are recorded from events, a moment later.
    wait_for("its tasks", lambda: {task["name"].rsplit("-", 1)[0] for task in shop.station.post("/task_runs/filter", wanted)} == stages)


def test_a_reconciliation_shows_a_summary_and_the_worst_findings(reconciled: Reconciled) -> None:
    shop, run = reconciled
    artifacts = run.read_artifacts()
    assert artifacts.keys() == {"reconcile-summary", "worst-findings", "polling"}
    assert artifacts["polling"]["data"] == 100.0
    kinds = query(shop, "select kind, count(*) from findings where resolved_at is null group by kind")
    shown = re.findall(r"^\| ([A-Z_]+) \| █+ ([\d,]+) \|$", artifacts["reconcile-summary"]["data"], re.MULTILINE)
    assert sorted(shown) == sorted((kind, f"{count:,}") for kind, count in kinds)
    assert f"| tasks polled | {TASKS} of {TASKS} due" in artifacts["reconcile-summary"]["data"]
    assert len(json.loads(artifacts["worst-findings"]["data"])) == query(shop, "select count(*) from findings")[0][0] > 0


def test_text_from_outside_is_no_markup_in_an_artifact(reconciled: Reconciled) -> None:
    shop, run = reconciled
    assert query(shop, "select min(external_job_posting_id) from findings")[0][0].startswith("<b>[job](https://example.com)`")
    for row in json.loads(run.read_artifacts()["worst-findings"]["data"]):
        assert row["job"].startswith("‹b›(job)(https: //example.com)'-")


def test_the_daily_report_is_written_and_linked(reconciled: Reconciled) -> None:
    shop, _ = reconciled
    shop.configure()
    run = shop.station.run("daily-report")
    assert run.state[0] == "COMPLETED", run.message
    folder = max(shop.settings.reports.iterdir())
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) >= summary["roll_forward"]["open_now"] > 0
    assert run.state[1] == ("Completed" if summary["complete"] else "Incomplete")
    artifacts = run.read_artifacts()
    told = artifacts["daily-summary"]["data"]
    assert told.startswith(f"# {summary['verdict']}\n")
    assert "| STUCK | █" in told or "| FAILED | █" in told
    today = json.loads(artifacts["do-today"]["data"])
    assert len(today) == query(shop, "select count(*) from open_findings where owner = 'CUSTOMER' and severity != 'LOW'")[0][0] > 0
    assert all(row["job"].startswith("‹b›(job)") and row["what happened"] and row["what to do"] and row["since"] for row in today)
    link = artifacts["daily-report"]
    assert f"({(folder / 'index.html').as_uri()})" in link["data"]
    assert (folder / "index.html").is_file()


def test_a_wrong_secret_ends_as_incomplete_and_the_log_names_the_application_without_the_secret(shop: Shop) -> None:
    shop.configure(ACME_SECRET="a-wrong-secret")
    run = shop.station.run("reconcile")
    assert run.state == ("COMPLETED", "Incomplete"), run.message
    log = run.wait_for_log("urn:li:developerApplication:1001")
    summary = run.read_artifacts()["reconcile-summary"]["data"]
    assert "## Not seen" in summary
    assert "urn:li:developerApplication:1001" in summary
    assert query(shop, "select state, tasks_polled from runs") == [("INCOMPLETE", 0)]
    for place in (log, summary, shop.station.worker_log.read_text(encoding="utf-8")):
        assert "a-wrong-secret" not in place
        assert SECRET not in place


def fall_silent(shop: Shop) -> None:
    """LinkedIn challenged the webhook, and then no more."""
    engine = open_landing(shop.settings.landing_url)
    write_inbox(engine, [ReceivedChallenge("", utc_now() - timedelta(hours=6))])
    engine.dispose()


@pytest.mark.parametrize(
    ("changes", "happen", "reason"),
    [
        ({"JOBRECON_DAILY_CALL_LIMIT": "1"}, lambda shop: None, "used up its calls for the day"),
        ({"JOBRECON_LANDING_URL": "postgresql+psycopg://jobrecon@127.0.0.1:1/landing"}, lambda shop: None, "The landing database"),
        ({}, fall_silent, "webhook"),
    ],
    ids=["the budget ran out", "the landing database is gone", "the webhook fell silent"],
)
def test_what_could_not_be_seen_is_told_by_the_runs_state(
    shop: Shop, changes: dict[str, str], happen: Callable[[Shop], None], reason: str
) -> None:
    happen(shop)
    shop.configure(**changes)
    run = shop.station.run("reconcile")
    assert run.state == ("COMPLETED", "Incomplete"), run.message
    assert reason in run.read_artifacts()["reconcile-summary"]["data"]
    report = shop.station.run("daily-report")
    assert report.state == ("COMPLETED", "Incomplete"), report.message
    summary = json.loads((max(shop.settings.reports.iterdir()) / "summary.json").read_text(encoding="utf-8"))
    assert not summary["complete"]
    assert reason in " ".join(summary["incomplete_reasons"])


def test_a_locked_warehouse_fails_the_run_in_words_that_name_the_holder(shop: Shop) -> None:
    shop.configure(JOBRECON_LOCK_WAIT="1")
    with open_warehouse(shop.settings):
        run = shop.station.run("reconcile")
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("WarehouseLocked: ")
    assert f"process {os.getpid()}" in run.message
    assert "Traceback" not in run.wait_for_log("Finished in state Failed")


def test_a_late_report_is_of_the_day_it_was_scheduled_for_and_a_stage_that_fails_says_so_in_words(shop: Shop) -> None:
    shop.configure(JOBRECON_REPORTS=str(shop.settings.applications / "reports"))
    with open_warehouse(shop.settings) as warehouse:
        warehouse.publish()
    yesterday = utc_now() - timedelta(days=1)
    run = shop.station.run("daily-report", at=yesterday)
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("ReportError: ")
    assert f"/reports/{yesterday.date()} cannot be written" in run.message
    assert "Traceback" not in run.wait_for_log("Finished in state Failed('ReportError")


def test_a_run_that_was_killed_blocks_neither_the_queue_nor_the_warehouse(shop: Shop) -> None:
    shop.world.faults.latency_seconds = 8
    killed = shop.station.start("reconcile")
    killed.wait_for_log("tasks are pending.")
    lock = Path(f"{shop.settings.warehouse}.lock")
    holder = wait_for("the run to hold the warehouse", lambda: json.loads(lock.read_text(encoding="utf-8")))
    os.kill(holder["pid"], signal.SIGKILL)
    shop.world.faults.latency_seconds = 0
    assert shop.station.wait(killed).state == ("CRASHED", "Crashed")
    following = shop.station.run("reconcile")
    assert following.state == ("COMPLETED", "Completed"), following.message
    states = query(shop, "select flow_run_id, state from runs order by started_at")
    assert states == [(killed.id, "FAILED"), (following.id, "COMPLETED")]

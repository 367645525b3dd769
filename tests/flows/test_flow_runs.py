"""Deployment runs, by a worker, against a sandbox: their results, and how they end after an error."""

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
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import write_inbox
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.warehouse import open_warehouse
from tests.flows.conftest import SECRET, TASKS, Partner
from tests.flows.prefect_stack import FlowRun, wait_for

# Each starts several processes, which takes long on a busy machine.
pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]

Reconciled = tuple[Partner, FlowRun]


def query(partner: Partner, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the published copy."""
    with duckdb.connect(partner.settings.published, read_only=True) as connection:
        return connection.execute(statement).fetchall()


def test_a_reconciliation_completes_and_publishes_its_results(reconciled: Reconciled) -> None:
    partner, run = reconciled
    assert f"{TASKS} of {TASKS} due tasks polled with 3 calls" in run.message
    assert query(partner, "select flow_run_id, state, tasks_polled, calls_used from runs") == [(run.id, "COMPLETED", TASKS, 3)]
    assert query(partner, "select count(*) from job_tasks where state = 'SETTLED'")[0][0] > TASKS / 2


def test_a_reconciliation_logs_its_stages(reconciled: Reconciled) -> None:
    partner, run = reconciled
    log = run.wait_for_log("Published")
    for line in (f"{TASKS} tasks are pending.", f"Polled {TASKS} of {TASKS} due tasks", "0 notifications merged."):
        assert line in log
    wanted = {"flow_runs": {"id": {"any_": [run.id]}}}
    stages = {"pull", "ingest_notifications", "poll", "check", "update_findings", "publish"}
    # Task runs are recorded from events, with a delay.
    wait_for("its tasks", lambda: {task["name"].rsplit("-", 1)[0] for task in partner.stack.post("/task_runs/filter", wanted)} == stages)


def test_a_reconciliation_shows_a_summary_and_the_worst_findings(reconciled: Reconciled) -> None:
    partner, run = reconciled
    artifacts = run.read_artifacts()
    assert artifacts.keys() == {"reconcile-summary", "worst-findings", "polling"}
    assert artifacts["polling"]["data"] == 100.0
    kinds = query(partner, "select kind, count(*) from findings where resolved_at is null group by kind")
    shown = re.findall(r"^\| ([A-Z_]+) \| █+ ([\d,]+) \|$", artifacts["reconcile-summary"]["data"], re.MULTILINE)
    assert sorted(shown) == sorted((kind, f"{count:,}") for kind, count in kinds)
    assert f"| tasks polled | {TASKS} of {TASKS} due" in artifacts["reconcile-summary"]["data"]
    assert len(json.loads(artifacts["worst-findings"]["data"])) == query(partner, "select count(*) from findings")[0][0] > 0


def test_untrusted_text_is_no_markup_in_an_artifact(reconciled: Reconciled) -> None:
    partner, run = reconciled
    assert query(partner, "select min(external_job_posting_id) from findings")[0][0].startswith("<b>[job](https://example.com)`")
    for row in json.loads(run.read_artifacts()["worst-findings"]["data"]):
        assert row["job"].startswith("‹b›(job)(https: //example.com)'-")


def test_the_daily_report_is_written_and_linked(reconciled: Reconciled) -> None:
    partner, _ = reconciled
    partner.configure()
    run = partner.stack.run("daily-report")
    assert run.state[0] == "COMPLETED", run.message
    folder = max(partner.settings.reports.iterdir())
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) >= summary["roll_forward"]["open_now"] > 0
    assert run.state[1] == ("Completed" if summary["complete"] else "Incomplete")
    artifacts = run.read_artifacts()
    shown = artifacts["daily-summary"]["data"]
    assert shown.startswith(f"# {summary['verdict']}\n")
    assert "| STUCK | █" in shown or "| FAILED | █" in shown
    today = json.loads(artifacts["do-today"]["data"])
    assert len(today) == query(partner, "select count(*) from open_findings where owner = 'CUSTOMER' and severity != 'LOW'")[0][0] > 0
    assert all(row["job"].startswith("‹b›(job)") and row["what happened"] and row["what to do"] and row["since"] for row in today)
    link = artifacts["daily-report"]
    assert f"({(folder / 'index.html').as_uri()})" in link["data"]
    assert (folder / "index.html").is_file()


def test_a_wrong_secret_ends_as_incomplete_and_the_log_names_the_application_without_the_secret(partner: Partner) -> None:
    partner.configure(ACME_SECRET="a-wrong-secret")
    run = partner.stack.run("reconcile")
    assert run.state == ("FAILED", "Incomplete"), run.message
    assert "urn:li:developerApplication:1001" in run.message
    log = run.wait_for_log("Incomplete: ")
    summary = run.read_artifacts()["reconcile-summary"]["data"]
    assert "## Incomplete" in summary
    assert "urn:li:developerApplication:1001" in summary
    assert query(partner, "select state, tasks_polled from runs") == [("INCOMPLETE", 0)]
    for place in (log, summary, partner.stack.worker_log.read_text(encoding="utf-8")):
        assert "a-wrong-secret" not in place
        assert SECRET not in place


def silence_webhook(partner: Partner) -> None:
    """The last challenge came six hours ago."""
    engine = open_landing(partner.settings.landing_url)
    write_inbox(engine, [ReceivedChallenge("", utc_now() - timedelta(hours=6))])
    engine.dispose()


@pytest.mark.parametrize(
    ("changes", "prepare", "reason", "state_type"),
    [
        ({"JOBRECON_DAILY_CALL_LIMIT": "1"}, lambda partner: None, "used up its calls for the day", "COMPLETED"),
        (
            {"JOBRECON_LANDING_URL": "postgresql+psycopg://jobrecon@127.0.0.1:1/landing"},
            lambda partner: None,
            "The landing database",
            "FAILED",
        ),
        ({}, silence_webhook, "webhook", "COMPLETED"),
    ],
    ids=["the budget ran out", "the landing database is gone", "the webhook fell silent"],
)
def test_a_run_that_could_not_read_everything_ends_as_incomplete(
    partner: Partner, changes: dict[str, str], prepare: Callable[[Partner], None], reason: str, state_type: str
) -> None:
    prepare(partner)
    partner.configure(**changes)
    run = partner.stack.run("reconcile")
    assert run.state == (state_type, "Incomplete"), run.message
    assert reason in run.read_artifacts()["reconcile-summary"]["data"]
    if state_type == "FAILED":
        assert reason in run.message
        assert query(partner, "select count(*) from runs") == [(1,)], "the flow is not retried"
    report = partner.stack.run("daily-report")
    assert report.state == ("COMPLETED", "Incomplete"), report.message
    summary = json.loads((max(partner.settings.reports.iterdir()) / "summary.json").read_text(encoding="utf-8"))
    assert not summary["complete"]
    assert reason in " ".join(summary["incomplete_reasons"])


def test_a_locked_warehouse_fails_the_run_and_names_the_holder(partner: Partner) -> None:
    partner.configure(JOBRECON_LOCK_WAIT="1")
    with open_warehouse(partner.settings):
        run = partner.stack.run("reconcile")
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("WarehouseLocked: ")
    assert f"process {os.getpid()}" in run.message
    assert "Traceback" not in run.wait_for_log("Finished in state Failed")


def test_a_late_report_is_of_the_day_it_was_scheduled_for_and_its_failure_has_a_message(partner: Partner) -> None:
    partner.configure(JOBRECON_REPORTS=str(partner.settings.applications / "reports"))
    with open_warehouse(partner.settings) as warehouse:
        warehouse.publish()
    yesterday = utc_now() - timedelta(days=1)
    run = partner.stack.run("daily-report", at=yesterday)
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("ReportError: ")
    assert f"/reports/{yesterday.date()} cannot be written" in run.message
    assert "Traceback" not in run.wait_for_log("Finished in state Failed('ReportError")


def test_a_run_that_was_killed_blocks_neither_the_queue_nor_the_warehouse(partner: Partner) -> None:
    partner.world.faults.latency_seconds = 8
    killed = partner.stack.start("reconcile")
    killed.wait_for_log("tasks are pending.")
    lock = Path(f"{partner.settings.warehouse}.lock")
    holder = wait_for("the run to hold the warehouse", lambda: json.loads(lock.read_text(encoding="utf-8")))
    os.kill(holder["pid"], signal.SIGKILL)
    partner.world.faults.latency_seconds = 0
    assert partner.stack.wait(killed).state == ("CRASHED", "Crashed")
    following = partner.stack.run("reconcile")
    assert following.state == ("COMPLETED", "Completed"), following.message
    states = query(partner, "select flow_run_id, state from runs order by started_at")
    assert states == [(killed.id, "FAILED"), (following.id, "COMPLETED")]


def count_attempts(partner: Partner, run: FlowRun, stage: str) -> int:
    """How often a stage of the run was started."""
    found = partner.stack.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [run.id]}}})
    return sum(task["run_count"] for task in found if task["name"].rsplit("-", 1)[0] == stage)


def test_a_stage_that_meets_a_full_disk_is_retried(partner: Partner) -> None:
    blocker = partner.settings.published.parent / f".{partner.settings.published.name}.fresh"
    blocker.mkdir(parents=True)
    run = partner.stack.start("reconcile")
    run.wait_for_log("Is a directory")
    blocker.rmdir()
    ended = partner.stack.wait(run)
    assert ended.state == ("COMPLETED", "Completed"), ended.message
    wait_for("both attempts", lambda: count_attempts(partner, ended, "publish") == 2)


def test_a_stage_with_a_wrong_setting_is_not_retried(partner: Partner) -> None:
    partner.configure(JOBRECON_TASK_SOURCE_URL="nonsense://nowhere", JOBRECON_TASK_SOURCE_QUERY="select 1 where :since is null")
    run = partner.stack.run("reconcile")
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("ConfigurationError: JOBRECON_TASK_SOURCE_URL")
    wait_for("its only attempt", lambda: count_attempts(partner, run, "pull") == 1)

"""What changed on LinkedIn in a day, who changed it, and where the report says so."""

import csv
import datetime as dt
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.reports.conftest import ACME, NOW, GatherFacts, History, MakeReport
from tests.reports.test_page import Page

HOUR = dt.timedelta(hours=1)
MEMBERS = "MEMBER_REPORTED: The job was closed."


def add_statement(history: History, hours_ago: float, job: str = "job-1", **values: Any) -> None:
    history.count += 1
    received_at = NOW - hours_ago * HOUR
    row: dict[str, Any] = {
        "notification_id": f"n{history.count}",
        "application_urn": ACME,
        "external_job_posting_id": job,
        "type": "JOB_POSTING_STATUS",
    }
    row |= {"received_at": received_at, "last_received_at": received_at, "arrival": history.count, "deliveries": 1}
    history.rows.append(("notifications", row | values))


CASES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    # statement before, statement after                                 change, cause
    ({"listing_status": "LISTED"}, {"listing_status": "NOT_LISTED"}, "Taken off LinkedIn", "by LinkedIn, which gives no reason"),
    (
        {"listing_status": "LISTED"},
        {"listing_status": "NOT_LISTED", "listing_message": MEMBERS},
        "Taken off LinkedIn",
        "by LinkedIn, after members reported it",
    ),
    ({"listing_status": "NOT_LISTED"}, {"listing_status": "LISTED"}, "Put on LinkedIn", ""),
    (
        {"apply_status": "ENABLED"},
        {"apply_status": "NOT_ENABLED"},
        "LinkedIn Apply off",
        "candidates apply on the customer’s own site",
    ),
    ({"promotion_status": "PROMOTED"}, {"promotion_status": "NOT_PROMOTED"}, "No longer promoted", ""),
]


@pytest.mark.parametrize(("before", "after", "change", "cause"), CASES)
def test_a_change_is_named_with_its_cause(
    history: History, gather: GatherFacts, before: dict[str, Any], after: dict[str, Any], change: str, cause: str
) -> None:
    history.add_job("job-1")
    add_statement(history, 5, **before)
    add_statement(history, 2, **after)
    history.add_run()
    changes = gather().changes
    assert list(zip(changes["change"], changes["cause"], strict=True)) == [(change, cause)]


def test_a_close_of_ones_own_is_no_surprise(history: History, gather: GatherFacts) -> None:
    history.add_job("job-1")
    history.add_task("t1", "job-1", operation="CLOSE", requested_at=NOW - 3 * HOUR)
    add_statement(history, 5, listing_status="LISTED")
    add_statement(history, 2, listing_status="NOT_LISTED")
    history.add_run()
    assert list(gather().changes["cause"]) == ["by your system, which requested CLOSE"]


def test_what_linkedin_says_again_or_said_on_another_day_is_no_change_of_the_day(history: History, report: MakeReport) -> None:
    history.add_job("job-1")
    history.add_job("job-2")
    add_statement(history, 5, listing_status="LISTED")
    add_statement(history, 2, listing_status="LISTED")
    add_statement(history, 50, "job-2", listing_status="LISTED")
    add_statement(history, 40, "job-2", listing_status="NOT_LISTED")
    history.add_run()
    written = report()
    assert written.facts.changes.empty
    assert "What changed on LinkedIn" not in Page((written.folder / "index.html").read_text(encoding="utf-8")).text


def test_page_and_workbook_say_what_changed_to_whom(history: History, report: MakeReport) -> None:
    history.add_job("job-1", title="Nurse")
    history.add_job("job-2", title="Chef", customer="Beta", account_manager="Jo Ng")
    for job in ("job-1", "job-2"):
        add_statement(history, 5, job, listing_status="LISTED")
        add_statement(history, 2, job, listing_status="NOT_LISTED", listing_message=MEMBERS)
    history.add_finding()
    history.add_run()
    folder = report().folder
    page = Page((folder / "dana-fox.html").read_text(encoding="utf-8")).text
    assert "What changed on LinkedIn · 1 change" in page
    assert "Taken off LinkedIn: by LinkedIn, after members reported it" in page
    assert "Chef" not in page
    sheet = load_workbook(folder / "findings.xlsx")["Changes"]
    assert [sheet.cell(row, 4).value for row in (2, 3)] == ["Nurse", "Chef"]
    assert sheet["G2"].value == "by LinkedIn, after members reported it"


def test_remedies_lie_beside_the_report(history: History, report: MakeReport) -> None:
    history.add_job("job-1")
    history.add_task("t1", "job-1", requested_at=NOW - 5 * HOUR)
    history.add_finding(external_job_posting_id="job-1", remedy="UPDATE", location="Berlin")
    history.add_finding(external_job_posting_id="job-2", remedy="WAIT")
    history.add_run()
    with (report().folder / "remedies.csv").open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["external_job_posting_id"], row["remedy"], row["location"], row["finding_id"]) == ("job-1", "UPDATE", "Berlin", "f1")
    assert row["since"] == "2026-11-20T10:00:00+00:00"

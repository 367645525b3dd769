"""The fourteen days behind a report: the trend, the responses, where new findings come from, and the pictures of them."""

import datetime as dt
from typing import Any
from xml.etree import ElementTree

import pytest

from jobrecon.reports.causes import describe_concentration
from jobrecon.reports.charts import draw_settle_times, draw_trend
from tests.reports.conftest import ACME, NOW, TODAY, GatherFacts, History, MakeReport

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def test_the_trend_tells_each_day_as_its_own_report_did(history: History, gather: GatherFacts) -> None:
    history.add_finding(opened_at=NOW - 3 * DAY, resolved_at=NOW - DAY, resolution="RELISTED")
    history.add_finding(opened_at=NOW - 2 * DAY)
    history.add_finding(opened_at=NOW, account_manager="Jo Ng")
    for back in (3, 2, 0):
        history.add_run(NOW - back * DAY)
    facts = gather()
    days = [(day.open_count, day.new_count, day.ended_count, day.has_run) for day in facts.trend[-5:]]
    assert days == [(0, 0, 0, False), (1, 1, 0, True), (2, 1, 0, True), (1, 0, 1, False), (2, 1, 0, True)]
    assert len(facts.trend) == 14
    assert facts.trend[-1].date == TODAY
    assert [day.open_count for day in facts.select_manager("Jo Ng").trend[-2:]] == [0, 1]
    assert gather(TODAY - DAY).trend[-3:] == facts.trend[-4:-1]


def test_answers_are_counted_by_the_time_they_took(history: History, gather: GatherFacts) -> None:
    for number, minutes in enumerate([5, 10, 30, 120, 600, 60 * 24 * 2, 60 * 24 * 5]):
        history.add_job(f"job-{number}")
        history.add_task(
            f"t{number}", f"job-{number}", requested_at=NOW - dt.timedelta(minutes=minutes), status="SUCCEEDED", status_changed_at=NOW
        )
    history.add_task("old", "job-0", requested_at=NOW - 30 * DAY, status="FAILED", status_changed_at=NOW - 20 * DAY)
    history.add_task("pending", "job-1", state="PENDING", requested_at=NOW - HOUR)
    history.add_run()
    settle_time = gather().settle_time
    assert settle_time
    assert settle_time.band_counts == (2, 1, 1, 1, 1, 1)
    assert settle_time.median == dt.timedelta(minutes=120)
    assert settle_time.task_count == 7


def test_charts_are_well_formed_and_say_what_they_show(history: History, gather: GatherFacts) -> None:
    history.add_finding()
    history.add_task("t1", "job-1", requested_at=NOW - HOUR, status="FAILED", status_changed_at=NOW)
    history.add_job("job-1")
    history.add_run()
    facts = gather()
    assert facts.settle_time
    for chart in (draw_trend(facts.trend), draw_settle_times(facts.settle_time)):
        root = ElementTree.fromstring(chart)
        assert root.attrib["role"] == "img"
        assert {child.attrib.get("id") for child in root} >= set(root.attrib["aria-labelledby"].split())
        assert all(float(box.attrib["height"]) >= 0 for box in root.iter("rect"))
        assert "style=" not in chart
    assert "On 13 days there was no run." in draw_trend(facts.trend)


def test_a_chart_of_nothing_is_empty() -> None:
    assert draw_trend([]) == ""


CONCENTRATIONS = [
    # (reason, code, customer) of the new findings                         sentence
    ([("a", "X", "Acme")] * 3, None),
    ([("a", "X", "Acme")] * 8 + [("b", "Y", "Beta")] * 2, "80 % of what is new (8 of 10 jobs): Posting failed, a at Acme."),
    ([("a", "X", "Acme")] * 3 + [("a", "X", "Beta")] * 3 + [("b", "Y", "Acme")] * 2 + [("c", "Z", "Beta")] * 2, "60 % of what is new (6 of 10 jobs): Posting failed, a."),
    ([(str(n), None, "Acme") for n in range(6)] + [(str(n), None, f"C{n}") for n in range(6, 10)], "60 % of what is new (6 of 10 jobs): at Acme."),
    ([(str(n), None, f"C{n}") for n in range(10)], None),
    ([("a", "X", "Acme")] * 14 + [(str(n), None, "Beta") for n in range(13)], "52 % of what is new (14 of 27 jobs): Posting failed, a at Acme."),
    ([(str(n), None, "Acme") for n in range(6)] + [(str(n), None, "Beta") for n in range(6, 10)], None),
    ([(str(n), None, "Acme") for n in range(8)] + [(str(n), None, "Beta") for n in range(8, 10)], "80 % of what is new (8 of 10 jobs): at Acme."),
    ([("a", "X", "Acme")] * 10, "100 % of what is new (10 of 10 jobs): Posting failed, a."),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "sentence"), CONCENTRATIONS)
def test_where_new_findings_come_from_is_told_if_it_is_one_place(
    history: History, gather: GatherFacts, rows: list[tuple[str, str | None, str]], sentence: str | None
) -> None:
    history.add_task("t", "job-0")
    for reason, code, customer in rows:
        application = f"urn:li:developerApplication:{customer}"
        history.add_finding(reason=reason, code=code, customer=customer, application_urn=application, task_urn="t")
    history.add_finding(hours_ago=50, reason="old", customer="Old")
    history.add_run()
    assert describe_concentration(gather().open_findings) == sentence


def test_customers_of_the_same_name_are_kept_apart(history: History, report: MakeReport) -> None:
    for number in range(10):
        history.add_finding(reason=str(number), application_urn=f"urn:li:developerApplication:{number // 8}")
    history.add_run()
    result = report()
    assert describe_concentration(result.facts.open_findings) == "80 % of what is new (8 of 10 jobs): at Acme (0)."
    page = (result.folder / "dana-fox.html").read_text(encoding="utf-8")
    assert '<option value="0">Acme (0)</option><option value="1">Acme (1)</option>' in page


def test_a_page_tells_what_was_not_looked_at_and_what_it_cost(history: History, report: MakeReport) -> None:
    history.add_run(NOW - HOUR, calls_used=10, calls_left=90)
    history.add_run(calls_used=1_500, calls_left=80, tasks_overlooked=3, tasks_left=7)
    page = (report().folder / "index.html").read_text(encoding="utf-8")
    assert "1,510 used on this day, 80 left after the last run" in page
    assert "3 for 24 h or more" in page
    assert "7 due" in page
    assert report().summary["verdict"] == "No issue is known, but not everything was checked."


def test_a_timeline_holds_requests_polls_notifications_and_findings_until_the_end_of_the_day(history: History, report: MakeReport) -> None:
    history.add_job("job-1")
    history.add_task("t1", "job-1", requested_at=NOW - 5 * HOUR, poll_count=3, state="PENDING", last_polled_at=NOW - HOUR)
    history.rows.append(("task_status_changes", {"task_urn": "t1", "status": "IN_PROGRESS", "observed_at": NOW - 4 * HOUR, "run_id": "r"}))
    notification: dict[str, Any] = {
        "notification_id": "n1",
        "application_urn": "urn:li:developerApplication:1001",
        "external_job_posting_id": "job-1",
        "type": "JOB_POSTING_STATUS",
    }
    notification |= {"listing_status": "NOT_LISTED", "listing_message": "Too short", "deliveries": 1, "arrival": 1}
    history.rows.append(("notifications", notification | {"received_at": NOW - 2 * HOUR}))
    history.rows.append(
        ("notifications", notification | {"notification_id": "n2", "received_at": NOW + DAY, "listing_message": "of tomorrow"})
    )
    history.add_finding(external_job_posting_id="job-1", kind="UNLISTED", facet="LISTING")
    history.add_run()
    page = (report().folder / "index.html").read_text(encoding="utf-8")
    for words in (
        "CREATE requested: post the job",
        "LinkedIn reports CREATE IN_PROGRESS: not done yet",
        "CREATE polled 3 times so far; no outcome yet",
        "LinkedIn notifies: the job is not on LinkedIn: “Too short”",
        "Issue found: Not on LinkedIn",
    ):
        assert words in page
    assert "of tomorrow" not in page


def test_a_timeline_holds_checks_and_the_place_of_requests_and_findings(history: History, report: MakeReport) -> None:
    history.add_job("job-1")
    history.add_task("t1", "job-1", requested_at=NOW - 5 * HOUR, location="Berlin", status="FAILED", status_changed_at=NOW - 4 * HOUR)
    check: dict[str, Any] = {"application_urn": ACME, "external_job_posting_id": "job-1", "is_known": True}
    history.rows.append(
        ("posting_checks", check | {"check_id": "c1", "checked_at": NOW - 3 * HOUR, "last_checked_at": NOW, "listing_status": "LISTED"})
    )
    history.rows.append(("posting_checks", check | {"check_id": "c2", "checked_at": NOW - HOUR, "last_checked_at": NOW, "is_known": False}))
    history.add_finding(external_job_posting_id="job-1", task_urn="t1", location="Berlin")
    history.add_run()
    page = (report().folder / "index.html").read_text(encoding="utf-8")
    for words in (
        "CREATE requested, Berlin: post the job",
        "Checked: the job is on LinkedIn",
        "Checked: LinkedIn knows no such job",
        "Issue found: Posting failed, Berlin",
    ):
        assert words in page

"""The sentence that is read first."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from jobrecon.reports.verdict import judge
from tests.reports.conftest import NOW, TODAY, GatherFacts, History

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def verdict(history: History, gather: GatherFacts) -> Callable[..., str]:
    """The verdict on a day with two jobs known and a run at noon."""

    def read(date: dt.date | None = None, state: str = "COMPLETED", **run: Any) -> str:
        history.add_job("job-1")
        history.add_job("other")
        history.add_run(state=state, **run)
        return judge(gather(date)).sentence

    return read


def test_all_clear_is_said_of_a_complete_day_with_nothing_open(verdict: Callable[..., str]) -> None:
    assert verdict() == "All clear: nothing is wrong with any of the 2 jobs."


@pytest.mark.parametrize("state", ["INCOMPLETE", "FAILED"])
def test_all_clear_is_never_said_of_what_was_not_checked(verdict: Callable[..., str], state: str) -> None:
    assert verdict(state=state) == "No issue is known, but not everything was checked."


@pytest.mark.parametrize("left", ["tasks_left", "tasks_overlooked"])
def test_all_clear_is_not_said_while_tasks_are_due_or_overlooked(verdict: Callable[..., str], left: str) -> None:
    assert verdict(**{left: 3}) == "No issue is known, but not everything was checked."


CONTRADICTIONS = [
    # expected listing, listing status      all clear?
    ("LISTED", "LISTED", True),
    ("LISTED", None, True),
    ("LISTED", "IN_PROGRESS", True),
    ("LISTED", "NOT_LISTED", False),
    ("NOT_LISTED", "NOT_LISTED", True),
    ("NOT_LISTED", "LISTED", False),
    ("UNKNOWN", "NOT_LISTED", True),
]


@pytest.mark.parametrize(("expected", "listing", "is_clear"), CONTRADICTIONS)
def test_all_clear_is_not_said_while_linkedin_contradicts_what_was_requested(
    history: History, verdict: Callable[..., str], expected: str, listing: str | None, is_clear: bool
) -> None:
    history.add_job(
        "job-9", expected_listing=expected, expected_since=NOW - 2 * HOUR, listing_status=listing, listing_as_of=listing and NOW - HOUR
    )
    sentence = verdict()
    assert sentence.startswith("All clear") is is_clear
    if not is_clear:
        assert sentence == "No issue is open, but about 1 job LinkedIn last said something else than was requested."


def test_without_a_run_nothing_is_said(gather: GatherFacts) -> None:
    assert judge(gather()).sentence == "Nothing was checked, so nothing can be said."


def test_jobs_for_the_customer_are_yours_and_new_ones_are_counted(history: History, verdict: Callable[..., str]) -> None:
    for hours_ago in (1, 2, 30, 40, 50, 60, 70):
        history.add_finding(hours_ago=hours_ago)
    for number in range(3):
        history.add_finding(external_job_posting_id=f"mended-{number}", resolved_at=NOW, resolution="SUCCEEDED")
    assert verdict() == "7 jobs need you, 2 of them new since yesterday; 3 were fixed."


def test_two_issues_of_a_job_are_one_job(history: History, verdict: Callable[..., str]) -> None:
    history.add_finding(external_job_posting_id="job-1")
    history.add_finding(external_job_posting_id="job-1", kind="UNLISTED", facet="LISTING")
    assert verdict() == "1 job needs you, new since yesterday."


def test_what_waits_for_others_is_no_all_clear(history: History, verdict: Callable[..., str]) -> None:
    history.add_finding(owner="PARTNER")
    history.add_finding(owner="LINKEDIN")
    history.add_finding(owner="LINKEDIN")
    assert verdict() == "No job needs you today; 1 waits for your integration team and 2 for LinkedIn."


def test_issues_of_low_priority_are_no_all_clear(history: History, verdict: Callable[..., str]) -> None:
    history.add_finding(severity="LOW")
    assert verdict() == "No job needs you today; 1 job has an issue of low priority."


def test_a_doubtful_day_says_so_in_the_sentence(history: History, verdict: Callable[..., str]) -> None:
    history.add_finding(hours_ago=40)
    assert verdict(state="INCOMPLETE") == "1 job needs you, not new since yesterday – as far as could be checked."


def test_a_past_day_does_not_speak_of_yesterday(history: History, verdict: Callable[..., str]) -> None:
    history.add_finding(hours_ago=20)
    history.add_run(NOW - 19 * HOUR)
    assert verdict(TODAY - dt.timedelta(days=1)) == "1 job needs you, new on that day."


ENDINGS = [
    # resolution, status of the newest request    fixed?
    ("SUCCEEDED", None, True),
    ("RELISTED", None, True),
    ("SUPERSEDED", None, False),
    ("SUPERSEDED", "IN_PROGRESS", False),
    ("SUPERSEDED", "SUCCEEDED", True),
    ("SUPERSEDED", "FAILED", False),
    ("FAILED", None, False),
    ("EXPIRED", None, False),
    ("something new", None, False),
    (None, None, False),
]


@pytest.mark.parametrize(("resolution", "later_status", "is_fixed"), ENDINGS)
def test_only_what_is_known_to_be_well_counts_as_fixed(
    history: History, verdict: Callable[..., str], resolution: str | None, later_status: str | None, is_fixed: bool
) -> None:
    history.add_finding(task_urn="t1", resolved_at=NOW, resolution=resolution)
    history.add_task("t1", "job-1", requested_at=NOW - 3 * HOUR, status="FAILED", status_changed_at=NOW - 2 * HOUR)
    if later_status:
        history.add_task("t2", "job-1", requested_at=NOW - HOUR, status=later_status, status_changed_at=NOW)
    assert ("; 1 was fixed" in verdict()) is is_fixed


def test_a_job_with_another_issue_left_is_not_fixed(history: History, verdict: Callable[..., str]) -> None:
    history.add_finding(external_job_posting_id="job-1", resolved_at=NOW, resolution="SUCCEEDED")
    history.add_finding(external_job_posting_id="job-1", kind="UNLISTED", facet="LISTING", owner="LINKEDIN")
    assert verdict() == "No job needs you today; 1 waits for LinkedIn."


def test_a_request_that_succeeded_only_later_does_not_count_on_a_past_day(history: History, verdict: Callable[..., str]) -> None:
    yesterday = NOW - 20 * HOUR
    history.add_finding(task_urn="t1", opened_at=yesterday - HOUR, resolved_at=yesterday, resolution="SUPERSEDED")
    history.add_task("t1", "job-1", requested_at=yesterday - 2 * HOUR, status="FAILED", status_changed_at=yesterday - HOUR)
    history.add_task("t2", "job-1", requested_at=yesterday, status="SUCCEEDED", status_changed_at=NOW)
    history.add_run(yesterday)
    assert "fixed" not in verdict(TODAY - dt.timedelta(days=1))

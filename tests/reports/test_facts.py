"""What a day's numbers are, from given rows."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from jobrecon.reports.causes import group_by_cause
from jobrecon.reports.day import find_day
from jobrecon.reports.facts import JobMovement, list_rows
from tests.reports.conftest import NOW, TODAY, UTC, GatherFacts, History, MakeReport

MIDNIGHT = dt.datetime(2026, 11, 20, tzinfo=UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

CASES = [
    # opened, resolved                            before, new, resolved, open now
    (MIDNIGHT - HOUR, None, (1, 0, 0, 1)),
    (MIDNIGHT - HOUR, MIDNIGHT - HOUR / 2, (0, 0, 0, 0)),
    (MIDNIGHT - HOUR, MIDNIGHT, (1, 0, 1, 0)),
    (MIDNIGHT, None, (0, 1, 0, 1)),
    (MIDNIGHT, MIDNIGHT, (0, 1, 1, 0)),
    (MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, (0, 1, 1, 0)),
    (NOW, None, (0, 1, 0, 1)),
    (MIDNIGHT - HOUR, NOW, (1, 0, 1, 0)),
]


@pytest.mark.parametrize(("opened_at", "resolved_at", "expected"), CASES)
def test_each_episode_counts_where_its_times_put_it(
    history: History, gather: GatherFacts, opened_at: dt.datetime, resolved_at: dt.datetime | None, expected: tuple[int, ...]
) -> None:
    history.add_finding(opened_at=opened_at, resolved_at=resolved_at)
    history.add_run()
    movement = gather().roll_forward
    assert (movement.open_before, movement.new, movement.resolved, movement.open_now) == expected


def test_a_past_day_counts_what_was_resolved_later_as_open(history: History, gather: GatherFacts) -> None:
    history.add_finding(opened_at=MIDNIGHT - 5 * HOUR, resolved_at=MIDNIGHT + HOUR, resolution="SUCCEEDED")
    history.add_run(MIDNIGHT - 4 * HOUR)
    history.add_run()
    facts = gather(TODAY - DAY)
    assert facts.as_of == MIDNIGHT - 4 * HOUR
    assert facts.complete
    assert list(facts.open_findings["finding_id"]) == ["f1"]
    assert facts.open_by_age["1-4h"] == 1  # as of the last run of that day
    assert facts.resolved_findings.empty


def test_a_past_day_knows_nothing_of_what_was_opened_later(history: History, gather: GatherFacts) -> None:
    history.add_finding(opened_at=MIDNIGHT)
    history.add_run(MIDNIGHT - HOUR)
    history.add_run()
    assert gather(TODAY - DAY).open_findings.empty


def test_a_since_that_a_later_run_moved_does_not_show_on_a_past_day(history: History, gather: GatherFacts) -> None:
    history.add_finding(kind="UNLISTED", facet="LISTING", opened_at=MIDNIGHT - 2 * HOUR, since=MIDNIGHT + HOUR)
    history.add_run(MIDNIGHT - HOUR)
    history.add_run()
    [finding] = list_rows(gather(TODAY - DAY).open_findings)
    assert finding.since == MIDNIGHT - 2 * HOUR
    assert finding.age == HOUR


def test_the_summary_has_every_field_that_is_promised(history: History, report: MakeReport) -> None:
    history.add_customer("Acme", "Dana Fox")
    history.add_job("job-1")
    history.add_finding(hours_ago=0.5)
    history.add_finding(hours_ago=2, kind="STUCK", severity="MEDIUM", owner="LINKEDIN", account_manager=None)
    history.add_finding(hours_ago=24 * 8, resolved_at=NOW - HOUR, resolution="SUPERSEDED")
    history.add_run()
    assert report().summary == {
        "date": "2026-11-20",
        "verdict": "1 job needs you, new since yesterday; 1 waits for LinkedIn.",
        "as_of": "2026-11-20T12:00:00+00:00",
        "complete": True,
        "incomplete_reasons": [],
        "jobs": 1,
        "roll_forward": {"open_before": 1, "new": 2, "resolved": 1, "open_now": 2},
        "open_by_kind": {"STUCK": 1, "FAILED": 1},
        "open_by_owner": {"CUSTOMER": 1, "PARTNER": 0, "LINKEDIN": 1},
        "open_by_age": {"<1h": 1, "1-4h": 1, "4-24h": 0, "1-3d": 0, "3-7d": 0, ">7d": 0},
        "by_account_manager": {
            "Dana Fox": {"open_before": 1, "new": 1, "resolved": 1, "open_now": 1},
            "(no account manager)": {"open_before": 0, "new": 1, "resolved": 0, "open_now": 1},
        },
    }


AGES = [
    (dt.timedelta(), "<1h"),
    (HOUR, "1-4h"),
    (4 * HOUR, "4-24h"),
    (DAY, "1-3d"),
    (3 * DAY, "3-7d"),
    (7 * DAY - dt.timedelta(seconds=1), "3-7d"),
    (7 * DAY, ">7d"),
    (900 * DAY, ">7d"),
]


def test_an_age_belongs_to_the_band_that_it_begins(history: History, gather: GatherFacts) -> None:
    for age, _ in AGES:
        history.add_finding(opened_at=NOW - age)
    history.add_run()
    bands = {finding.finding_id: finding.age_band for finding in list_rows(gather().open_findings)}
    assert bands == {f"f{number}": band for number, (_, band) in enumerate(AGES, start=1)}


def test_the_worst_and_oldest_findings_come_first(history: History, gather: GatherFacts) -> None:
    for severity, hours_ago in [("LOW", 90), ("HIGH", 1), ("MEDIUM", 5), ("HIGH", 3)]:
        history.add_finding(severity=severity, hours_ago=hours_ago)
    history.add_run()
    assert list(gather().open_findings["finding_id"]) == ["f4", "f2", "f3", "f1"]


def test_a_manager_without_findings_is_listed_with_zeros(history: History, report: MakeReport) -> None:
    history.add_customer("Acme", "Dana Fox")
    history.add_run()
    assert report().summary["by_account_manager"] == {"Dana Fox": {"open_before": 0, "new": 0, "resolved": 0, "open_now": 0}}


def test_a_day_begins_at_the_midnight_of_the_zone(history: History, gather: GatherFacts) -> None:
    history.settings.timezone = "America/New_York"
    history.add_finding(opened_at=dt.datetime(2026, 11, 20, 4, 59, tzinfo=UTC))
    history.add_finding(opened_at=dt.datetime(2026, 11, 20, 5, 0, tzinfo=UTC))
    history.add_run()
    facts = gather()
    assert (facts.roll_forward.open_before, facts.roll_forward.new) == (1, 1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe"])
def test_neighbouring_days_meet_where_the_clocks_change(zone: str) -> None:
    days = [find_day(dt.date(2011, 1, 1) + number * DAY, ZoneInfo(zone)) for number in range(800)]
    assert all(day.end == following.start for day, following in pairwise(days))
    # Samoa left out 30 December 2011 altogether: that day is empty.
    assert all(day.start < day.end or (zone == "Pacific/Apia" and day.date == dt.date(2011, 12, 30)) for day in days)


def test_jobs_with_something_wrong_are_each_counted_once_and_add_up(history: History, gather: GatherFacts) -> None:
    history.add_finding(external_job_posting_id="two", owner="LINKEDIN", hours_ago=40)
    history.add_finding(external_job_posting_id="two", owner="CUSTOMER")
    history.add_finding(external_job_posting_id="low", severity="LOW")
    history.add_finding(external_job_posting_id="gone", hours_ago=40, resolved_at=NOW - HOUR, resolution="SUCCEEDED")
    history.add_finding(external_job_posting_id="short", resolved_at=NOW - HOUR, resolution="SUCCEEDED")
    history.add_run()
    facts = gather()
    assert facts.job_movement == JobMovement(before=2, more=2, ended=2, now=2)
    assert list(facts.jobs_by_queue.values()) == [1, 0, 0, 1]
    assert facts.job_movements == {"Dana Fox": facts.job_movement}


def test_jobs_of_one_id_at_two_customers_are_two_jobs_also_where_one_of_them_is_fixed(history: History, gather: GatherFacts) -> None:
    beta = "urn:li:developerApplication:1002"
    history.add_finding(external_job_posting_id="job-7", hours_ago=40)
    history.add_finding(external_job_posting_id="job-7", hours_ago=40, application_urn=beta)
    history.add_finding(external_job_posting_id="job-8", hours_ago=40)
    history.add_finding(external_job_posting_id="job-8", hours_ago=40, application_urn=beta, resolved_at=NOW, resolution="SUCCEEDED")
    history.add_run()
    facts = gather()
    assert facts.job_movement == JobMovement(before=4, more=0, ended=1, now=3)
    assert len(facts.fixed_findings) == 1


def test_new_today_is_what_is_new_among_what_the_account_manager_does(history: History, gather: GatherFacts) -> None:
    history.add_finding(external_job_posting_id="old", hours_ago=40)
    history.add_finding(external_job_posting_id="new")
    history.add_finding(external_job_posting_id="new", facet="LISTING")
    history.add_finding(external_job_posting_id="other", owner="LINKEDIN")
    history.add_run()
    assert gather().new_jobs_today == 1


def test_a_text_or_a_code_that_one_finding_lacks_is_not_that_of_all(history: History, gather: GatherFacts) -> None:
    history.add_finding(message="The location is unknown.", code="A")
    history.add_finding(message=None, code=None)
    history.add_finding(reason="Another.", message="Its own.", code="B")
    history.add_run()
    several, one = sorted(group_by_cause(gather().open_findings), key=lambda cause: -cause.job_count)
    assert (several.job_count, several.shared_message, several.shared_code) == (2, None, None)
    assert (one.job_count, one.shared_message, one.shared_code) == (1, "Its own.", "B")

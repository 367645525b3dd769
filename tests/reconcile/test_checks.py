"""Checks: what is suspicious is checked before it becomes a finding, the rest once a day, within the budget."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse

from jobrecon.reconcile.allowance import count_allowed_calls
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.webhook.server import serve_in_thread
from tests.findings.rows import ACME, BETA, JOB, NOW, TICK, Row, ago, given, kinds, notification, read, read_open, task
from tests.reconcile.fake_postings import FakePostings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Partner:
    """A partner's installation, and the LinkedIn it checks its jobs at."""

    settings: Settings
    linkedin: FakePostings

    def given(self, tasks: Sequence[Row] = (), notifications: Sequence[Row] = ()) -> None:
        with open_warehouse(self.settings) as warehouse:
            given(warehouse, tasks, notifications)

    def run(self, as_of: datetime = NOW, **settings: Any) -> RunSummary:
        """A run without polling."""
        with open_reconciliation(self.settings.model_copy(update=settings), as_of, clock=lambda: as_of) as run:
            run.pull()
            run.ingest_notifications()
            asyncio.run(run.check())
            run.update_findings()
            run.publish()
        return run.summary

    def read(self, query: str) -> list[Row]:
        with open_warehouse(self.settings) as warehouse:
            return read(warehouse, query)

    def list_open(self) -> list[Row]:
        with open_warehouse(self.settings) as warehouse:
            return read_open(warehouse)


@pytest.fixture
def partner(settings: Settings) -> Iterator[Partner]:
    linkedin = FakePostings()
    with serve_in_thread(linkedin) as url:
        yield Partner(settings.model_copy(update={"api_url": url, "token_url": f"{url}/oauth/v2/accessToken"}), linkedin)


def listed(made_at: datetime | None = None, **values: Any) -> Row:
    return notification(made_at, listing_status="LISTED", last_received_at=made_at or ago(hours=1)) | values


def not_listed(made_at: datetime | None = None, **values: Any) -> Row:
    return notification(made_at, listing_status="NOT_LISTED", last_received_at=made_at or ago(hours=1)) | values


# Each would become the finding, were there no check: tasks, notifications, the record that contradicts, the one that confirms.
IN_REVIEW = {"listingStatus": "IN_PROGRESS"}
SUSPICIONS: dict[str, tuple[list[Row], list[Row], dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    "a stale webhook says that the job is not listed": (
        [task()],
        [not_listed()],
        {"listingStatus": "LISTED"},
        {"listingStatus": "NOT_LISTED"},
        ("UNLISTED", "LISTING"),
    ),
    "a stale webhook says that the closed job is listed": (
        [task(requested_at=ago(days=3)), task("CLOSE", requested_at=ago(hours=5))],
        [listed(ago(hours=2))],
        {"listingStatus": "NOT_LISTED"},
        {"listingStatus": "LISTED"},
        ("STILL_LISTED", "LISTING"),
    ),
    "the webhook is silent about the job": (
        [task()],
        [listed(external_job_posting_id="another")],
        {"listingStatus": "LISTED"},
        {"listingStatus": None},
        ("UNCONFIRMED", "LISTING"),
    ),
    "the webhook does not say that LinkedIn Apply is on again": (
        [task()],
        [listed(), notification(ago(hours=2), apply_status="ENABLED"), notification(apply_status="NOT_ENABLED")],
        {"linkedInApplyStatus": "ENABLED"},
        {"linkedInApplyStatus": "NOT_ENABLED"},
        ("APPLY_DISABLED", "APPLY"),
    ),
    "the webhook does not say that the job is promoted again": (
        [task()],
        [listed(), notification(ago(hours=2), promotion_status="PROMOTED"), notification(promotion_status="NOT_PROMOTED")],
        {"promotionStatus": "PROMOTED"},
        {"promotionStatus": "NOT_PROMOTED"},
        ("PROMOTION_LOST", "PROMOTION"),
    ),
    "the webhook does not say that the review has ended": (
        [task(requested_at=ago(days=3))],
        [notification(ago(hours=25), listing_status="IN_PROGRESS", last_received_at=ago(hours=25))],
        {"listingStatus": "LISTED"},
        {"listingStatus": "IN_PROGRESS"},
        ("STUCK", "LISTING"),
    ),
    "the webhook does not say that the job was renewed": (
        [task()],
        [listed(expire_at=NOW + DAY)],
        {"expireAt": int((NOW + 30 * DAY).timestamp() * 1000)},
        {"expireAt": int((NOW + DAY).timestamp() * 1000)},
        ("EXPIRING", "LISTING"),
    ),
}


@pytest.mark.parametrize("case", SUSPICIONS)
def test_a_suspicion_that_a_check_contradicts_never_becomes_a_finding(partner: Partner, case: str) -> None:
    tasks, notifications, contradiction, _, found = SUSPICIONS[case]
    partner.given(tasks, notifications)
    partner.linkedin.say(JOB, **contradiction)
    summary = partner.run()
    assert (summary.state, summary.jobs_checked, summary.checks_used) == ("COMPLETED", 1, 1)
    assert found not in kinds(partner.list_open())
    assert partner.linkedin.checked == [JOB]
    assert partner.run(NOW + TICK).checks_used == 0, "once is enough"
    assert partner.read("select count(*) as n from findings where kind != 'UNKNOWN_JOB'") == [{"n": 0}]


@pytest.mark.parametrize("case", SUSPICIONS)
def test_a_suspicion_that_a_check_confirms_becomes_a_finding_in_the_same_run(partner: Partner, case: str) -> None:
    tasks, notifications, _, confirmation, found = SUSPICIONS[case]
    partner.given(tasks, notifications)
    partner.linkedin.say(JOB, **confirmation)
    assert partner.run().jobs_checked == 1
    assert found in kinds(partner.list_open())


def test_a_silent_webhook_and_a_job_taken_down_end_in_a_finding_that_rests_on_the_check(partner: Partner) -> None:
    partner.given([task()], [listed(external_job_posting_id="another")])
    partner.linkedin.say(JOB, listingStatus="NOT_LISTED", listingStatusDetail={"errorType": "CUSTOMER_ERROR", "statusMessage": "Spam"})
    partner.run()
    (finding,) = [row for row in partner.list_open() if row["external_job_posting_id"] == JOB]
    assert (finding["kind"], finding["evidence"], finding["message"]) == ("UNLISTED", "CHECK", "Spam")


def test_an_expired_task_leads_to_one_check(partner: Partner) -> None:
    partner.given([task(status=None, requested_at=NOW - timedelta(days=29, hours=23))])
    assert partner.run(NOW).checks_used == 0
    partner.run(NOW + 2 * HOUR)
    assert partner.linkedin.checked == [JOB]
    partner.run(NOW + 4 * HOUR)
    assert partner.linkedin.checked == [JOB]


def test_a_job_with_a_finding_open_is_checked_once_an_hour(partner: Partner) -> None:
    partner.given([task()], [not_listed()])
    partner.linkedin.say(JOB, listingStatus="NOT_LISTED")
    for later, count in ((timedelta(), 1), (HOUR - TICK, 1), (HOUR, 2), (HOUR + TICK, 2)):
        partner.run(NOW + later)
        assert len(partner.linkedin.checked) == count
    partner.linkedin.say(JOB)
    partner.run(NOW + 2 * HOUR)
    assert partner.list_open() == []


def jobs(count: int, since: datetime, **values: Any) -> list[Row]:
    """Jobs that should be listed, each a second older than the one before, and confirmed."""
    return [
        task(requested_at=since - number * timedelta(seconds=1), task_urn=f"task-{number}", external_job_posting_id=f"job-{number}")
        | values
        for number in range(count)
    ]


def test_a_listed_job_is_first_checked_a_day_after_its_request_and_then_once_a_day(partner: Partner) -> None:
    partner.given(jobs(1, ago(hours=24) + TICK), [listed(external_job_posting_id="job-0")])
    partner.linkedin.say("job-0")
    for later, count in ((timedelta(), 0), (TICK, 1), (DAY, 1), (DAY + TICK, 2)):
        partner.run(NOW + later)
        assert len(partner.linkedin.checked) == count
    assert partner.run(NOW + 2 * DAY, check_every=172_800).checks_used == 0


def test_the_daily_check_is_spread_over_the_day_the_longest_unchecked_first(partner: Partner) -> None:
    rows = jobs(288, ago(days=2))
    partner.given(rows, [listed(external_job_posting_id=row["external_job_posting_id"]) for row in rows])
    for row in rows:
        partner.linkedin.say(row["external_job_posting_id"])
    partner.run()
    # Two of 288 fall to the ten minutes of a tick.
    assert partner.linkedin.checked == ["job-287", "job-286"]
    partner.run(NOW + timedelta(minutes=10))
    assert partner.linkedin.checked[2:] == ["job-285", "job-284"]
    partner.run(NOW + HOUR)
    assert len(partner.linkedin.checked) == 4 + 10
    partner.run(NOW + DAY + HOUR)
    assert sorted(set(partner.linkedin.checked)) == sorted(row["external_job_posting_id"] for row in rows)
    assert max(map(len, partner.linkedin.requests)) == 100


def test_suspicions_are_checked_before_open_findings_and_these_before_the_daily_check(partner: Partner) -> None:
    rows = jobs(3, ago(days=2))
    partner.given(
        rows, [listed(external_job_posting_id=f"job-{number}") for number in (1, 2)] + [not_listed(external_job_posting_id="job-0")]
    )
    partner.linkedin.say("job-0", listingStatus="NOT_LISTED")
    partner.run(check_every=10 * 86_400)
    assert partner.linkedin.checked == ["job-0"]
    partner.given([], [not_listed(NOW + HOUR, external_job_posting_id="job-1")])
    partner.linkedin.say("job-1")
    partner.linkedin.say("job-2")
    partner.run(NOW + 2 * HOUR)
    assert partner.linkedin.checked[1:] == ["job-1", "job-0", "job-2"]


def test_equal_responses_in_a_row_are_one_check_and_an_unknown_job_is_not_listed(partner: Partner) -> None:
    partner.given([task()], [not_listed()])
    for hours, status in enumerate(("NOT_LISTED", "NOT_LISTED", None, "NOT_LISTED")):
        partner.linkedin.jobs.clear()
        if status:
            partner.linkedin.say(JOB, listingStatus=status, jobPostingInfo={"location": "Oslo"})
        partner.run(NOW + hours * HOUR)
    rows = partner.read("select checked_at, last_checked_at, is_known, listing_status, location from posting_checks order by checked_at")
    assert [tuple(row.values()) for row in rows] == [
        (NOW, NOW + HOUR, True, "NOT_LISTED", "Oslo"),
        (NOW + 2 * HOUR, NOW + 2 * HOUR, False, None, None),
        (NOW + 3 * HOUR, NOW + 3 * HOUR, True, "NOT_LISTED", "Oslo"),
    ]
    assert partner.read("select count(distinct check_id) as n from posting_checks") == [{"n": 3}]


def test_a_job_that_a_response_does_not_mention_stays_as_it_was(partner: Partner) -> None:
    partner.given([task()], [not_listed()])
    partner.linkedin.silent.add(JOB)
    summary = partner.run()
    assert (summary.checks_used, summary.jobs_checked, summary.state) == (1, 0, "COMPLETED")
    assert kinds(partner.list_open()) == [("UNLISTED", "LISTING")]


@pytest.mark.parametrize("status", [403, 404])
def test_without_access_checks_rest_a_day_the_run_says_so_and_is_complete(partner: Partner, status: int) -> None:
    partner.given([task()], [not_listed()])
    partner.linkedin.error = JSONResponse({"message": "Not enough permissions", "status": status}, status)
    summary = partner.run()
    assert (summary.state, summary.checks_used) == ("COMPLETED", 1)
    assert kinds(partner.list_open()) == [("UNLISTED", "LISTING")]
    (note,) = summary.notes
    assert ACME in note
    assert "not checked until" in note
    again = partner.run(NOW + DAY - TICK)
    assert (again.state, again.checks_used) == ("COMPLETED", 0)
    assert "not checked until" in again.notes[0]
    partner.linkedin.error = None
    partner.linkedin.say(JOB)
    assert partner.run(NOW + DAY + TICK).jobs_checked == 1
    assert partner.list_open() == []


def test_where_checks_fail_findings_open_on_the_evidence_there_is(partner: Partner) -> None:
    partner.given([task()], [not_listed()])
    partner.linkedin.error = JSONResponse({"message": "no"}, 400)
    summary = partner.run()
    assert summary.state == "COMPLETED"
    assert "Not all jobs of" in summary.notes[0]
    assert [(row["kind"], row["evidence"]) for row in partner.list_open()] == [("UNLISTED", "NOTIFICATION")]


def test_switched_off_no_call_is_made(partner: Partner) -> None:
    partner.given([task()], [not_listed()])
    assert partner.run(checks=False).notes == []
    assert partner.linkedin.requests == []
    assert kinds(partner.list_open()) == [("UNLISTED", "LISTING")]


def test_checks_stay_within_the_ticks_allowance_and_the_days_limit(partner: Partner) -> None:
    rows = jobs(1000, ago(days=2))
    partner.given(rows, [not_listed(external_job_posting_id=row["external_job_posting_id"]) for row in rows])
    limit = 300
    allowance = count_allowed_calls(limit, limit, NOW, partner.settings.tick_seconds, partner.settings.call_reserve)
    summary = partner.run(check_limit=limit)
    assert (summary.checks_used, summary.checks_left) == (allowance, 2 * limit - allowance)
    assert len(partner.linkedin.requests) == allowance < 10
    spent = partner.run(NOW + TICK, check_limit=allowance)
    assert spent.checks_used == 0
    assert "used up its calls to jobPostingStatus" in spent.notes[0]
    assert spent.state == "COMPLETED"


def test_each_application_is_checked_with_its_own_calls(partner: Partner) -> None:
    partner.given([task(), task(application_urn=BETA, task_urn="beta")], [not_listed(), not_listed(application_urn=BETA)])
    partner.linkedin.say(JOB)
    assert partner.run().checks_used == 2
    rows = partner.read("select application_urn, resource, calls_used from call_budget where resource = 'jobPostingStatus' order by all")
    assert [tuple(row.values()) for row in rows] == [(ACME, "jobPostingStatus", 1), (BETA, "jobPostingStatus", 1)]


def test_of_a_retired_application_nothing_is_polled_checked_or_expected(partner: Partner) -> None:
    pending = task(status=None, requested_at=ago(hours=5), task_urn="pending", external_job_posting_id="another")
    partner.given([task(), pending], [not_listed()])
    partner.linkedin.say(JOB, listingStatus="NOT_LISTED")
    partner.run()
    assert kinds(partner.list_open()) == [("STUCK", "TASK"), ("UNLISTED", "LISTING")]
    applications = partner.settings.applications
    text = applications.read_text(encoding="utf-8")
    applications.write_text(text.replace('customer = "Acme"', 'customer = "Acme"\nretired = true'), encoding="utf-8")
    with open_reconciliation(partner.settings, NOW + DAY, clock=lambda: NOW + DAY) as run:
        run.pull()
        result = asyncio.run(run.poll())
        asyncio.run(run.check())
        run.update_findings()
        run.publish()
    assert (run.summary.state, result.tasks_due, run.summary.checks_used) == ("COMPLETED", 0, 0)
    assert partner.list_open() == []
    assert partner.read("select distinct resolution from findings") == [{"resolution": "RETIRED"}]


def test_one_job_alone_can_be_checked(partner: Partner) -> None:
    rows = jobs(3, ago(hours=2))
    partner.given(rows)
    with open_reconciliation(partner.settings, NOW, clock=lambda: NOW) as run:
        asyncio.run(run.check("job-1"))
    assert partner.linkedin.checked == ["job-1"]

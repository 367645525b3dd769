"""What can be wrong between what a job should be and what LinkedIn says it is, at the boundaries."""

from datetime import timedelta
from typing import Any

import pytest

from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, BETA, NOW, TICK, Row, ago, find, find_each, given, kinds, notification, number, read_open, task

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SINCE = ago(days=3)
"""When what the job should be was last requested."""

CREATED = task("CREATE", "SUCCEEDED", SINCE)
CLOSED = task("CLOSE", "SUCCEEDED", SINCE)
BEFORE = task("CREATE", "SUCCEEDED", ago(days=9))
LISTED, NOT_LISTED, IN_PROGRESS = ({"listing_status": status} for status in ("LISTED", "NOT_LISTED", "IN_PROGRESS"))
OFF_BY_CODE = {"apply_status": "NOT_ENABLED", "apply_error_code": 1154}
OFF_BY_TYPE = {"apply_status": "NOT_ENABLED", "apply_error_type": "PARTNER_ERROR"}
ENABLING = {"apply_status": "IN_PROGRESS"}

UNLISTED = ("UNLISTED", "LISTING", "HIGH")
STILL_LISTED = ("STILL_LISTED", "LISTING", "HIGH")
STUCK_LISTING = ("STUCK", "LISTING", "MEDIUM")
STUCK_APPLY = ("STUCK", "APPLY", "MEDIUM")
APPLY_DISABLED = ("APPLY_DISABLED", "APPLY", "MEDIUM")
UNCONFIRMED = ("UNCONFIRMED", "LISTING", "LOW")
UNKNOWN_JOB = ("UNKNOWN_JOB", "LISTING", "LOW")
NOT_MIGRATED = ("NOT_MIGRATED", "LISTING", "LOW")

CASES = [
    # A job that should be listed and is not: received after what was requested, not at the same moment.
    ([CREATED, notification(SINCE - TICK, **NOT_LISTED), notification(ago(days=1), **LISTED)], []),
    ([CREATED, notification(SINCE, **NOT_LISTED)], []),
    ([CREATED, notification(SINCE + TICK, **NOT_LISTED)], [(*UNLISTED, SINCE + TICK)]),
    ([CREATED, notification(NOW, **NOT_LISTED)], [(*UNLISTED, NOW)]),
    ([CREATED, notification(NOW + TICK, **NOT_LISTED), notification(ago(days=1), **LISTED)], []),
    ([CREATED, notification(ago(days=1), **LISTED)], []),
    ([CREATED, notification(ago(days=1), **LISTED), notification(ago(hours=2), **NOT_LISTED)], [(*UNLISTED, ago(hours=2))]),
    ([CREATED, notification(ago(days=1), **NOT_LISTED), notification(ago(hours=2), **LISTED)], []),
    ([CREATED, notification(ago(days=1), **NOT_LISTED), notification(ago(hours=2), **IN_PROGRESS)], []),
    ([CREATED, notification(ago(days=1), **NOT_LISTED), notification(ago(hours=2), apply_status="ENABLED")], [(*UNLISTED, ago(days=1))]),
    ([CREATED, notification(ago(days=1), listing_status="SOMETHING_NEW")], []),
    ([BEFORE, task("UPDATE", "SUCCEEDED", SINCE), notification(SINCE - HOUR, **NOT_LISTED), notification(ago(days=1), **LISTED)], []),
    ([BEFORE, task("UPDATE", "FAILED", SINCE, status_changed_at=SINCE), notification(SINCE - HOUR, **NOT_LISTED)],
     [("FAILED", "TASK", "MEDIUM", SINCE), (*UNLISTED, SINCE - HOUR)]),
    ([task("CREATE", "FAILED", SINCE, status_changed_at=SINCE), notification(ago(days=1), **NOT_LISTED)], [("FAILED", "TASK", "HIGH", SINCE)]),
    ([task("CREATE", "PROCESSED", SINCE), notification(ago(days=1), **NOT_LISTED)], [(*NOT_MIGRATED, SINCE)]),
    ([task("CREATE", None, ago(minutes=9)), notification(ago(minutes=5), **NOT_LISTED)], []),
    ([BEFORE, CLOSED, notification(ago(days=1), **NOT_LISTED)], []),
    # A job that was closed and is listed more than an hour later.
    ([BEFORE, CLOSED, notification(SINCE + HOUR - TICK, **LISTED)], []),
    ([BEFORE, CLOSED, notification(SINCE + HOUR, **LISTED)], []),
    ([BEFORE, CLOSED, notification(SINCE + HOUR + TICK, **LISTED)], [(*STILL_LISTED, SINCE + HOUR + TICK)]),
    ([CLOSED, notification(ago(days=1), **LISTED)], [(*STILL_LISTED, ago(days=1))]),
    ([BEFORE, CLOSED, notification(ago(days=1), **LISTED), notification(ago(hours=3), **NOT_LISTED)], []),
    ([BEFORE, CLOSED, notification(ago(days=1), **IN_PROGRESS)], []),
    ([BEFORE, CLOSED, notification(NOW + TICK, **LISTED)], []),
    ([task("CREATE", "FAILED", SINCE, status_changed_at=SINCE), notification(ago(days=1), **LISTED)], [("FAILED", "TASK", "HIGH", SINCE)]),
    ([task("CREATE", "PROCESSED", SINCE), notification(ago(days=1), **LISTED)], []),
    ([task("CREATE", "PROCESSED", ago(days=9)), CLOSED, notification(ago(days=1), **LISTED)], [(*STILL_LISTED, ago(days=1))]),
    ([task("UPGRADE", "SUCCEEDED", SINCE), notification(ago(days=1), **LISTED)], []),
    ([BEFORE, task("CLOSE", "FAILED", SINCE, status_changed_at=SINCE), notification(ago(days=1), **LISTED)], [("FAILED", "TASK", "HIGH", SINCE)]),
    ([BEFORE, task("CLOSE", "SUCCEEDED", ago(days=5)), task("CREATE", "SUCCEEDED", SINCE), notification(ago(days=1), **LISTED)], []),
    # A facet in progress for a day or longer, from the first of them in a row.
    ([CREATED, notification(NOW - DAY + TICK, **IN_PROGRESS)], []),
    ([CREATED, notification(NOW - DAY, **IN_PROGRESS)], [(*STUCK_LISTING, NOW - DAY)]),
    ([CREATED, notification(NOW - DAY - TICK, **IN_PROGRESS)], [(*STUCK_LISTING, NOW - DAY - TICK)]),
    ([CREATED, notification(NOW - DAY + TICK, **LISTED, **ENABLING)], []),
    ([CREATED, notification(NOW - DAY, **LISTED, **ENABLING)], [(*STUCK_APPLY, NOW - DAY)]),
    ([CREATED, notification(ago(days=2), **IN_PROGRESS, **ENABLING)], [(*STUCK_APPLY, ago(days=2)), (*STUCK_LISTING, ago(days=2))]),
    ([CREATED, notification(ago(days=2), **LISTED, promotion_status="IN_PROGRESS")], []),
    ([CREATED, notification(ago(days=2), **IN_PROGRESS), notification(ago(hours=2), **IN_PROGRESS)], [(*STUCK_LISTING, ago(days=2))]),
    ([CREATED, notification(ago(days=2), **IN_PROGRESS), notification(ago(hours=5), **LISTED), notification(ago(hours=2), **IN_PROGRESS)], []),
    ([CREATED, notification(ago(hours=70), **IN_PROGRESS), notification(ago(hours=60), **LISTED), notification(ago(hours=50), **IN_PROGRESS),
      notification(ago(hours=40), **IN_PROGRESS), notification(ago(hours=30), apply_status="ENABLED"), notification(ago(hours=20), **IN_PROGRESS)],
     [(*STUCK_LISTING, ago(hours=50))]),
    ([CREATED, notification(ago(days=2), **IN_PROGRESS), notification(ago(hours=5), listing_status="SOMETHING_NEW"), notification(ago(hours=2), **IN_PROGRESS)], []),
    ([CREATED, notification(SINCE - DAY, **IN_PROGRESS)], [(*STUCK_LISTING, SINCE - DAY), (*UNCONFIRMED, SINCE + DAY)]),
    ([CREATED, notification(ago(days=2), **IN_PROGRESS), notification(ago(hours=2), **LISTED)], []),
    ([BEFORE, CLOSED, notification(ago(days=2), **IN_PROGRESS, **ENABLING)], []),
    ([task("CREATE", "PROCESSED", SINCE), notification(ago(days=2), **IN_PROGRESS, **ENABLING)], [(*NOT_MIGRATED, SINCE)]),
    ([task("CREATE", "FAILED", SINCE, status_changed_at=SINCE), notification(ago(days=2), **IN_PROGRESS)], [("FAILED", "TASK", "HIGH", SINCE)]),
    # LinkedIn Apply lost by an error, stated after what was requested.
    ([CREATED, notification(ago(days=1), **LISTED), notification(SINCE - TICK, **OFF_BY_CODE)], []),
    ([CREATED, notification(ago(days=1), **LISTED), notification(SINCE, **OFF_BY_CODE)], []),
    ([CREATED, notification(ago(days=1), **LISTED), notification(SINCE + TICK, **OFF_BY_CODE)], [(*APPLY_DISABLED, SINCE + TICK)]),
    ([CREATED, notification(ago(days=1), **LISTED, **OFF_BY_TYPE)], [(*APPLY_DISABLED, ago(days=1))]),
    ([CREATED, notification(ago(days=1), **LISTED, apply_status="NOT_ENABLED", apply_error_code=0)], [(*APPLY_DISABLED, ago(days=1))]),
    ([CREATED, notification(ago(days=1), **LISTED, apply_status="NOT_ENABLED")], []),
    ([CREATED, notification(ago(days=1), **LISTED, apply_status="NOT_ENABLED", apply_message="BLOCKED_WEBHOOK: gone")], [(*APPLY_DISABLED, ago(days=1))]),
    ([CREATED, notification(ago(days=1), **LISTED, apply_status="ENABLED", apply_error_code=1154)], []),
    ([CREATED, notification(ago(days=1), **LISTED, **OFF_BY_CODE), notification(ago(hours=2), apply_status="ENABLED")], []),
    ([CREATED, notification(ago(days=1), **LISTED, **OFF_BY_CODE), notification(ago(hours=2), **LISTED)], [(*APPLY_DISABLED, ago(days=1))]),
    ([CREATED, notification(ago(days=1), **LISTED), notification(NOW + TICK, **OFF_BY_CODE)], []),
    ([BEFORE, CLOSED, notification(ago(days=1), **NOT_LISTED, **OFF_BY_CODE)], []),
    ([task("CREATE", "PROCESSED", SINCE), notification(ago(days=1), **OFF_BY_CODE)], [(*NOT_MIGRATED, SINCE)]),
    ([CREATED, notification(ago(days=1), **NOT_LISTED, **OFF_BY_CODE)], [(*APPLY_DISABLED, ago(days=1)), (*UNLISTED, ago(days=1))]),
    # A job nobody confirms, of an application that gets notifications about others.
    ([task("CREATE", "SUCCEEDED", NOW - DAY + TICK), notification(ago(days=8), apply_status="ENABLED")], []),
    ([task("CREATE", "SUCCEEDED", NOW - DAY), notification(ago(days=8), apply_status="ENABLED")], [(*UNCONFIRMED, NOW)]),
    ([task("CREATE", "SUCCEEDED", NOW - DAY - TICK), notification(ago(days=8), apply_status="ENABLED")], [(*UNCONFIRMED, NOW - TICK)]),
    ([CREATED], []),
    ([CREATED, notification(NOW, type="RESYNC_JOBS", external_job_posting_id=None)], [(*UNCONFIRMED, SINCE + DAY)]),
    ([CREATED, notification(NOW + TICK, type="RESYNC_JOBS", external_job_posting_id=None)], []),
    ([CREATED, notification(NOW, application_urn=BETA, external_job_posting_id=None)], []),
    ([CREATED, notification(SINCE - TICK, **LISTED)], [(*UNCONFIRMED, SINCE + DAY)]),
    ([CREATED, notification(SINCE, **LISTED)], []),
    ([CREATED, notification(SINCE, **IN_PROGRESS), notification(ago(hours=2), **LISTED)], []),
    ([CREATED, notification(NOW, **LISTED)], []),
    ([CREATED, notification(SINCE - HOUR, **LISTED), notification(NOW + TICK, **LISTED)], [(*UNCONFIRMED, SINCE + DAY)]),
    ([CREATED, notification(ago(hours=2), apply_status="ENABLED")], [(*UNCONFIRMED, SINCE + DAY)]),
    ([BEFORE, notification(ago(days=8), **LISTED), task("UPDATE", "SUCCEEDED", SINCE)], [(*UNCONFIRMED, SINCE + DAY)]),
    ([BEFORE, notification(ago(days=8), **LISTED), task("UPDATE", "SUCCEEDED", ago(hours=23))], []),
    ([BEFORE, CLOSED, notification(ago(days=8), **LISTED)], []),
    ([task("CREATE", "PROCESSED", SINCE), notification(ago(days=8), apply_status="ENABLED")], [(*NOT_MIGRATED, SINCE)]),
    # A job that was never imported.
    ([notification(ago(days=2), **LISTED), notification(ago(days=5), **NOT_LISTED), notification(ago(days=1), **LISTED)], [(*UNKNOWN_JOB, ago(days=5))]),
    ([notification(ago(days=2))], [(*UNKNOWN_JOB, ago(days=2))]),
    ([notification(NOW, **LISTED)], [(*UNKNOWN_JOB, NOW)]),
    ([notification(NOW + TICK, **LISTED)], []),
    ([notification(ago(days=2), **IN_PROGRESS, **OFF_BY_CODE)], [(*UNKNOWN_JOB, ago(days=2))]),
    ([notification(ago(days=2), type="RESYNC_JOBS", external_job_posting_id=None)], []),
    ([task("UPGRADE", None, ago(minutes=5)), notification(ago(days=2), **LISTED)], []),
    ([task("CREATE", None, NOW + TICK), notification(ago(days=2), **LISTED)], [(*UNKNOWN_JOB, ago(days=2))]),
    ([task("CREATE", "SUCCEEDED", ago(minutes=9), application_urn=BETA), notification(ago(days=2), **LISTED)], [(*UNKNOWN_JOB, ago(days=2))]),
    ([task("CREATE", "SUCCEEDED", ago(minutes=9), external_job_posting_id="Job-1"), notification(ago(days=2), **LISTED)],
     [(*UNKNOWN_JOB, ago(days=2))]),
    ([task("CREATE", None, ago(days=40), state="EXPIRED"), notification(ago(days=2), **LISTED)], [("EXPIRED", "TASK", "LOW", ago(days=10))]),
    ([task("CREATE", None, ago(days=40), state="EXPIRED"), notification(ago(days=2), **NOT_LISTED)], [("EXPIRED", "TASK", "HIGH", ago(days=10))]),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(opened: Warehouse) -> list[list[Row]]:
    return find_each(opened, [rows for rows, _ in CASES])


@pytest.mark.parametrize(("case", "expected"), number(CASES))
def test_what_linkedin_says_is_held_against_what_was_requested(found: list[list[Row]], case: int, expected: list[Any]) -> None:
    assert sorted((one["kind"], one["facet"], one["severity"], one["since"]) for one in found[case]) == sorted(expected)
    assert all(one["task_urn"] is None and one["location"] is None for one in found[case] if one["facet"] != "TASK")


def test_the_setting_moves_the_moment_a_job_counts_as_unconfirmed(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [task("CREATE", "SUCCEEDED", ago(hours=2))],
        [notification(ago(days=1), external_job_posting_id=None, type="RESYNC_JOBS")],
    )
    find(warehouse, unconfirmed_after=7201)
    assert read_open(warehouse) == []
    find(warehouse, unconfirmed_after=7200)
    assert [(one["kind"], one["since"]) for one in read_open(warehouse)] == [("UNCONFIRMED", NOW)]


def test_another_jobs_notifications_say_nothing_of_this_one(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [CREATED, CREATED | {"task_urn": "b", "application_urn": BETA}, CREATED | {"task_urn": "c", "external_job_posting_id": "job-2"}],
        [
            notification(ago(days=1), **LISTED),
            notification(ago(days=1), **NOT_LISTED, application_urn=BETA),
            notification(ago(days=1), **LISTED, **OFF_BY_CODE, external_job_posting_id="job-2"),
        ],
    )
    find(warehouse)
    assert kinds(read_open(warehouse, application_urn=BETA)) == [("UNLISTED", "LISTING")]
    assert kinds(read_open(warehouse, application_urn=ACME)) == [("APPLY_DISABLED", "APPLY")]


def test_linkedins_words_come_from_the_facet_that_is_wrong(warehouse: Warehouse) -> None:
    words = {
        "listing_status": "NOT_LISTED", "listing_message": "MISSING_LOCATION: where?", "listing_error_type": "CUSTOMER_ERROR",
        "apply_status": "NOT_ENABLED", "apply_message": "BLOCKED_WEBHOOK: gone", "apply_error_code": 1154,
    }  # fmt: skip
    given(warehouse, [CREATED], [notification(ago(days=1), **words)])
    find(warehouse)
    assert {one["kind"]: (one["code"], one["message"]) for one in read_open(warehouse)} == {
        "APPLY_DISABLED": ("1154", "BLOCKED_WEBHOOK: gone"),
        "UNLISTED": ("MISSING_LOCATION", "MISSING_LOCATION: where?"),
    }

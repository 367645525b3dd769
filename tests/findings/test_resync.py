"""RESYNC_DUE: what LinkedIn requested again and nobody sent."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, BETA, JOB, NOW, TICK, Row, ago, deliver, delivery, find, given, read, read_open, task

REQUESTED = ago(hours=1)
DUE = REQUESTED + timedelta(minutes=30)


def resync(at: datetime = REQUESTED, **body: Any) -> Row:
    named = {"externalJobPostingId": None, "syncAllOpenJobs": False, "externalJobPostingIds": [JOB]}
    return delivery(at, type="RESYNC_JOBS", **named | body)


def read_requests(warehouse: Warehouse) -> list[tuple[str, str, int]]:
    rows = read(warehouse, "select * from resync_requests order by requested_at, external_job_posting_id")
    return [(row["application_urn"], row["external_job_posting_id"], row["deliveries"]) for row in rows]


REQUESTS = [
    # body                                                                               jobs
    ({}, [JOB]),
    ({"externalJobPostingIds": ["b", "a", "b"]}, ["a", "b"]),
    ({"externalJobPostingIds": [7, None, ""]}, ["7"]),
    ({"externalJobPostingIds": None, "externalJobPostingId": "job-9"}, ["job-9"]),
    ({"externalJobPostingIds": [], "syncAllOpenJobs": True}, [""]),
    ({"syncAllOpenJobs": "true"}, [""]),
    ({"externalJobPostingIds": None, "syncAllOpenJobs": None}, [""]),
    ({"externalJobPostingIds": []}, []),
    ({"externalJobPostingIds": "none"}, []),
]


@pytest.mark.parametrize(("body", "jobs"), REQUESTS)
def test_a_request_names_jobs_or_means_all_open_ones(warehouse: Warehouse, body: Row, jobs: list[str]) -> None:
    deliver(warehouse, resync(**body))
    assert read_requests(warehouse) == [(ACME, job, 1) for job in jobs]


def test_a_redelivery_is_counted_and_the_same_request_later_is_a_new_one(warehouse: Warehouse) -> None:
    deliver(warehouse, resync(ago(hours=3)), resync(ago(hours=2.9)), resync(ago(hours=1)), resync(developerApplicationUrn=BETA))
    deliver(warehouse, resync(ago(hours=2.8)))
    assert sorted(read_requests(warehouse)) == [(ACME, JOB, 1), (ACME, JOB, 3), (BETA, JOB, 1)]


DUES = [
    # operation, when requested                                    is due at DUE, is due now
    (None, None, True, True),
    ("UPDATE", REQUESTED - TICK, True, True),
    ("UPDATE", REQUESTED, False, False),
    ("UPDATE", DUE - TICK, False, False),
    ("UPDATE", DUE + timedelta(minutes=10), True, False),
    ("RENEW", REQUESTED + TICK, True, True),
    ("CLOSE", REQUESTED + TICK, False, False),
]


@pytest.mark.parametrize(("operation", "at", "is_due_then", "is_due_now"), DUES)
def test_a_named_job_is_due_until_its_update_is_requested(
    warehouse: Warehouse, operation: str | None, at: datetime | None, is_due_then: bool, is_due_now: bool
) -> None:
    given(warehouse, [task()] + ([task(operation, "SUCCEEDED", at)] if operation else []))
    deliver(warehouse, resync())
    find(warehouse, DUE - TICK)
    assert not read_open(warehouse, kind="RESYNC_DUE")
    find(warehouse, DUE)
    found = read_open(warehouse, kind="RESYNC_DUE")
    assert len(found) == is_due_then
    for row in found:
        assert (row["severity"], row["owner"], row["external_job_posting_id"], row["since"]) == ("HIGH", "PARTNER", JOB, DUE)
    find(warehouse, NOW)
    assert len(read_open(warehouse, kind="RESYNC_DUE")) == is_due_now


def test_a_late_update_ends_it(warehouse: Warehouse) -> None:
    given(warehouse, [task()])
    deliver(warehouse, resync())
    find(warehouse, DUE)
    given(warehouse, [task("UPDATE", None, DUE + timedelta(minutes=5))])
    find(warehouse, NOW)
    (row,) = read(warehouse, "select * from findings where kind = 'RESYNC_DUE'")
    assert (row["resolved_at"], row["resolution"]) == (NOW, "UPDATED")


def test_all_open_jobs_are_one_finding_until_the_last_has_its_update(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [task(external_job_posting_id=job, task_urn=f"create-{job}") for job in ("a", "b")]
        + [task(external_job_posting_id="failed", task_urn="failed", status="FAILED")]
        + [task(external_job_posting_id="late", task_urn="late", requested_at=REQUESTED + TICK)]
        + [task(external_job_posting_id="beta", task_urn="beta", application_urn=BETA)]
        + [task("UPDATE", None, REQUESTED + TICK, external_job_posting_id="a", task_urn="update-a")],
    )
    deliver(warehouse, resync(syncAllOpenJobs=True))
    find(warehouse, DUE)
    (row,) = read_open(warehouse, kind="RESYNC_DUE")
    assert (row["application_urn"], row["external_job_posting_id"]) == (ACME, "")
    given(warehouse, [task("UPDATE", None, DUE, external_job_posting_id="b", task_urn="update-b")])
    find(warehouse, NOW)
    assert not read_open(warehouse, kind="RESYNC_DUE")


def test_a_run_that_could_not_read_the_inbox_ends_nothing(warehouse: Warehouse) -> None:
    deliver(warehouse, resync())
    find(warehouse, DUE)
    given(warehouse, [task("UPDATE", None, DUE)])
    find(warehouse, NOW, unseen_facets=["LISTING"])
    assert len(read_open(warehouse, kind="RESYNC_DUE")) == 1

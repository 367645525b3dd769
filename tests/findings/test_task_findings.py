"""What can be wrong with a job's latest task, at its boundaries."""

from datetime import datetime, timedelta

import pytest

from jobrecon.linkedin.responses import Outcome, TaskResponse
from jobrecon.warehouse import Warehouse
from tests.findings.rows import (
    ACME,
    BETA,
    NOW,
    TICK,
    Row,
    ago,
    find,
    find_each,
    given,
    kinds,
    merge_responses,
    notification,
    number,
    read_everything,
    read_one,
    read_open,
    task,
)

HOUR = timedelta(hours=1)
LIFESPAN = timedelta(days=30)
LONG_AGO = ago(days=40)

CASES = [
    # tasks                                                                                   kind, severity, since
    ([task(status=None, requested_at=NOW - HOUR + TICK)], None),
    ([task(status=None, requested_at=NOW - HOUR)], ("STUCK", "MEDIUM", NOW - HOUR)),
    ([task(status=None, requested_at=NOW - HOUR - TICK)], ("STUCK", "MEDIUM", NOW - HOUR - TICK)),
    ([task(status="IN_PROGRESS", requested_at=ago(hours=3))], ("STUCK", "MEDIUM", ago(hours=3))),
    ([task(status="IN_PROGRESS", requested_at=ago(minutes=59))], None),
    ([task(status="SOMETHING_NEW", requested_at=ago(hours=3))], ("STUCK", "MEDIUM", ago(hours=3))),
    ([task("CLOSE", None, ago(hours=3))], ("STUCK", "MEDIUM", ago(hours=3))),
    ([task("CREATE", None, LONG_AGO, state="EXPIRED")], ("EXPIRED", "HIGH", LONG_AGO + LIFESPAN)),
    ([task("UPDATE", "IN_PROGRESS", LONG_AGO, state="EXPIRED")], ("EXPIRED", "HIGH", LONG_AGO + LIFESPAN)),
    ([task("CREATE", None, state="REJECTED", status_changed_at=ago(hours=5))], ("REJECTED", "MEDIUM", ago(hours=5))),
    ([task("CREATE", "FAILED", status_changed_at=ago(hours=5))], ("FAILED", "HIGH", ago(hours=5))),
    ([task("CLOSE", "FAILED", status_changed_at=ago(hours=5))], ("FAILED", "HIGH", ago(hours=5))),
    ([task("UPDATE", "FAILED", status_changed_at=ago(hours=5))], ("FAILED", "MEDIUM", ago(hours=5))),
    ([task("RENEW", "FAILED", status_changed_at=ago(hours=5))], ("FAILED", "MEDIUM", ago(hours=5))),
    ([task("UPGRADE", "FAILED", status_changed_at=ago(hours=5))], ("FAILED", "MEDIUM", ago(hours=5))),
    ([task("CREATE", "FAILED", error_message="has an invalid location", status_changed_at=NOW)], ("FAILED", "HIGH", NOW)),
    ([task("CREATE", "PROCESSED", state="REJECTED", status_changed_at=ago(hours=5))], ("REJECTED", "MEDIUM", ago(hours=5))),
    ([task("CREATE", "PROCESSED", error_message="no", status_changed_at=ago(hours=5))], ("INVALID", "LOW", ago(hours=5))),
    ([task("CLOSE", "PROCESSED", error_message="no", status_changed_at=ago(hours=5))], ("INVALID", "LOW", ago(hours=5))),
    ([task("CREATE", "SUCCEEDED")], None),
    ([task("CREATE", "SUCCEEDED", error_message="a warning")], None),
    ([task("CLOSE", "SUCCEEDED")], None),
    ([task("UPGRADE", "SUCCEEDED")], None),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(opened: Warehouse) -> list[list[Row]]:
    return find_each(opened, [rows for rows, _ in CASES])


@pytest.mark.parametrize(("case", "expected"), number(CASES))
def test_the_latest_task_alone_decides_what_is_wrong(found: list[list[Row]], case: int, expected: tuple[object, ...] | None) -> None:
    tasks = [one for one in found[case] if one["facet"] == "TASK"]
    assert [(one["kind"], one["severity"], one["since"]) for one in tasks] == ([expected] if expected else [])
    assert all(one["task_urn"] == f"{CASES[case][0][0]['task_urn']}/{case}" for one in tasks)


def test_the_settings_move_the_boundaries(warehouse: Warehouse) -> None:
    given(warehouse, tasks=[task(status=None, requested_at=ago(minutes=10))])
    find(warehouse, stuck_after=601)
    assert read_open(warehouse) == []
    find(warehouse, stuck_after=600)
    assert kinds(read_open(warehouse)) == [("STUCK", "TASK")]


def test_a_lifespan_of_part_of_a_day_gives_the_moment_of_expiry(warehouse: Warehouse) -> None:
    given(warehouse, tasks=[task(status=None, requested_at=ago(days=2), state="EXPIRED")])
    find(warehouse, task_lifespan_days=1.5)
    assert read_open(warehouse)[0]["since"] == ago(hours=12)


PROBLEMS = [
    task(status=None, requested_at=ago(days=3), task_urn="problem"),
    task(status=None, requested_at=LONG_AGO, state="EXPIRED", task_urn="problem"),
    task(status=None, requested_at=ago(days=3), state="REJECTED", status_changed_at=ago(days=3), task_urn="problem"),
    task(status="FAILED", requested_at=ago(days=3), task_urn="problem"),
    task(status="PROCESSED", requested_at=ago(days=3), error_message="no", task_urn="problem"),
]
ELSEWHERE = [{"location": "Oslo, Norway"}, {"external_job_posting_id": "job-2"}, {"application_urn": BETA}]


def test_a_newer_request_supersedes_an_older_problem(opened: Warehouse) -> None:
    newer = [task("UPDATE", "SUCCEEDED", ago(minutes=30)), task("UPDATE", None, ago(minutes=30))]
    found = find_each(opened, [[problem, new] for problem in PROBLEMS for new in newer])
    assert [[one for one in rows if one["facet"] == "TASK"] for rows in found] == [[]] * 10


def test_a_newer_request_for_another_place_or_job_or_application_supersedes_nothing(opened: Warehouse) -> None:
    newer = [task("UPDATE", "SUCCEEDED", ago(minutes=30), **other) for other in ELSEWHERE]
    found = find_each(opened, [[problem, new] for problem in PROBLEMS for new in newer])
    assert [len([one for one in rows if one["facet"] == "TASK"]) for rows in found] == [1] * 15


@pytest.mark.parametrize(("failed", "succeeded", "expected"), [("urn-a", "urn-b", []), ("urn-b", "urn-a", ["urn-b"])])
def test_of_two_requests_of_one_moment_the_greater_urn_is_the_latest(
    warehouse: Warehouse, failed: str, succeeded: str, expected: list[str]
) -> None:
    given(warehouse, tasks=[task(status="FAILED", task_urn=failed), task(status="SUCCEEDED", task_urn=succeeded)])
    find(warehouse)
    assert [one["task_urn"] for one in read_open(warehouse)] == expected


def test_the_time_of_request_counts_before_the_urn_and_before_the_time_of_import(warehouse: Warehouse) -> None:
    given(
        warehouse,
        tasks=[
            task(status="FAILED", requested_at=ago(hours=2), task_urn="urn-z", imported_at=NOW),
            task(status="SUCCEEDED", requested_at=ago(hours=2) + TICK, task_urn="urn-a", imported_at=ago(hours=1)),
        ],
    )
    find(warehouse)
    assert read_open(warehouse) == []


def test_each_place_of_a_job_has_its_own_latest_task_and_finding(warehouse: Warehouse) -> None:
    given(
        warehouse,
        tasks=[
            task(status="FAILED", location="Oslo, Norway", task_urn="oslo"),
            task(status="FAILED", location="Bergen, Norway", task_urn="bergen"),
            task(status="FAILED", location=None, task_urn="nowhere"),
            task(status="FAILED", location="Tromsø, Norway", task_urn="old"),
            task(status="SUCCEEDED", location="Tromsø, Norway", task_urn="new", requested_at=ago(days=1)),
        ],
    )
    find(warehouse)
    found = read_open(warehouse, kind="FAILED")
    assert {one["location"]: one["task_urn"] for one in found} == {"Oslo, Norway": "oslo", "Bergen, Norway": "bergen", None: "nowhere"}
    assert len({one["finding_key"] for one in found}) == 3


def test_jobs_of_two_applications_with_one_id_are_two_jobs(warehouse: Warehouse) -> None:
    given(warehouse, tasks=[task(status="FAILED", task_urn="a"), task(status="FAILED", task_urn="b", application_urn=BETA)])
    find(warehouse)
    assert sorted(one["application_urn"] for one in read_open(warehouse)) == [ACME, BETA]


def test_no_job_id_or_place_can_be_taken_for_another(warehouse: Warehouse) -> None:
    """Ids are free text: whatever stands between the parts of the key may stand in a part."""
    parts = [("a|b", None), ("a", "b|"), ("a", "|b"), ("a|", "b"), ("a", "b"), ("a||b", None), ("a\\", "b"), ("a\\|b", None), ("a", None)]
    given(
        warehouse,
        tasks=[
            task(status="FAILED", external_job_posting_id=job, location=location, task_urn=f"urn-{number}")
            for number, (job, location) in enumerate(parts)
        ],
    )
    assert find(warehouse).findings_opened == len(parts)
    assert len({one["finding_key"] for one in read_open(warehouse)}) == len(parts)
    assert find(warehouse, NOW + TICK).findings_open == len(parts)


def test_what_is_requested_later_does_not_count(warehouse: Warehouse) -> None:
    given(
        warehouse,
        tasks=[
            task(status="FAILED", requested_at=ago(days=1), task_urn="failed"),
            task("UPDATE", None, NOW + TICK, task_urn="later"),
            task(status="FAILED", requested_at=NOW + TICK, external_job_posting_id="job-2", task_urn="later-2"),
        ],
    )
    find(warehouse)
    assert [one["task_urn"] for one in read_open(warehouse)] == ["failed"]


def test_what_is_requested_at_the_moment_itself_counts(warehouse: Warehouse) -> None:
    given(warehouse, tasks=[task(status="FAILED", task_urn="failed"), task("UPDATE", None, NOW, task_urn="now")])
    find(warehouse)
    assert read_open(warehouse) == []


@pytest.mark.parametrize(
    ("requested_at", "state"),
    [(NOW - LIFESPAN + TICK, "PENDING"), (NOW - LIFESPAN, "EXPIRED"), (NOW - LIFESPAN - TICK, "EXPIRED"), (NOW, "PENDING")],
)
@pytest.mark.parametrize("status", [None, "IN_PROGRESS"])
def test_a_pending_task_expires_at_exactly_its_lifespan(
    warehouse: Warehouse, requested_at: datetime, state: str, status: str | None
) -> None:
    given(warehouse, tasks=[task(status=status, requested_at=requested_at)])
    warehouse.run("tasks/update_expired_tasks", as_of=NOW, lifespan_seconds=LIFESPAN.total_seconds())
    changed_at = NOW if state == "EXPIRED" else status and requested_at + timedelta(minutes=10)
    row = read_one(warehouse, "job_tasks")
    assert (row["state"], row["status"], row["status_changed_at"]) == (state, status, changed_at)


@pytest.mark.parametrize("row", [task(status="SUCCEEDED"), task(status="FAILED"), task(status=None, state="REJECTED")])
def test_what_is_settled_or_rejected_never_expires(warehouse: Warehouse, row: Row) -> None:
    given(warehouse, tasks=[row | {"requested_at": ago(days=300)}])
    before = read_everything(warehouse)
    warehouse.run("tasks/update_expired_tasks", as_of=NOW, lifespan_seconds=LIFESPAN.total_seconds())
    assert read_everything(warehouse) == before


def test_a_finding_names_whose_job_it_is(warehouse: Warehouse) -> None:
    given(
        warehouse,
        tasks=[task(status="FAILED", task_urn="a"), task(status="FAILED", task_urn="b", application_urn=BETA)],
        customers=[{"application_urn": ACME, "customer": "Acme", "account_manager": "Dana Fox", "daily_call_limit": 10}],
    )
    find(warehouse)
    assert [(one["customer"], one["account_manager"]) for one in read_open(warehouse, application_urn=ACME)] == [("Acme", "Dana Fox")]
    assert [(one["customer"], one["account_manager"]) for one in read_open(warehouse, application_urn=BETA)] == [(None, None)]


def test_nothing_in_the_warehouse_finds_nothing(warehouse: Warehouse) -> None:
    summary = find(warehouse)
    assert (summary.findings_opened, summary.findings_resolved, summary.findings_open) == (0, 0, 0)


def test_a_failed_close_of_a_listed_job_is_one_finding_and_the_listing_none(warehouse: Warehouse) -> None:
    given(
        warehouse,
        tasks=[task("CREATE", "SUCCEEDED", ago(days=5)), task("CLOSE", "FAILED", ago(days=1))],
        notifications=[notification(ago(days=4), listing_status="LISTED")],
    )
    find(warehouse)
    assert kinds(read_open(warehouse)) == [("FAILED", "TASK")]


def test_a_result_polled_in_a_run_is_observed_at_its_moment(warehouse: Warehouse) -> None:
    given(warehouse, tasks=[task(status=None, task_urn="urn-1", requested_at=ago(hours=3))])
    merge_responses(warehouse, [TaskResponse("urn-1", Outcome.RECEIVED, "FAILED", "has an invalid location")])
    find(warehouse)
    (found,) = read_open(warehouse)
    assert (found["kind"], found["since"]) == ("FAILED", NOW)

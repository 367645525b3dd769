"""Responses about tasks merged into the tasks that were requested."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from jobrecon.linkedin.responses import Outcome, TaskResponse, parse_response
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.summary import RunSummary, write_run
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from tests.findings.rows import ACME, BETA, NOW, Row, ago, find, given, merge_responses, read, read_everything, read_one, read_open, task

URN = "urn:li:simpleJobPostingTask:1"
LATER = NOW + timedelta(hours=1)
SEEN = {"status": "IN_PROGRESS", "last_polled_at": ago(hours=1), "first_polled_at": ago(hours=2), "status_changed_at": ago(hours=2)}

RECEIVED, MISSING, TRANSIENT, NOT_FOUND, REFUSED = (
    Outcome.RECEIVED,
    Outcome.MISSING,
    Outcome.TRANSIENT,
    Outcome.NOT_FOUND,
    Outcome.INVALID_URN,
)

CASES = [
    # before                  response                                                   state, status, error message, changed now?
    ({}, TaskResponse(URN, RECEIVED, "IN_PROGRESS"), ("PENDING", "IN_PROGRESS", None, True)),
    ({}, TaskResponse(URN, RECEIVED, "SUCCEEDED"), ("SETTLED", "SUCCEEDED", None, True)),
    ({}, TaskResponse(URN, RECEIVED, "FAILED", "no"), ("SETTLED", "FAILED", "no", True)),
    ({}, TaskResponse(URN, RECEIVED, "PROCESSED"), ("SETTLED", "PROCESSED", None, True)),
    ({}, TaskResponse(URN, RECEIVED, "PROCESSED", "no"), ("SETTLED", "PROCESSED", "no", True)),
    ({}, TaskResponse(URN, RECEIVED, "SOMETHING_NEW"), ("PENDING", "SOMETHING_NEW", None, True)),
    ({}, TaskResponse(URN, MISSING), ("PENDING", None, None, False)),
    ({}, TaskResponse(URN, TRANSIENT, error_message="oops"), ("PENDING", None, None, False)),
    ({}, TaskResponse(URN, NOT_FOUND, error_message="gone"), ("PENDING", None, None, False)),
    ({}, TaskResponse(URN, REFUSED, error_message="no task"), ("REJECTED", None, "no task", True)),
    (SEEN, TaskResponse(URN, RECEIVED, "IN_PROGRESS"), ("PENDING", "IN_PROGRESS", None, False)),
    (SEEN, TaskResponse(URN, RECEIVED, "IN_PROGRESS", "slow"), ("PENDING", "IN_PROGRESS", "slow", True)),
    (SEEN, TaskResponse(URN, RECEIVED, "SUCCEEDED"), ("SETTLED", "SUCCEEDED", None, True)),
    (SEEN, TaskResponse(URN, MISSING), ("PENDING", "IN_PROGRESS", None, False)),
    (SEEN, TaskResponse(URN, TRANSIENT, error_message="oops"), ("PENDING", "IN_PROGRESS", None, False)),
    (SEEN, TaskResponse(URN, NOT_FOUND, error_message="gone"), ("PENDING", "IN_PROGRESS", None, False)),
    (SEEN, TaskResponse(URN, REFUSED, error_message="no task"), ("REJECTED", "IN_PROGRESS", "no task", True)),
    (SEEN | {"not_found_count": 2}, TaskResponse(URN, NOT_FOUND, error_message="gone"), ("REJECTED", "IN_PROGRESS", "gone", True)),
    (SEEN | {"not_found_count": 2, "error_message": "slow"}, TaskResponse(URN, NOT_FOUND), ("REJECTED", "IN_PROGRESS", "slow", True)),
    (SEEN | {"error_message": "slow"}, TaskResponse(URN, REFUSED), ("REJECTED", "IN_PROGRESS", "slow", True)),
    (SEEN | {"not_found_count": 1}, TaskResponse(URN, NOT_FOUND, error_message="gone"), ("PENDING", "IN_PROGRESS", None, False)),
]  # fmt: skip


@pytest.mark.parametrize(("before", "response", "expected"), CASES)
def test_an_answer_moves_a_pending_task(warehouse: Warehouse, before: Row, response: TaskResponse, expected: tuple[object, ...]) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN) | before])
    result = merge_responses(warehouse, [response])
    row = read_one(warehouse, "job_tasks")
    state, status, message, is_changed = expected
    assert (row["state"], row["status"], row["error_message"]) == (state, status, message)
    assert row["status_changed_at"] == (NOW if is_changed else before.get("status_changed_at"))
    assert (row["first_polled_at"], row["last_polled_at"]) == (before.get("first_polled_at", NOW), NOW)
    assert row["poll_count"] == 1
    assert result.tasks_settled == (state == "SETTLED")
    changes = read(warehouse, "select * from task_status_changes")
    change = {"task_urn": URN, "status": status, "error_message": message, "observed_at": NOW, "run_id": "run-1"}
    assert changes == ([change] if is_changed else [])


FINAL = [
    task(status="SUCCEEDED", task_urn=URN),
    task(status="FAILED", error_message="no", task_urn=URN),
    task(status="PROCESSED", task_urn=URN),
    task(status=None, task_urn=URN, state="REJECTED", status_changed_at=ago(days=1)),
    task(status="IN_PROGRESS", task_urn=URN, state="EXPIRED"),
]


@pytest.mark.parametrize("row", FINAL)
def test_what_is_settled_expired_or_rejected_is_never_changed(warehouse: Warehouse, row: Row) -> None:
    given(warehouse, [row])
    merge_responses(warehouse)
    before = read_everything(warehouse)
    for outcome in (
        TaskResponse(URN, RECEIVED, "FAILED", "other"),
        TaskResponse(URN, RECEIVED, "IN_PROGRESS"),
        TaskResponse(URN, REFUSED),
        TaskResponse(URN, MISSING),
    ):
        merge_responses(warehouse, [outcome], as_of=LATER)
    assert read_everything(warehouse) == before


def test_each_change_is_remembered_once(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN)])
    said = ["IN_PROGRESS", "IN_PROGRESS", "QUEUED", "IN_PROGRESS", "SUCCEEDED", "SUCCEEDED", "FAILED"]
    for hour, status in enumerate(said):
        merge_responses(warehouse, [TaskResponse(URN, RECEIVED, status)], as_of=NOW + timedelta(hours=hour), run_id=f"run-{hour}")
    changes = read(warehouse, "select status, run_id, observed_at from task_status_changes order by observed_at")
    assert [(row["status"], row["run_id"]) for row in changes] == [
        ("IN_PROGRESS", "run-0"), ("QUEUED", "run-2"), ("IN_PROGRESS", "run-3"), ("SUCCEEDED", "run-4"),
    ]  # fmt: skip
    row = read_one(warehouse, "job_tasks")
    assert (row["status"], row["poll_count"], row["status_changed_at"]) == ("SUCCEEDED", 5, NOW + timedelta(hours=4))


def read_changes(warehouse: Warehouse) -> list[tuple[object, ...]]:
    query = "select task_urn, status, observed_at, run_id from task_status_changes order by observed_at, task_urn"
    return [tuple(row.values()) for row in read(warehouse, query)]


def begin_run(warehouse: Warehouse, run_id: str, as_of: datetime, started_at: datetime) -> None:
    write_run(warehouse, RunSummary(run_id=run_id, as_of=as_of, started_at=started_at))


def test_what_a_killed_run_left_out_is_remembered_as_its_own_by_the_next(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=urn) for urn in "abc"])
    begin_run(warehouse, "run-0", ago(hours=1), ago(hours=1))
    merge_responses(warehouse, [TaskResponse("a", RECEIVED, "IN_PROGRESS")], as_of=ago(hours=1), run_id="run-0")
    begin_run(warehouse, "run-1", NOW, NOW)
    merge_responses(warehouse, [TaskResponse("a", RECEIVED, "SUCCEEDED"), TaskResponse("b", RECEIVED, "FAILED")], is_killed=True)
    begin_run(warehouse, "run-2", LATER, LATER)
    merge_responses(warehouse, [TaskResponse("c", RECEIVED, "SUCCEEDED")], as_of=LATER, run_id="run-2")
    assert read_changes(warehouse) == [
        ("a", "IN_PROGRESS", ago(hours=1), "run-0"), ("a", "SUCCEEDED", NOW, "run-1"), ("b", "FAILED", NOW, "run-1"), ("c", "SUCCEEDED", LATER, "run-2"),
    ]  # fmt: skip


def test_a_run_remembers_what_a_killed_one_left_out_before_it_asks_again(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn="a")])
        begin_run(warehouse, "run-0", ago(hours=1), ago(hours=1))
        merge_responses(warehouse, [TaskResponse("a", RECEIVED, "IN_PROGRESS")], as_of=ago(hours=1), run_id="run-0", is_killed=True)
    with open_reconciliation(settings, NOW, clock=lambda: NOW) as run:
        merge_responses(run.warehouse, [TaskResponse("a", RECEIVED, "SUCCEEDED")], run_id=run.summary.run_id)
        assert read_changes(run.warehouse) == [("a", "IN_PROGRESS", ago(hours=1), "run-0"), ("a", "SUCCEEDED", NOW, run.summary.run_id)]


def test_a_killed_run_made_again_as_of_the_same_moment_remembers_each_change_once(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=urn) for urn in "ab"])
    merge_responses(warehouse, [TaskResponse("a", RECEIVED, "SUCCEEDED")], is_killed=True)
    merge_responses(warehouse, run_id="run-2")
    merge_responses(warehouse, [TaskResponse("b", RECEIVED, "FAILED")], run_id="run-2")
    assert [change[:2] for change in read_changes(warehouse)] == [("a", "SUCCEEDED"), ("b", "FAILED")]


def test_what_nobody_observed_is_no_change(warehouse: Warehouse) -> None:
    polled = {"status": "IN_PROGRESS", "first_polled_at": NOW, "last_polled_at": NOW, "status_changed_at": NOW}
    given(
        warehouse,
        [
            task(task_urn="expired") | polled | {"state": "EXPIRED"},
            task(task_urn="refused without a word") | polled | {"state": "REJECTED"},
            task(task_urn="requested again") | polled | {"status_changed_at": ago(hours=1)},
            task(task_urn="in progress") | polled | {"state": "PENDING"},
        ],
    )
    merge_responses(warehouse)
    assert [change[0] for change in read_changes(warehouse)] == ["in progress"]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([NOT_FOUND] * 2, "PENDING"),
        ([NOT_FOUND] * 3, "REJECTED"),
        ([NOT_FOUND, MISSING, NOT_FOUND, TRANSIENT, NOT_FOUND], "REJECTED"),
        ([NOT_FOUND, NOT_FOUND, MISSING, TRANSIENT], "PENDING"),
        ([NOT_FOUND, NOT_FOUND, RECEIVED, NOT_FOUND], "PENDING"),
        ([REFUSED], "REJECTED"),
    ],
)
def test_a_task_is_rejected_when_three_runs_did_not_find_it(warehouse: Warehouse, said: list[Outcome], state: str) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN)])
    for hour, outcome in enumerate(said):
        status = "IN_PROGRESS" if outcome is RECEIVED else None
        merge_responses(
            warehouse, [TaskResponse(URN, outcome, status, error_message=None if status else "gone")], as_of=NOW + timedelta(hours=hour)
        )
    assert read_one(warehouse, "job_tasks")["state"] == state
    last = NOW + timedelta(hours=len(said) - 1)
    find(warehouse, last)
    assert [(one["since"], one["message"]) for one in read_open(warehouse, kind="REJECTED")] == (
        [(last, "gone")] if state == "REJECTED" else []
    )


def test_the_posting_of_a_task_is_kept_once_it_was_given(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN)])
    merge_responses(warehouse, [TaskResponse(URN, RECEIVED, "IN_PROGRESS", job_posting_urn="urn:li:jobPosting:1")])
    merge_responses(warehouse, [TaskResponse(URN, RECEIVED, "SUCCEEDED")], as_of=LATER)
    assert read_one(warehouse, "job_tasks")["job_posting_urn"] == "urn:li:jobPosting:1"


def test_a_result_is_about_the_task_of_the_application_that_requested_it(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN)])
    before = read_everything(warehouse)
    merge_responses(warehouse, [TaskResponse(URN, RECEIVED, "FAILED", "no")], application_urn=BETA)
    assert read_everything(warehouse) == before


def poll(warehouse: Warehouse, requested: list[str], document: object, **values: Any) -> None:
    """One batch: what was requested, and the body that came."""
    merge_responses(warehouse, parse_response(orjson.dumps(document), requested), **values)


def test_the_map_key_is_the_task_whatever_the_id_inside_says(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, task_urn="urn-1"), task(status=None, task_urn="urn-2", external_job_posting_id="job-2")])
    poll(warehouse, ["urn-1", "urn-2"], {"results": {"urn-1": {"id": "urn-2", "status": "FAILED", "errorMessage": "no"}}})
    assert read(warehouse, "select task_urn, status from job_tasks order by task_urn") == [
        {"task_urn": "urn-1", "status": "FAILED"}, {"task_urn": "urn-2", "status": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "key", ["urn:li:simpleJobPostingTask:1", "urn%3Ali%3AsimpleJobPostingTask%3A1", "urn%3ali%3asimpleJobPostingTask%3a1"]
)
@pytest.mark.parametrize("field", ["results", "errors", "statuses"])
def test_keys_may_come_percent_encoded(warehouse: Warehouse, key: str, field: str) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN, not_found_count=2)])
    value = {"results": {"status": "SUCCEEDED"}, "errors": {"status": 404, "message": "gone"}, "statuses": 404}[field]
    poll(warehouse, [URN], {field: {key: value}})
    row = read_one(warehouse, "job_tasks")
    assert row["state"] == ("SETTLED" if field == "results" else "REJECTED")


def test_a_task_that_is_percent_encoded_itself_is_taken_as_it_is(warehouse: Warehouse) -> None:
    urn = "urn%3Ali%3A1"
    given(warehouse, [task(status=None, task_urn=urn)])
    poll(warehouse, [urn], {"results": {urn: {"status": "SUCCEEDED"}}})
    assert read_one(warehouse, "job_tasks")["status"] == "SUCCEEDED"


UNREQUESTED = "urn:li:simpleJobPostingTask:new"


def test_a_task_returned_unrequested_of_a_job_in_the_batch_is_a_new_task_of_that_job(warehouse: Warehouse) -> None:
    requested = task("RENEW", None, ago(hours=3), task_urn=URN, title="Nurse", location="Oslo, Norway")
    given(warehouse, [requested])
    result = {
        "status": "FAILED",
        "errorMessage": "no",
        "externalJobPostingId": "job-1",
        "location": "Bergen, Norway",
        "jobPosting": "urn:li:jobPosting:7",
    }
    poll(warehouse, [URN], {"results": {URN: {"status": "SUCCEEDED"}, UNREQUESTED: result}})
    (row,) = read(warehouse, "select * from job_tasks where task_urn = $urn", urn=UNREQUESTED)
    same = ("application_urn", "external_job_posting_id", "operation", "requested_at", "title")
    assert {name: row[name] for name in same} == {name: requested[name] for name in same}
    assert (row["location"], row["state"], row["status"], row["error_message"]) == ("Bergen, Norway", "SETTLED", "FAILED", "no")
    assert (row["imported_at"], row["first_polled_at"], row["status_changed_at"], row["poll_count"]) == (NOW, NOW, NOW, 1)
    assert row["job_posting_urn"] == "urn:li:jobPosting:7"
    changes = read(warehouse, "select status from task_status_changes where task_urn = $urn", urn=UNREQUESTED)
    assert changes == [{"status": "FAILED"}]
    assert read(warehouse, "select * from rejected_rows") == []
    find(warehouse)
    assert [(one["kind"], one["location"]) for one in read_open(warehouse)] == [("FAILED", "Bergen, Norway")]


def test_a_task_returned_unrequested_is_added_once_and_then_updated_like_any_other(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, requested_at=ago(hours=3), task_urn=URN)])
    for hour, status in enumerate(("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED", "FAILED")):
        said = {URN: {"status": "IN_PROGRESS"}, UNREQUESTED: {"status": status, "externalJobPostingId": "job-1", "location": "Bergen"}}
        poll(warehouse, [URN], {"results": said}, as_of=NOW + timedelta(hours=hour))
    (row,) = read(warehouse, "select * from job_tasks where task_urn = $urn", urn=UNREQUESTED)
    assert (row["status"], row["imported_at"], row["status_changed_at"]) == ("SUCCEEDED", NOW, NOW + timedelta(hours=2))


def test_it_takes_operation_and_time_from_the_newest_task_of_that_job_in_its_own_batch(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [
            task("CREATE", None, ago(hours=9), task_urn="a"),
            task("UPDATE", None, ago(hours=5), task_urn="b"),
            task("CLOSE", None, ago(hours=1), task_urn="c"),
            task("RENEW", None, ago(hours=2), task_urn="d", external_job_posting_id="job-2"),
        ],
    )
    said = parse_response(
        orjson.dumps({"results": {UNREQUESTED: {"status": "IN_PROGRESS", "externalJobPostingId": "job-1"}}}), ["a", "b", "d"]
    )
    merge_responses(warehouse, [TaskResponse("c", RECEIVED, "IN_PROGRESS")], said)
    (row,) = read(warehouse, "select operation, requested_at from job_tasks where task_urn = $urn", urn=UNREQUESTED)
    assert row == {"operation": "UPDATE", "requested_at": ago(hours=5)}


def test_a_task_returned_unrequested_by_two_batches_belongs_to_the_one_that_holds_its_job(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [task("CREATE", None, task_urn="a", external_job_posting_id="job-2"), task("UPDATE", None, ago(hours=5), task_urn="b")],
    )
    said = orjson.dumps({"results": {UNREQUESTED: {"status": "IN_PROGRESS", "externalJobPostingId": "job-1"}}})
    merge_responses(warehouse, parse_response(said, ["a"]), parse_response(said, ["b"]))
    assert read(warehouse, "select operation from job_tasks where task_urn = $urn", urn=UNREQUESTED) == [{"operation": "UPDATE"}]
    assert read(warehouse, "select * from rejected_rows") == []


STRANGERS = [
    {"status": "SUCCEEDED", "externalJobPostingId": "job-9"},
    {"status": "SUCCEEDED"},
    {"status": "SUCCEEDED", "externalJobPostingId": "job-2"},
]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_task_returned_unrequested_of_no_job_of_the_batch_goes_to_the_rejected_rows_once(
    warehouse: Warehouse, stranger: dict[str, str]
) -> None:
    given(warehouse, [task(status=None, task_urn=URN), task(status=None, task_urn="urn-2", external_job_posting_id="job-2")])
    for as_of in (NOW, NOW, LATER):
        poll(warehouse, [URN], {"results": {UNREQUESTED: stranger}}, as_of=as_of)
    assert read(warehouse, "select count(*) as count from job_tasks") == [{"count": 2}]
    (row,) = read(warehouse, "select * from rejected_rows")
    assert (row["rejected_at"], row["line"]) == (NOW, None)
    assert ACME in row["source"]
    kept = orjson.loads(row["row"])
    assert (kept["task_urn"], kept["status"], kept["externalJobPostingId"]) == (
        UNREQUESTED,
        "SUCCEEDED",
        stranger.get("externalJobPostingId"),
    )


def test_a_job_of_the_same_id_of_another_application_takes_no_task_returned_unrequested(warehouse: Warehouse) -> None:
    given(warehouse, [task(status=None, task_urn=URN, application_urn=BETA), task(status=None, task_urn="a", external_job_posting_id="x")])
    poll(warehouse, ["a"], {"results": {UNREQUESTED: {"status": "SUCCEEDED", "externalJobPostingId": "job-1"}}})
    assert read(warehouse, "select count(*) as count from job_tasks") == [{"count": 2}]
    assert len(read(warehouse, "select * from rejected_rows")) == 1


def test_a_task_known_but_not_requested_is_updated_all_the_same(warehouse: Warehouse) -> None:
    known = task("CLOSE", None, ago(hours=1), task_urn=UNREQUESTED, external_job_posting_id="job-2")
    given(warehouse, [task(status=None, task_urn=URN), known])
    poll(warehouse, [URN], {"results": {UNREQUESTED: {"status": "SUCCEEDED", "externalJobPostingId": "job-1"}}})
    (row,) = read(warehouse, "select * from job_tasks where task_urn = $urn", urn=UNREQUESTED)
    assert (row["status"], row["operation"], row["external_job_posting_id"], row["requested_at"]) == (
        "SUCCEEDED", "CLOSE", "job-2", ago(hours=1),
    )  # fmt: skip
    assert read(warehouse, "select * from rejected_rows") == []


@pytest.mark.parametrize("is_requested_first", [True, False])
def test_of_two_results_in_one_merge_the_requested_one_counts_once(warehouse: Warehouse, is_requested_first: bool) -> None:
    given(warehouse, [task(status=None, task_urn=URN)])
    batches = [[TaskResponse(URN, RECEIVED, "SUCCEEDED")], [TaskResponse(URN, RECEIVED, "IN_PROGRESS", is_requested=False)]]
    merged = merge_responses(warehouse, *(batches if is_requested_first else reversed(batches)))
    assert (merged.tasks_polled, merged.tasks_settled) == (1, 1)
    assert read(warehouse, "select status, poll_count from job_tasks") == [{"status": "SUCCEEDED", "poll_count": 1}]
    assert read(warehouse, "select status from task_status_changes") == [{"status": "SUCCEEDED"}]


def test_many_results_are_merged_at_once(warehouse: Warehouse) -> None:
    urns = [f"urn-{number}" for number in range(2000)]
    given(warehouse, [task(status=None, task_urn=urn, external_job_posting_id=urn) for urn in urns])
    outcomes = [TaskResponse(urn, RECEIVED, "SUCCEEDED") if index % 2 else TaskResponse(urn, MISSING) for index, urn in enumerate(urns)]
    assert merge_responses(warehouse, outcomes).tasks_settled == 1000
    counts = read(warehouse, "select state, poll_count, count(*) as count from job_tasks group by all order by state")
    assert [tuple(row.values()) for row in counts] == [("PENDING", 1, 1000), ("SETTLED", 1, 1000)]
    assert len(read(warehouse, "select * from task_status_changes")) == 1000

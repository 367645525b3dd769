"""Polling: all applications side by side, one's errors never another's, and every response saved."""

from collections.abc import Callable

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from jobrecon.linkedin.responses import Outcome
from jobrecon.reconcile.allowance import count_allowed_calls
from tests.linkedin.conftest import ACME, BOLT, CORE, DUSK, START, Serve, count_calls, make_application, make_world, task_urn
from tests.linkedin.fakes import FakeLinkedIn, TaskRequest, error_response, http_response, serve_bytes, task_response


def test_responses_are_merged_into_the_tasks_and_the_changes_recorded(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 150)
    harness = serve(world)
    harness.import_rows(rows)
    httpx.post(f"{harness.settings.api_url}/control/clock", json={"advance_seconds": 3600}).raise_for_status()
    result = harness.poll(hours=1)
    results = {urn: task.result(world.seconds) for urn, task in world.applications[ACME].tasks.items()}
    expected = {urn: (each["status"], each.get("errorMessage"), each.get("jobPosting"), 1) for urn, each in results.items()}
    assert harness.tasks("status", "error_message", "job_posting_urn", "poll_count") == expected
    settled = sum(1 for each in results.values() if each["status"] != "IN_PROGRESS")
    assert (result.tasks_due, result.tasks_polled, result.tasks_settled, result.tasks_left) == (150, 150, settled, 0)
    assert list(harness.tasks("state").values()).count("SETTLED") == settled
    assert harness.warehouse.connection.execute("select count(*), count(distinct task_urn) from task_status_changes").fetchone() == (
        150,
        150,
    )
    assert (result.calls_used, count_calls(world)) == (3, 3)
    assert harness.poll(hours=1).tasks_due == 0, "one moment is polled once"


def test_nothing_is_polled_before_its_first_check(serve: Serve) -> None:
    fake = FakeLinkedIn()
    harness = serve(fake)
    harness.import_urns(task_urn(1))
    assert harness.poll(hours=299 / 3600).tasks_due == 0
    assert harness.poll(hours=300 / 3600).tasks_polled == 1


def test_one_applications_error_stops_no_other(serve: Serve) -> None:
    world = make_world()
    world.faults.forbidden_applications = [CORE]
    world.faults.denied_token_applications = [DUSK]
    rows = [row for urn in (ACME, BOLT, CORE, DUSK) for row in world.create_tasks(urn, 70, prefix=urn)]
    applications = [make_application(DUSK), make_application(BOLT, "env:ACME"), make_application(CORE), make_application(ACME)]
    harness = serve(world, *applications)
    harness.import_rows(rows)
    result = harness.poll()
    assert result.tasks_polled == 70
    assert set(result.unseen) == {BOLT, CORE, DUSK}
    assert all(urn in reason for urn, reason in result.unseen.items())
    assert "403" in result.unseen[CORE]
    assert "invalid_client" in result.unseen[BOLT]
    assert "access_denied" in result.unseen[DUSK]
    polled = {row["task_urn"] for row in rows if row["application_urn"] == ACME}
    assert {urn for urn, count in harness.tasks("poll_count").items() if count} == polled
    assert result.calls_used == sum(count_calls(world, urn) for urn in (ACME, BOLT, CORE, DUSK))
    assert result.exhausted == []


def test_an_application_that_cannot_be_reached_is_reported_and_the_others_are_polled(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: error_response(502) if request.token.endswith("-of-bolt") else task_response(request.ids))
    harness = serve(fake, make_application(BOLT), make_application(ACME), make_application(CORE, "env:NOT_SET"))
    for index, urn in enumerate((ACME, BOLT, CORE)):
        harness.import_urns(task_urn(index), application_urn=urn)
    result = harness.poll()
    assert result.tasks_settled == 1
    assert "HTTP 502" in result.unseen[BOLT]
    assert "NOT_SET" in result.unseen[CORE]
    assert harness.tasks("state", "poll_count") == {task_urn(0): ("SETTLED", 1), task_urn(1): ("PENDING", 0), task_urn(2): ("PENDING", 0)}
    assert harness.budget(BOLT)["calls_used"] == 4


def test_a_refused_batch_is_halved_down_to_exactly_the_invalid_urns(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 57)
    bad = ["not-a-task", "urn:li:simpleJobPostingTask:"]
    harness = serve(world)
    harness.import_rows(rows)
    harness.import_urns(*bad)
    result = harness.poll()
    tasks = harness.tasks("state", "status", "error_message")
    assert {urn for urn, task in tasks.items() if task[0] == "REJECTED"} == set(bad)
    assert {task[2] for urn, task in tasks.items() if urn in bad} == {"Batch key parameter value is invalid"}
    assert all(tasks[row["task_urn"]][1] for row in rows)
    assert (result.tasks_polled, result.unseen) == (59, {})
    assert harness.budget()["calls_used"] == count_calls(world) < 2 * 2 * 6 + 2
    assert harness.poll(hours=2).tasks_due == 57, "a refused URN is not sent again"


def test_what_a_halved_batch_received_is_saved_when_a_later_call_fails(serve: Serve) -> None:
    def respond(request: TaskRequest) -> Response:
        if request.number == 0:
            return error_response(400)
        return task_response(request.ids) if request.number == 1 else error_response(403)

    harness = serve(FakeLinkedIn(respond))
    harness.import_urns(*(task_urn(number) for number in range(8)))
    result = harness.poll()
    assert (result.tasks_settled, list(result.unseen)) == (4, [ACME])


def test_a_query_limit_set_too_high_costs_a_call_and_no_task(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 80)
    harness = serve(world, query_string_limit=8000)
    harness.import_rows(rows)
    result = harness.poll()
    assert (result.tasks_polled, result.unseen, result.calls_used) == (80, {}, 2)
    assert "REJECTED" not in harness.tasks("state").values()


def test_long_urns_use_no_more_calls_than_the_ticks_allowance(serve: Serve) -> None:
    harness = serve(fake := FakeLinkedIn(), tick_seconds=600)
    harness.limit(300)
    allowance = count_allowed_calls(300, 300, START, 600, harness.settings.call_reserve)
    # Four to a call, where the plan expects 59 of the typical length.
    harness.import_urns(*(task_urn(number) + "x" * 900 for number in range(60)))
    result = harness.poll()
    assert (result.calls_used, result.tasks_polled, result.tasks_left) == (allowance, 4 * allowance, 60 - 4 * allowance)
    assert len(fake.requests) == allowance == 3


def test_a_urn_too_long_for_a_get_is_tunneled(serve: Serve) -> None:
    fake = FakeLinkedIn()
    harness = serve(fake)
    long = "urn:li:simpleJobPostingTask:" + "x" * 5000
    harness.import_urns(task_urn(1), long, task_urn(2))
    assert harness.poll().tasks_settled == 3
    tunneled = [request for request in fake.requests if request.method == "POST"]
    assert [request.ids for request in tunneled] == [[long]]
    assert tunneled[0].headers["x-http-method-override"] == "GET"
    assert tunneled[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert {request.method for request in fake.requests} == {"GET", "POST"}


FAULTS: list[Callable[[TaskRequest], Response]] = [
    # transient: the first response about a task; the second is good
    lambda request: error_response(500),
    lambda request: Response(b"<html>Bad Gateway</html>", 502),
    lambda request: Response(status_code=503),
    lambda request: Response(bytes(task_response(request.ids).body)[:-20], media_type="application/json"),
    lambda request: Response(b""),
    lambda request: JSONResponse([]),
    lambda request: JSONResponse(None),
    lambda request: JSONResponse({"results": []}),
    lambda request: JSONResponse({"results": {}, "errors": "none"}),
    lambda request: Response(b"no gzip", headers={"content-encoding": "gzip"}),
    lambda request: Response(b"{}", headers={"content-length": "1000"}),
    lambda request: Response(b"[" * 100_000),
]


def test_a_transient_fault_leaves_no_trace_but_a_second_call(serve: Serve) -> None:
    seen: set[str] = set()

    def respond(request: TaskRequest) -> Response:
        (urn,) = request.ids
        if urn in seen:
            return task_response(request.ids)
        seen.add(urn)
        return FAULTS[int(urn.split(":")[3][:8], 16)](request)

    fake = FakeLinkedIn(respond)
    harness = serve(fake, query_string_limit=80, concurrency=16)
    harness.import_urns(*(task_urn(number) for number in range(len(FAULTS))))
    result = harness.poll()
    assert (result.tasks_settled, result.unseen) == (len(FAULTS), {})
    assert harness.budget()["calls_used"] == len(fake.requests) == 2 * len(FAULTS)


def test_what_is_not_even_http_is_transient_too(serve: Serve) -> None:
    harness = serve(FakeLinkedIn())
    harness.import_urns(task_urn(1))
    good = http_response({"results": {task_urn(1): {"status": "SUCCEEDED"}}})
    with serve_bytes(b"220 smtp ready\r\n\r\n", b"", good) as url:
        harness.configure(api_url=url)
        result = harness.poll()
    assert (result.tasks_settled, result.unseen, result.calls_used) == (1, {}, 3)


REFUSALS = [
    # status, body: nothing that a second call would change
    (403, b'{"message": "Not enough permissions"}'),
    (404, b'{"message": ["no", "text"]}'),
    (302, b""),
    (405, b"<html>\xff</html>"),
    (403, b"[" * 100_000),
]


@pytest.mark.parametrize(("status", "body"), REFUSALS, ids=["403", "404", "302", "405", "deep"])
def test_a_refused_resource_costs_one_call_and_is_reported_with_its_status(serve: Serve, status: int, body: bytes) -> None:
    fake = FakeLinkedIn(lambda request: Response(body, status, headers={"location": "/elsewhere"}))
    harness = serve(fake, concurrency=1, query_string_limit=80)
    harness.import_urns(task_urn(1), task_urn(2))
    result = harness.poll()
    assert f"HTTP {status}" in result.unseen[ACME]
    assert len(result.unseen[ACME]) < 1000
    assert len(fake.requests) == 1
    assert harness.tasks("state", "poll_count") == {task_urn(1): ("PENDING", 0), task_urn(2): ("PENDING", 0)}


def test_errors_for_single_ids_leave_those_pending_and_settle_the_rest(serve: Serve) -> None:
    missing, null, failing, coded, done = (task_urn(number) for number in range(5))

    def respond(request: TaskRequest) -> Response:
        results = {null: None, done: {"status": "FAILED", "errorMessage": "No such title"}}
        return JSONResponse({"results": results, "errors": {failing: {"status": 500, "message": "oops"}}, "statuses": {coded: 503}})

    harness = serve(FakeLinkedIn(respond))
    harness.import_urns(missing, null, failing, coded, done)
    result = harness.poll()
    pending = ("PENDING", None, None)
    assert harness.tasks("state", "status", "error_message") == {
        missing: pending,
        null: pending,
        failing: pending,
        coded: pending,
        done: ("SETTLED", "FAILED", "No such title"),
    }
    assert (result.tasks_settled, result.unseen) == (1, {})
    assert harness.poll(hours=2).tasks_due == 4


def test_a_task_is_rejected_when_three_runs_did_not_find_it(serve: Serve) -> None:
    harness = serve(make_world())
    harness.import_urns(task_urn(1))
    states = []
    for hours in (1, 2, 3):
        harness.poll(hours=hours)
        states.append(harness.tasks("state")[task_urn(1)])
    assert states == ["PENDING", "PENDING", "REJECTED"]
    assert "not found" in harness.tasks("error_message")[task_urn(1)]


def test_an_unknown_status_is_stored_and_the_task_stays_pending(serve: Serve) -> None:
    harness = serve(FakeLinkedIn(lambda request: task_response(request.ids, "ON_HOLD")))
    harness.import_urns(task_urn(1))
    assert harness.poll().tasks_settled == 0
    assert harness.tasks("state", "status") == {task_urn(1): ("PENDING", "ON_HOLD")}


@pytest.mark.parametrize("is_encoded", [False, True], ids=["plain-keys", "encoded-keys"])
def test_a_job_posted_in_several_places_gets_a_task_for_each_that_linkedin_reports(serve: Serve, is_encoded: bool) -> None:
    world = make_world()
    world.faults.percent_encode_keys = is_encoded
    state = world.applications[ACME]
    tasks = [
        world.submit(
            state, external_id=f"job-{number}", operation="CREATE", location="Oslo, Norway", other_locations=("Lyon, France", "Utrecht")
        )
        for number in range(20)
    ]
    harness = serve(world)
    harness.import_rows([world.task_row(state, task) for task in tasks])
    httpx.post(f"{harness.settings.api_url}/control/clock", json={"advance_seconds": 14 * 86_400}).raise_for_status()
    harness.poll(hours=14 * 24)
    places = {urn: (each.external_id, each.location) for urn, each in state.tasks.items()}
    unannounced = {urn for task in tasks if task.settles_at > world.seconds for urn in task.siblings}
    assert harness.tasks("external_job_posting_id", "location") == {urn: place for urn, place in places.items() if urn not in unannounced}
    assert len(harness.tasks("state")) > 40, "no place was reported, so nothing was shown"
    assert set(harness.tasks("operation", "requested_at").values()) == {("CREATE", START)}
    sent = harness.budget()["calls_used"]
    harness.poll(hours=14 * 24 + 1)
    assert harness.budget()["calls_used"] <= sent + 2
    assert "REJECTED" not in harness.tasks("state").values()


def test_a_response_about_a_task_of_an_unknown_job_is_rejected_once(serve: Serve) -> None:
    stranger = {"externalJobPostingId": "not-ours", "status": "SUCCEEDED"}

    def respond(request: TaskRequest) -> Response:
        results = {urn: {"status": "IN_PROGRESS", "externalJobPostingId": "job-0"} for urn in request.ids}
        return JSONResponse({"results": results | {task_urn(9): stranger}})

    harness = serve(FakeLinkedIn(respond))
    harness.import_urns(task_urn(1))
    for hours in (1, 2):
        assert harness.poll(hours=hours).tasks_polled == 1
    assert list(harness.tasks("state")) == [task_urn(1)]
    ((source, row),) = harness.warehouse.connection.execute("select source, row from rejected_rows").fetchall()
    assert ACME in source
    assert task_urn(9) in row


def test_a_response_to_one_application_changes_no_task_of_another(serve: Serve) -> None:
    def respond(request: TaskRequest) -> Response:
        results = {task_urn(number): {"status": "FAILED", "externalJobPostingId": "job-0"} for number in range(2)}
        return JSONResponse({"results": results}) if request.token.endswith("-of-acme") else task_response(request.ids)

    harness = serve(FakeLinkedIn(respond), make_application(ACME), make_application(BOLT))
    harness.import_urns(task_urn(0), application_urn=ACME)
    harness.import_urns(task_urn(1), application_urn=BOLT)
    harness.poll()
    assert harness.tasks("application_urn", "status") == {task_urn(0): (ACME, "FAILED"), task_urn(1): (BOLT, "SUCCEEDED")}


def test_the_refusal_of_a_single_urn_is_its_own_outcome(serve: Serve) -> None:
    harness = serve(FakeLinkedIn(lambda request: error_response(400, "Batch key parameter value is invalid")))
    (row,) = harness.fetch("nonsense")
    assert (row.outcome, row.error_message) == (Outcome.INVALID_URN, "Batch key parameter value is invalid")


def test_progress_is_reported_up_to_the_last_task(serve: Serve) -> None:
    harness = serve(FakeLinkedIn(), query_string_limit=80)
    harness.import_urns(*(task_urn(number) for number in range(5)))
    reported: list[tuple[int, int]] = []
    harness.poll(advance=lambda done, due: reported.append((done, due)))
    assert reported == [(done, 5) for done in range(1, 6)]

"""Polling: all applications side by side, one's trouble never another's, and everything that was answered kept."""

from collections.abc import Callable

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from jobrecon.linkedin.responses import Outcome
from tests.linkedin.conftest import ACME, BOLT, CORE, DUSK, START, Serve, count_calls, make_application, make_world, task_urn
from tests.linkedin.fakes import Asked, FakeLinkedIn, answered, http_answer, refused, serve_bytes


def test_answers_are_merged_into_the_tasks_and_the_changes_remembered(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 150)
    house = serve(world)
    house.import_rows(rows)
    httpx.post(f"{house.settings.api_url}/control/clock", json={"advance_seconds": 3600}).raise_for_status()
    result = house.poll(hours=1)
    told = {urn: task.result(world.seconds) for urn, task in world.applications[ACME].tasks.items()}
    expected = {urn: (each["status"], each.get("errorMessage"), each.get("jobPosting"), 1) for urn, each in told.items()}
    assert house.tasks("status", "error_message", "job_posting_urn", "poll_count") == expected
    settled = sum(1 for each in told.values() if each["status"] != "IN_PROGRESS")
    assert (result.tasks_due, result.tasks_polled, result.tasks_settled, result.tasks_left) == (150, 150, settled, 0)
    assert list(house.tasks("state").values()).count("SETTLED") == settled
    assert house.warehouse.connection.execute("select count(*), count(distinct task_urn) from task_status_changes").fetchone() == (150, 150)
    assert (result.calls_used, count_calls(world)) == (3, 3)
    assert house.poll(hours=1).tasks_due == 0, "the same moment is asked about once"


def test_nothing_is_asked_about_before_its_first_check(serve: Serve) -> None:
    fake = FakeLinkedIn()
    house = serve(fake)
    house.import_urns(task_urn(1))
    assert house.poll(hours=299 / 3600).tasks_due == 0
    assert house.poll(hours=300 / 3600).tasks_polled == 1


def test_one_applications_trouble_stops_no_other(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    world = make_world()
    world.faults.forbidden_applications = [CORE]
    world.faults.denied_token_applications = [DUSK]
    rows = [row for urn in (ACME, BOLT, CORE, DUSK) for row in world.create_tasks(urn, 70, prefix=urn)]
    applications = [make_application(DUSK), make_application(BOLT, "env:ACME"), make_application(CORE), make_application(ACME)]
    house = serve(world, *applications)
    house.import_rows(rows)
    result = house.poll()
    assert result.tasks_polled == 70
    assert set(result.unseen) == {BOLT, CORE, DUSK}
    assert all(urn in reason for urn, reason in result.unseen.items())
    assert "403" in result.unseen[CORE]
    assert "invalid_client" in result.unseen[BOLT]
    assert "access_denied" in result.unseen[DUSK]
    assert all(reason in caplog.text for reason in result.unseen.values())
    polled = {row["task_urn"] for row in rows if row["application_urn"] == ACME}
    assert {urn for urn, count in house.tasks("poll_count").items() if count} == polled
    assert result.calls_used == sum(count_calls(world, urn) for urn in (ACME, BOLT, CORE, DUSK))
    assert result.exhausted == []


def test_an_application_that_cannot_be_reached_is_noted_and_the_others_are_answered(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda asked: refused(502) if asked.token.endswith("-of-bolt") else answered(asked.ids))
    house = serve(fake, make_application(BOLT), make_application(ACME), make_application(CORE, "env:NOT_SET"))
    for index, urn in enumerate((ACME, BOLT, CORE)):
        house.import_urns(task_urn(index), application_urn=urn)
    result = house.poll()
    assert result.tasks_settled == 1
    assert "HTTP 502" in result.unseen[BOLT]
    assert "NOT_SET" in result.unseen[CORE]
    assert house.tasks("state", "poll_count") == {task_urn(0): ("SETTLED", 1), task_urn(1): ("PENDING", 0), task_urn(2): ("PENDING", 0)}
    assert house.budget(BOLT)["calls_used"] == 4


def test_a_refused_batch_is_halved_down_to_exactly_the_urns_that_are_no_task(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 57)
    bad = ["not-a-task", "urn:li:simpleJobPostingTask:"]
    house = serve(world)
    house.import_rows(rows)
    house.import_urns(*bad)
    result = house.poll()
    tasks = house.tasks("state", "status", "error_message")
    assert {urn for urn, task in tasks.items() if task[0] == "REJECTED"} == set(bad)
    assert {task[2] for urn, task in tasks.items() if urn in bad} == {"Batch key parameter value is invalid"}
    assert all(tasks[row["task_urn"]][1] for row in rows)
    assert (result.tasks_polled, result.unseen) == (59, {})
    assert house.budget()["calls_used"] == count_calls(world) < 2 * 2 * 6 + 2
    assert house.poll(hours=2).tasks_due == 57, "what is refused is not asked about again"


def test_what_a_halved_batch_answered_is_kept_when_trouble_comes_later(serve: Serve) -> None:
    def answer(asked: Asked) -> Response:
        if asked.number == 0:
            return refused(400)
        return answered(asked.ids) if asked.number == 1 else refused(403)

    house = serve(FakeLinkedIn(answer))
    house.import_urns(*(task_urn(number) for number in range(8)))
    result = house.poll()
    assert (result.tasks_settled, list(result.unseen)) == (4, [ACME])


def test_a_query_limit_set_too_high_costs_a_call_and_no_task(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 80)
    house = serve(world, query_string_limit=8000)
    house.import_rows(rows)
    result = house.poll()
    assert (result.tasks_polled, result.unseen, result.calls_used) == (80, {}, 2)
    assert "REJECTED" not in house.tasks("state").values()


def test_a_urn_too_long_for_a_get_is_tunneled_and_answered(serve: Serve) -> None:
    fake = FakeLinkedIn()
    house = serve(fake)
    long = "urn:li:simpleJobPostingTask:" + "x" * 5000
    house.import_urns(task_urn(1), long, task_urn(2))
    assert house.poll().tasks_settled == 3
    tunneled = [asked for asked in fake.asked if asked.method == "POST"]
    assert [asked.ids for asked in tunneled] == [[long]]
    assert tunneled[0].headers["x-http-method-override"] == "GET"
    assert tunneled[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert {asked.method for asked in fake.asked} == {"GET", "POST"}


FAULTS: list[Callable[[Asked], Response]] = [
    # what may pass: the first answer about a task, the second is good
    lambda asked: refused(500),
    lambda asked: Response(b"<html>Bad Gateway</html>", 502),
    lambda asked: Response(status_code=503),
    lambda asked: refused(429),
    lambda asked: Response(bytes(answered(asked.ids).body)[:-20], media_type="application/json"),
    lambda asked: Response(b""),
    lambda asked: JSONResponse([]),
    lambda asked: JSONResponse(None),
    lambda asked: JSONResponse({"results": []}),
    lambda asked: JSONResponse({"results": {}, "errors": "none"}),
    lambda asked: Response(b"no gzip", headers={"content-encoding": "gzip"}),
    lambda asked: Response(b"{}", headers={"content-length": "1000"}),
    lambda asked: Response(b"[" * 100_000),
]


def test_every_fault_that_passes_leaves_no_trace_but_a_second_call(serve: Serve) -> None:
    seen: set[str] = set()

    def answer(asked: Asked) -> Response:
        (urn,) = asked.ids
        if urn in seen:
            return answered(asked.ids)
        seen.add(urn)
        return FAULTS[int(urn.split(":")[3][:8], 16)](asked)

    fake = FakeLinkedIn(answer)
    house = serve(fake, query_string_limit=80, concurrency=16)
    house.import_urns(*(task_urn(number) for number in range(len(FAULTS))))
    result = house.poll()
    assert (result.tasks_settled, result.unseen) == (len(FAULTS), {})
    assert house.budget()["calls_used"] == len(fake.asked) == 2 * len(FAULTS)


def test_what_is_not_even_http_may_pass_too(serve: Serve) -> None:
    house = serve(FakeLinkedIn())
    house.import_urns(task_urn(1))
    good = http_answer({"results": {task_urn(1): {"status": "SUCCEEDED"}}})
    with serve_bytes(b"220 smtp ready\r\n\r\n", b"", good) as url:
        house.configure(api_url=url)
        result = house.poll()
    assert (result.tasks_settled, result.unseen, result.calls_used) == (1, {}, 3)


REFUSALS = [
    # status, body: nothing that a second call would mend
    (403, b'{"message": "Not enough permissions"}'),
    (404, b'{"message": ["no", "text"]}'),
    (302, b""),
    (405, b"<html>\xff</html>"),
    (403, b"[" * 100_000),
]


@pytest.mark.parametrize(("status", "body"), REFUSALS, ids=["403", "404", "302", "405", "deep"])
def test_a_refused_resource_costs_one_call_and_is_told_with_its_status(serve: Serve, status: int, body: bytes) -> None:
    fake = FakeLinkedIn(lambda asked: Response(body, status, headers={"location": "/elsewhere"}))
    house = serve(fake, concurrency=1, query_string_limit=80)
    house.import_urns(task_urn(1), task_urn(2))
    result = house.poll()
    assert f"HTTP {status}" in result.unseen[ACME]
    assert len(result.unseen[ACME]) < 1000
    assert len(fake.asked) == 1
    assert house.tasks("state", "poll_count") == {task_urn(1): ("PENDING", 0), task_urn(2): ("PENDING", 0)}


def test_errors_for_single_ids_leave_those_pending_and_settle_the_rest(serve: Serve) -> None:
    silent, null, failing, coded, done = (task_urn(number) for number in range(5))

    def answer(asked: Asked) -> Response:
        results = {null: None, done: {"status": "FAILED", "errorMessage": "No such title"}}
        return JSONResponse({"results": results, "errors": {failing: {"status": 500, "message": "oops"}}, "statuses": {coded: 503}})

    house = serve(FakeLinkedIn(answer))
    house.import_urns(silent, null, failing, coded, done)
    result = house.poll()
    pending = ("PENDING", None, None)
    assert house.tasks("state", "status", "error_message") == {
        silent: pending,
        null: pending,
        failing: pending,
        coded: pending,
        done: ("SETTLED", "FAILED", "No such title"),
    }
    assert (result.tasks_settled, result.unseen) == (1, {})
    assert house.poll(hours=2).tasks_due == 4


def test_a_task_is_rejected_when_three_runs_did_not_find_it(serve: Serve) -> None:
    house = serve(make_world())
    house.import_urns(task_urn(1))
    states = []
    for hours in (1, 2, 3):
        house.poll(hours=hours)
        states.append(house.tasks("state")[task_urn(1)])
    assert states == ["PENDING", "PENDING", "REJECTED"]
    assert "not found" in house.tasks("error_message")[task_urn(1)]


def test_an_unknown_status_is_kept_and_the_task_stays_pending(serve: Serve) -> None:
    house = serve(FakeLinkedIn(lambda asked: answered(asked.ids, "ON_HOLD")))
    house.import_urns(task_urn(1))
    assert house.poll().tasks_settled == 0
    assert house.tasks("state", "status") == {task_urn(1): ("PENDING", "ON_HOLD")}


@pytest.mark.parametrize("is_encoded", [False, True], ids=["plain-keys", "encoded-keys"])
def test_a_job_posted_in_several_places_gets_a_task_for_each_that_linkedin_tells_of(serve: Serve, is_encoded: bool) -> None:
    world = make_world()
    world.faults.percent_encode_keys = is_encoded
    state = world.applications[ACME]
    tasks = [
        world.submit(
            state, external_id=f"job-{number}", operation="CREATE", location="Oslo, Norway", other_locations=("Lyon, France", "Utrecht")
        )
        for number in range(20)
    ]
    house = serve(world)
    house.import_rows([world.task_row(state, task) for task in tasks])
    httpx.post(f"{house.settings.api_url}/control/clock", json={"advance_seconds": 14 * 86_400}).raise_for_status()
    house.poll(hours=14 * 24)
    told = {urn: (each.external_id, each.location) for urn, each in state.tasks.items()}
    unannounced = {urn for task in tasks if task.settles_at > world.seconds for urn in task.siblings}
    assert house.tasks("external_job_posting_id", "location") == {urn: place for urn, place in told.items() if urn not in unannounced}
    assert len(house.tasks("state")) > 40, "no place was told of, so nothing was shown"
    assert set(house.tasks("operation", "requested_at").values()) == {("CREATE", START)}
    sent = house.budget()["calls_used"]
    house.poll(hours=14 * 24 + 1)
    assert house.budget()["calls_used"] <= sent + 2
    assert "REJECTED" not in house.tasks("state").values()


def test_an_answer_about_a_task_of_no_job_we_know_is_kept_aside_once(serve: Serve) -> None:
    stranger = {"externalJobPostingId": "not-ours", "status": "SUCCEEDED"}

    def answer(asked: Asked) -> Response:
        results = {urn: {"status": "IN_PROGRESS", "externalJobPostingId": "job-0"} for urn in asked.ids}
        return JSONResponse({"results": results | {task_urn(9): stranger}})

    house = serve(FakeLinkedIn(answer))
    house.import_urns(task_urn(1))
    for hours in (1, 2):
        assert house.poll(hours=hours).tasks_polled == 1
    assert list(house.tasks("state")) == [task_urn(1)]
    ((source, row),) = house.warehouse.connection.execute("select source, row from rejected_rows").fetchall()
    assert ACME in source
    assert task_urn(9) in row


def test_an_answer_of_one_application_changes_no_task_of_another(serve: Serve) -> None:
    def answer(asked: Asked) -> Response:
        results = {task_urn(number): {"status": "FAILED", "externalJobPostingId": "job-0"} for number in range(2)}
        return JSONResponse({"results": results}) if asked.token.endswith("-of-acme") else answered(asked.ids)

    house = serve(FakeLinkedIn(answer), make_application(ACME), make_application(BOLT))
    house.import_urns(task_urn(0), application_urn=ACME)
    house.import_urns(task_urn(1), application_urn=BOLT)
    house.poll()
    assert house.tasks("application_urn", "status") == {task_urn(0): (ACME, "FAILED"), task_urn(1): (BOLT, "SUCCEEDED")}


def test_the_refusal_of_a_single_urn_is_its_own_outcome(serve: Serve) -> None:
    house = serve(FakeLinkedIn(lambda asked: refused(400, "Batch key parameter value is invalid")))
    (answer,) = house.ask("nonsense")
    assert (answer.outcome, answer.error_message) == (Outcome.INVALID_URN, "Batch key parameter value is invalid")


def test_progress_is_told_up_to_the_last_task(serve: Serve) -> None:
    house = serve(FakeLinkedIn(), query_string_limit=80)
    house.import_urns(*(task_urn(number) for number in range(5)))
    told: list[tuple[int, int]] = []
    house.poll(advance=lambda done, due: told.append((done, due)))
    assert told == [(done, 5) for done in range(1, 6)]

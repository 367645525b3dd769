"""The ledger: charged before sending, never exceeded, and a new day every UTC day."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, event
from starlette.responses import JSONResponse, Response

from jobrecon.errors import BudgetExhausted
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.budget import describe_budget
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.ledger import POSTING_STATUS, TASKS, CallLedger, read_ledger
from jobrecon.linkedin.tasks import TaskClient
from jobrecon.sandbox import FaultInjection
from tests.linkedin.conftest import (
    ACME,
    BOLT,
    START,
    PollingHarness,
    Serve,
    SteppingClock,
    count_calls,
    make_application,
    make_world,
    task_urn,
)
from tests.linkedin.fakes import FakeLinkedIn, TaskRequest, error_response, task_response
from tests.linkedin.processes import charge, run_together


def ledger_of(engine: Engine, limit: int, clock: SteppingClock | None = None) -> CallLedger:
    return CallLedger(engine, ACME, limit, clock or SteppingClock())


def test_eight_processes_that_start_on_an_empty_database_never_exceed_the_limit(landing_url: str) -> None:
    granted = run_together(8, charge, landing_url, ACME, 200, START, 30)
    assert sum(granted) == 200
    assert sum(1 for calls in granted if calls) > 1, "one process took all, so nothing was shown"
    engine = open_landing(landing_url)
    (row,) = read_ledger(engine, START.date())
    engine.dispose()
    assert (row["calls_used"], row["call_limit"], row["exhausted_at"]) == (200, 200, START)


def test_what_the_day_still_has_is_granted_and_no_more(any_engine: Engine) -> None:
    ledger = ledger_of(any_engine, 10)
    assert [ledger.charge_now(count) for count in (4, 4, 4, 4)] == [4, 4, 2, 0]
    assert ledger.count_left() == 0


def test_callers_that_wait_at_once_are_each_granted_or_refused(any_engine: Engine) -> None:
    async def charge() -> list[BaseException | None]:
        ledger = ledger_of(any_engine, 30)
        return await asyncio.gather(*(ledger.charge() for _ in range(50)), return_exceptions=True)

    outcomes = asyncio.run(charge())
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 30 + [BudgetExhausted] * 20
    assert read_ledger(any_engine, START.date())[0]["calls_used"] == 30


def test_a_new_utc_day_begins_with_all_its_calls(any_engine: Engine) -> None:
    clock = SteppingClock(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))
    ledger = ledger_of(any_engine, 5, clock)
    assert ledger.charge_now(9) == 5
    asyncio.run(ledger.mark_exhausted(clock().date()))
    clock.advance(seconds=1)
    assert ledger.count_left() == 5
    assert ledger.charge_now(2) == 2
    assert [(row["utc_date"], row["calls_used"]) for row in read_ledger(any_engine, START.date())] == [
        (date(2026, 3, 1), 5),
        (date(2026, 3, 2), 2),
    ]


def test_a_raised_limit_gives_an_exhausted_day_the_difference(any_engine: Engine) -> None:
    assert ledger_of(any_engine, 5).charge_now(6) == 5
    raised = ledger_of(any_engine, 8)
    assert raised.count_left() == 3
    assert raised.charge_now(6) == 3


def test_a_lowered_limit_takes_nothing_back_and_grants_nothing(any_engine: Engine) -> None:
    assert ledger_of(any_engine, 8).charge_now(6) == 6
    lowered = ledger_of(any_engine, 4)
    assert (lowered.count_left(), lowered.charge_now(1)) == (0, 0)
    assert read_ledger(any_engine, START.date())[0]["calls_used"] == 6


def test_a_lowered_limit_does_not_end_an_exhaustion(any_engine: Engine) -> None:
    ledger = ledger_of(any_engine, 100)
    assert ledger.charge_now(1) == 1
    asyncio.run(ledger.mark_exhausted(START.date()))
    lowered = ledger_of(any_engine, 50)
    assert lowered.charge_now(1) == 0
    assert lowered.count_left() == 0


def test_applications_have_their_own_ledgers_and_the_budget_lists_all_that_called(any_engine: Engine) -> None:
    for urn in (ACME, BOLT):
        CallLedger(any_engine, urn, 10, SteppingClock()).charge_now(3)
    described = describe_budget(any_engine, [make_application(ACME, daily_call_limit=20)], START)
    assert [(line["application_urn"], line["customer"], line["calls_used"], line["calls_left"]) for line in described] == [
        (ACME, "Acme", 3, 17),
        (BOLT, None, 3, 7),
    ]


def test_each_call_is_in_the_ledger_before_it_arrives(serve: Serve) -> None:
    charged: list[int] = []

    def respond(request: TaskRequest) -> Response:
        charged.append(harness.budget()["calls_used"])
        return error_response(503) if request.number == 2 else task_response(request.ids)

    fake = FakeLinkedIn(respond)
    harness = serve(fake, make_application(), concurrency=1, query_string_limit=80)
    harness.import_urns(*(task_urn(number) for number in range(5)))
    harness.poll()
    assert charged == [1, 2, 3, 4, 5, 6]


def test_a_call_without_a_response_is_charged(serve: Serve) -> None:
    arrived = asyncio.Event()

    async def never(request: TaskRequest) -> Response:
        arrived.set()
        await asyncio.sleep(2)
        return JSONResponse({})

    fake = FakeLinkedIn(never)
    harness = serve(fake, make_application())

    async def give_up() -> None:
        async with HttpClient() as http:
            client = TaskClient(make_application(), harness.settings, harness.engine, http, harness.clock)
            fetching = asyncio.ensure_future(anext(client.fetch([task_urn(1)])))
            while not fake.requests:
                await asyncio.sleep(0.01)
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching

    asyncio.run(give_up())
    assert harness.budget()["calls_used"] == len(fake.requests) == 1


FAULTS = [FaultInjection(), FaultInjection(error_5xx_rate=0.2, truncated_json_rate=0.1), FaultInjection(dropped_connection_rate=0.3)]


@pytest.mark.parametrize("faults", FAULTS, ids=["none", "errors", "dropped-connections"])
def test_the_ledger_equals_what_linkedin_counted(serve: Serve, faults: FaultInjection) -> None:
    world = make_world(faults=faults)
    rows = world.create_tasks(ACME, 24)
    # A kept connection that breaks must not make the client send again what was charged once.
    harness = serve(world, make_application(), concurrency=2, query_string_limit=80)
    harness.import_rows(rows)
    result = harness.poll()
    assert result.calls_used == harness.budget()["calls_used"] == count_calls(world)
    assert count_calls(world) >= 24 or result.unseen


def test_an_application_without_calls_is_not_polled(serve: Serve) -> None:
    fake = FakeLinkedIn()
    harness = serve(fake, make_application(daily_call_limit=0))
    harness.import_urns(task_urn(1))
    result = harness.poll()
    assert fake.requests == []
    assert (result.exhausted, result.unseen, result.calls_used, result.tasks_left) == ([ACME], {}, 0, 1)
    assert harness.budget()["calls_left"] == 0


def fetch_until_exhausted(harness: PollingHarness) -> int:
    """How many calls succeed before the day has none left."""
    for count in range(100):
        try:
            harness.fetch(task_urn(1))
        except BudgetExhausted:
            return count
    raise AssertionError("the limit does not end")


def test_the_limit_ends_the_calls_a_raised_one_adds_to_them_and_the_next_day_begins_anew(serve: Serve) -> None:
    world = make_world()
    harness = serve(world, make_application(daily_call_limit=5))
    counts = [fetch_until_exhausted(harness)]
    harness.limit(7)
    counts.append(fetch_until_exhausted(harness))
    harness.clock.advance(days=1)
    counts.append(fetch_until_exhausted(harness))
    assert counts == [5, 2, 7]
    assert count_calls(world) == 14


def test_runs_one_after_the_other_never_exceed_the_limit_and_report_what_they_left(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 12)
    harness = serve(world, make_application(daily_call_limit=5), concurrency=3, query_string_limit=80)
    harness.import_rows(rows)
    for hours in range(1, 8):
        result = harness.poll(hours=hours)
        harness.clock.advance(hours=1)
        assert result.tasks_left == result.tasks_due - result.tasks_polled > 0
    assert count_calls(world) == harness.budget()["calls_used"] <= 5


def test_a_call_whose_charge_takes_until_the_next_day_is_charged_to_that_day(any_engine: Engine) -> None:
    clock = SteppingClock(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))
    ledger = ledger_of(any_engine, 100, clock)
    assert ledger.charge_now(100) == 100
    full = CallLedger(any_engine, BOLT, 100, clock)

    def hold_up(*_: object) -> None:
        if clock().day == 1:
            clock.advance(seconds=2)

    async def charge(count: int) -> list[BaseException | None]:
        return await asyncio.gather(*(full.charge() for _ in range(count)), return_exceptions=True)

    # As a locked database does: the transaction begins on one day and ends on the next.
    event.listen(any_engine, "commit", hold_up)
    outcomes = asyncio.run(charge(101))
    event.remove(any_engine, "commit", hold_up)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 100 + [BudgetExhausted]
    used = {(row["application_urn"], row["utc_date"].day): row["calls_used"] for row in read_ledger(any_engine, START.date())}
    assert used == {(ACME, 1): 100, (BOLT, 1): 0, (BOLT, 2): 100}


def test_resources_have_their_own_calls_and_limits(any_engine: Engine) -> None:
    tasks, statuses = ledger_of(any_engine, 5), CallLedger(any_engine, ACME, 7, SteppingClock(), POSTING_STATUS)
    assert (tasks.charge_now(9), statuses.charge_now(9)) == (5, 7)
    assert {(row["resource"], row["calls_used"]) for row in read_ledger(any_engine, START.date())} == {(TASKS, 5), (POSTING_STATUS, 7)}
    described = describe_budget(any_engine, [make_application(ACME, daily_call_limit=6)], START, check_limit=10)
    assert [(line["resource"], line["call_limit"], line["calls_left"]) for line in described] == [(TASKS, 6, 1), (POSTING_STATUS, 10, 3)]


def test_reserved_calls_are_refunded_unless_they_were_sent(any_engine: Engine) -> None:
    async def call(count: int) -> int:
        ledger = ledger_of(any_engine, 300_000)
        workers = [asyncio.create_task(ledger.charge()) for _ in range(8)]
        await asyncio.gather(*workers)
        for _ in range(count - 8):
            await ledger.charge()
        charged = 300_000 - ledger.count_left()
        await ledger.refund()
        assert ledger.calls_used == count <= charged
        return charged

    assert asyncio.run(call(1_000)) > 1_000
    assert read_ledger(any_engine, START.date())[0]["calls_used"] == 1_000


def test_callers_that_come_while_calls_are_charged_take_from_the_reserve(any_engine: Engine) -> None:
    ledger = CallLedger(any_engine, ACME, 10_000_000, lambda: START)
    commits = 0

    def count_commit(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(any_engine, "commit", count_commit)

    async def work(number: int) -> None:
        for _ in range(200):
            await ledger.charge()
            # Calls take different times: some come back while calls are being charged.
            await asyncio.sleep(0.0003 * (number + 1))

    async def charge() -> None:
        await asyncio.gather(*(work(number) for number in range(8)))
        await ledger.refund()

    asyncio.run(charge())
    event.remove(any_engine, "commit", count_commit)
    assert ledger.calls_used == 1600
    assert ledger.count_left() == 10_000_000 - 1600
    assert commits < 100

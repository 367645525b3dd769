"""The ledger: charged before sending, never exceeded, and a new day every UTC day."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, event
from starlette.responses import JSONResponse, Response

from jobrecon.errors import BudgetExhausted, LinkedInUnreachable
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.client import LinkedInClient, open_http
from jobrecon.linkedin.ledger import CallLedger, describe_budget, read_ledger
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
from tests.linkedin.fakes import Asked, FakeLinkedIn, answered, refused
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


def test_callers_that_wait_at_once_are_each_granted_or_told(any_engine: Engine) -> None:
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


def test_a_lowered_limit_does_not_wake_an_application_that_linkedin_made_rest(any_engine: Engine) -> None:
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

    def answer(asked: Asked) -> Response:
        charged.append(house.budget()["calls_used"])
        return refused(503) if asked.number == 2 else answered(asked.ids)

    fake = FakeLinkedIn(answer)
    house = serve(fake, make_application(), concurrency=1, query_string_limit=80)
    house.import_urns(*(task_urn(number) for number in range(5)))
    house.poll()
    assert charged == [1, 2, 3, 4, 5, 6]


def test_a_call_that_is_never_answered_is_charged(serve: Serve) -> None:
    arrived = asyncio.Event()

    async def never(asked: Asked) -> Response:
        arrived.set()
        await asyncio.sleep(2)
        return JSONResponse({})

    fake = FakeLinkedIn(never)
    house = serve(fake, make_application())

    async def give_up() -> None:
        async with open_http() as http:
            client = LinkedInClient(make_application(), house.settings, house.engine, http, house.clock)
            asking = asyncio.create_task(anext(client.ask([task_urn(1)])))
            while not fake.asked:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(give_up())
    assert house.budget()["calls_used"] == len(fake.asked) == 1


TROUBLES = [FaultInjection(), FaultInjection(error_5xx_rate=0.2, truncated_json_rate=0.1), FaultInjection(dropped_connection_rate=0.3)]


@pytest.mark.parametrize("faults", TROUBLES, ids=["none", "errors", "dropped-connections"])
def test_the_ledger_equals_what_linkedin_counted(serve: Serve, faults: FaultInjection) -> None:
    world = make_world(faults=faults)
    rows = world.create_tasks(ACME, 24)
    # A kept connection that breaks must not be mended by sending again what was charged once.
    house = serve(world, make_application(), concurrency=2, query_string_limit=80)
    house.import_rows(rows)
    result = house.poll()
    assert result.calls_used == house.budget()["calls_used"] == count_calls(world)
    assert count_calls(world) >= 24 or result.unseen


def test_an_application_without_calls_is_not_asked_about(serve: Serve) -> None:
    fake = FakeLinkedIn()
    house = serve(fake, make_application(daily_call_limit=0))
    house.import_urns(task_urn(1))
    result = house.poll()
    assert fake.asked == []
    assert (result.exhausted, result.unseen, result.calls_used, result.tasks_left) == ([ACME], {}, 0, 1)
    assert house.budget()["calls_left"] == 0


def ask_until_exhausted(house: PollingHarness) -> int:
    """How many calls are answered before the day has none left."""
    for answered_count in range(100):
        try:
            house.ask(task_urn(1))
        except BudgetExhausted:
            return answered_count
    raise AssertionError("the limit does not end")


def test_the_limit_ends_the_calls_a_raised_one_adds_to_them_and_the_next_day_begins_anew(serve: Serve) -> None:
    world = make_world()
    house = serve(world, make_application(daily_call_limit=5))
    answered_counts = [ask_until_exhausted(house)]
    house.limit(7)
    answered_counts.append(ask_until_exhausted(house))
    house.clock.advance(days=1)
    answered_counts.append(ask_until_exhausted(house))
    assert answered_counts == [5, 2, 7]
    assert count_calls(world) == 14


def test_runs_one_after_the_other_never_exceed_the_limit_and_say_what_they_left(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 12)
    house = serve(world, make_application(daily_call_limit=5), concurrency=3, query_string_limit=80)
    house.import_rows(rows)
    for hours in range(1, 8):
        result = house.poll(hours=hours)
        house.clock.advance(hours=1)
        assert result.tasks_left == result.tasks_due - result.tasks_polled > 0
    assert count_calls(world) == house.budget()["calls_used"] <= 5


def test_a_429_that_lasts_rests_the_application_until_the_next_utc_day(serve: Serve) -> None:
    world = make_world(faults=FaultInjection(rate_429=1.0))
    rows = world.create_tasks(ACME, 20) + world.create_tasks(BOLT, 1)
    house = serve(world, make_application(ACME), make_application(BOLT), concurrency=2, query_string_limit=80)
    house.import_rows(rows[:20])
    result = house.poll(hours=1)
    assert (result.exhausted, result.unseen, result.tasks_polled) == ([ACME], {}, 0)
    assert house.budget()["exhausted_at"] == house.clock()
    assert house.budget()["calls_left"] == 0
    sent = count_calls(world)
    assert sent == house.budget()["calls_used"] <= 8
    world.faults.rate_429 = 0.0
    house.import_rows(rows[20:])
    later = house.poll(hours=2)
    assert (count_calls(world), later.exhausted, later.tasks_polled) == (sent, [ACME], 1)
    house.clock.advance(hours=18)
    assert house.poll(hours=18).exhausted == []
    assert 0 not in house.tasks("poll_count").values()


def test_a_day_that_ends_while_linkedin_throttles_does_not_cost_the_next_one(serve: Serve) -> None:
    def answer(asked: Asked) -> Response:
        if asked.number == 3:
            house.clock.advance(hours=18)
        return refused(429)

    fake = FakeLinkedIn(answer)
    house = serve(fake, make_application())
    with pytest.raises(BudgetExhausted):
        house.ask(task_urn(1))
    fake.answer = lambda asked: answered(asked.ids)
    assert house.clock().date() > START.date()
    assert len(house.ask(task_urn(1))) == 1


def test_a_429_among_other_faults_is_no_end_of_the_day(serve: Serve) -> None:
    house = serve(FakeLinkedIn(lambda asked: refused(503 if asked.number == 1 else 429)), make_application())
    with pytest.raises(LinkedInUnreachable):
        house.ask(task_urn(1))
    assert house.budget()["exhausted_at"] is None


def test_calls_charged_ahead_are_given_back_unless_they_were_sent(any_engine: Engine) -> None:
    async def call(count: int) -> int:
        ledger = ledger_of(any_engine, 300_000)
        workers = [asyncio.create_task(ledger.charge()) for _ in range(8)]
        await asyncio.gather(*workers)
        for _ in range(count - 8):
            await ledger.charge()
        charged = 300_000 - ledger.count_left()
        await ledger.release()
        assert ledger.calls_used == count <= charged
        return charged

    assert asyncio.run(call(1_000)) > 1_000
    assert read_ledger(any_engine, START.date())[0]["calls_used"] == 1_000


def test_callers_that_come_while_calls_are_charged_take_of_what_is_ahead(any_engine: Engine) -> None:
    ledger = CallLedger(any_engine, ACME, 10_000_000, lambda: START)
    commits = 0

    def note(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(any_engine, "commit", note)

    async def work(number: int) -> None:
        for _ in range(200):
            await ledger.charge()
            # Calls take their time, each another: some come back while calls are being charged.
            await asyncio.sleep(0.0003 * (number + 1))

    async def charge() -> None:
        await asyncio.gather(*(work(number) for number in range(8)))
        await ledger.release()

    asyncio.run(charge())
    event.remove(any_engine, "commit", note)
    assert ledger.calls_used == 1600
    assert ledger.count_left() == 10_000_000 - 1600
    assert commits < 100

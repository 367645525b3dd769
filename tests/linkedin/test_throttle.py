"""HTTP 429: how long no calls are made, by whom, and what ends it."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import Engine, text
from starlette.responses import Response

from jobrecon.clock import utc_now
from jobrecon.errors import BudgetExhausted, LinkedInUnreachable, Throttled
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.throttle import read_retry_after
from jobrecon.reconcile.opening import reconcile
from jobrecon.sandbox import FaultInjection
from jobrecon.warehouse import open_warehouse
from tests.linkedin.conftest import ACME, BOLT, START, PollingHarness, Serve, count_calls, make_application, make_world, task_urn
from tests.linkedin.fakes import FakeLinkedIn, TaskRequest, error_response, respond_well, task_response, throttle_response
from tests.linkedin.processes import fetch_at_once, run_together

DAY_TEXTS = [
    "Resource level throttle APPLICATION DAY limit for calls to this resource is reached.",
    "throttle APPLICATION_AND_MEMBER_DAY limit reached",
    "Daily request limit exceeded",
    "The limit of calls per day is reached: 100,000 is the limit per day.",
]
OTHER_TEXTS = [
    "Too many requests. Try again later today, or another day.",
    "Throttled since Monday; the limit is 100 calls a minute, not a day's.",
]


def throttled_until(harness: PollingHarness) -> datetime:
    """When the fetch that is throttled now may be repeated."""
    with pytest.raises(Throttled) as caught:
        harness.fetch(task_urn(1))
    return caught.value.until


def test_each_throttled_call_in_a_row_is_followed_by_a_longer_pause(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response())
    harness = serve(fake, make_application())
    pauses = []
    for _ in range(6):
        until = throttled_until(harness)
        pauses.append((until - harness.clock()).total_seconds() / 60)
        sent = len(fake.requests)
        harness.clock.now = until - timedelta(seconds=1)
        assert throttled_until(harness) == until
        assert len(fake.requests) == sent, "called before the end of the pause"
        harness.clock.now = until
    assert pauses == [1, 5, 15, 60, 60, 60]
    assert len(fake.requests) == harness.budget()["calls_used"] == 6


def test_a_probe_that_succeeds_ends_the_throttling_and_the_next_one_begins_with_a_minute(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: respond_well(request) if request.number == 2 else throttle_response())
    harness = serve(fake, make_application())
    harness.clock.now = throttled_until(harness)
    harness.clock.now = throttled_until(harness)
    assert len(harness.fetch(task_urn(1))) == 1
    assert throttled_until(harness) == harness.clock() + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("120", 120), ("7200", 7200), ("999999999", 86_400), (format_datetime(START + timedelta(seconds=90)), 90), ("soon", 60), ("", 60)],
)
def test_retry_after_is_honoured(serve: Serve, retry_after: str, seconds: int) -> None:
    harness = serve(FakeLinkedIn(lambda request: throttle_response(retry_after)), make_application())
    assert throttled_until(harness) == START + timedelta(seconds=seconds)


def test_a_retry_after_in_the_past_is_at_least_a_second() -> None:
    assert read_retry_after("0", START) == read_retry_after(format_datetime(START - timedelta(days=1)), START) == 1
    assert read_retry_after("9" * 400, START) == 86_400
    assert read_retry_after("Thu, 99 Foo 20260 25:00:00 GMT", START) is None


def test_short_pauses_are_waited_out_but_not_for_ever(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response(1) if request.number < 3 else respond_well(request))
    harness = serve(fake, make_application())
    assert len(harness.fetch(task_urn(1))) == 1
    assert len(fake.requests) == harness.budget()["calls_used"] == 4
    fake.respond = lambda request: throttle_response(1)
    assert throttled_until(harness) > harness.clock()
    assert len(fake.requests) == 4 + 4


@pytest.mark.parametrize("message", DAY_TEXTS)
def test_a_text_that_names_the_days_limit_ends_the_day(serve: Serve, message: str) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response(30, message))
    harness = serve(fake, make_application())
    for _ in range(2):
        with pytest.raises(BudgetExhausted):
            harness.fetch(task_urn(1))
        harness.clock.advance(hours=17)
    assert len(fake.requests) == 1
    fake.respond = respond_well
    harness.clock.advance(hours=1)
    assert len(harness.fetch(task_urn(1))) == 1


@pytest.mark.parametrize("message", OTHER_TEXTS)
@pytest.mark.parametrize(("retry_after", "seconds"), [(7200, 7200), (None, 60)])
def test_a_text_with_a_day_in_it_that_names_no_limit_of_the_day_is_a_passing_429(
    serve: Serve, message: str, retry_after: int | None, seconds: int
) -> None:
    harness = serve(FakeLinkedIn(lambda request: throttle_response(retry_after, message)), make_application())
    assert throttled_until(harness) == START + timedelta(seconds=seconds)


@pytest.mark.parametrize(("charged", "error"), [(88, Throttled), (89, BudgetExhausted)])
def test_a_429_means_the_day_once_nine_tenths_of_the_limit_are_used(serve: Serve, charged: int, error: type[Exception]) -> None:
    harness = serve(FakeLinkedIn(lambda request: throttle_response()), make_application(daily_call_limit=100))
    assert CallLedger(harness.engine, ACME, 100, harness.clock).charge_now(charged) == charged
    with pytest.raises(error):
        harness.fetch(task_urn(1))


def test_a_day_that_ends_while_its_limit_is_reported_does_not_cost_the_next_one(serve: Serve) -> None:
    def respond(request: TaskRequest) -> Response:
        harness.clock.advance(hours=18)
        return throttle_response(message=DAY_TEXTS[0])

    fake = FakeLinkedIn(respond)
    harness = serve(fake, make_application())
    with pytest.raises(BudgetExhausted):
        harness.fetch(task_urn(1))
    fake.respond = respond_well
    assert harness.clock().date() > START.date()
    assert len(harness.fetch(task_urn(1))) == 1


def test_a_pause_outlasts_midnight(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response(3600))
    harness = serve(fake, make_application())
    harness.clock.now = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    until = throttled_until(harness)
    harness.clock.advance(minutes=40)
    assert throttled_until(harness) == until == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    assert len(fake.requests) == 1
    harness.clock.now = until
    fake.respond = lambda request: throttle_response()
    assert throttled_until(harness) == until + timedelta(minutes=5)


def test_workers_that_are_throttled_together_pause_once_and_wait_for_one_probe(serve: Serve) -> None:
    overlap = asyncio.Event()
    together = 0

    async def respond(request: TaskRequest) -> Response:
        nonlocal together
        if request.number < 8:
            # All eight are under way before the first is refused.
            together += 1
            if together == 8:
                overlap.set()
            await overlap.wait()
            return throttle_response()
        if request.number == 8:
            await asyncio.sleep(0.3)
            assert len(fake.requests) == 9, "others did not wait for the probe"
        return respond_well(request)

    fake = FakeLinkedIn(respond)
    harness = serve(fake, make_application(), concurrency=8, query_string_limit=80)
    harness.import_urns(*(task_urn(number) for number in range(40)))
    result = harness.poll()
    assert "no calls until 2026-03-01 06:01:00 UTC" in result.unseen[ACME]
    assert (len(fake.requests), result.exhausted, result.tasks_polled) == (8, [], 0)
    assert harness.budget()["throttled_until"] == START + timedelta(minutes=1)
    assert harness.poll(hours=1.01).unseen == result.unseen
    assert len(fake.requests) == 8
    harness.clock.advance(minutes=1)
    result = harness.poll(hours=1.02)
    assert (result.unseen, result.tasks_polled) == ({}, 40)
    assert harness.budget()["throttled_until"] is None
    assert harness.budget()["calls_used"] == len(fake.requests) == 48


def test_several_processes_send_one_probe(serve: Serve, landing_url: str) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response())
    harness = serve(fake, make_application())
    settings = harness.settings.model_copy(update={"landing_url": landing_url})
    throttled = run_together(4, fetch_at_once, settings, make_application(), START)
    assert set(throttled) == {START + timedelta(minutes=1)}, "one after the other made the pause longer"
    sent = len(fake.requests)
    again = run_together(4, fetch_at_once, settings, make_application(), START + timedelta(minutes=1))
    assert set(again) == {START + timedelta(minutes=6)}
    assert len(fake.requests) == sent + 1

    async def respond(request: TaskRequest) -> Response:
        await asyncio.sleep(0.5 if request.number == sent + 1 else 0)
        return task_response(request.ids)

    fake.respond = respond
    assert run_together(4, fetch_at_once, settings, make_application(), START + timedelta(minutes=6)) == [1] * 4
    assert len(fake.requests) == sent + 5


def test_a_probe_without_a_response_ends_nothing_and_the_next_call_is_a_probe_again(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response())
    harness = serve(fake, make_application())
    harness.clock.now = throttled_until(harness)
    fake.respond = lambda request: error_response(503)
    with pytest.raises(LinkedInUnreachable):
        harness.fetch(task_urn(1))
    fake.respond = lambda request: throttle_response()
    assert throttled_until(harness) == harness.clock() + timedelta(minutes=5)


def test_a_probe_that_was_killed_is_followed_by_another_one(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: throttle_response() if request.number == 0 else respond_well(request))
    harness = serve(fake, make_application())
    harness.clock.now = throttled_until(harness)
    with harness.engine.begin() as connection:
        connection.execute(text("update call_budget set probe_sent_at = throttled_until"))
    harness.clock.advance(seconds=151)
    assert len(harness.fetch(task_urn(1))) == 1


def test_a_throttled_application_stops_no_other_and_is_not_called_used_up(serve: Serve) -> None:
    world = make_world(faults=FaultInjection(rate_429=1.0))
    rows = world.create_tasks(ACME, 20) + world.create_tasks(BOLT, 1)
    harness = serve(world, make_application(ACME), make_application(BOLT), concurrency=2, query_string_limit=80)
    harness.import_rows(rows[:20])
    result = harness.poll(hours=1)
    assert (result.exhausted, list(result.unseen), result.tasks_polled) == ([], [ACME], 0)
    assert "throttles" in result.unseen[ACME]
    assert "used up" not in result.unseen[ACME]
    sent = count_calls(world)
    assert sent == harness.budget()["calls_used"] <= 2
    world.faults.rate_429 = 0.0
    harness.import_rows(rows[20:])
    later = harness.poll(hours=2)
    assert (count_calls(world), list(later.unseen), later.tasks_polled) == (sent, [ACME], 1)
    harness.clock.advance(minutes=1)
    assert harness.poll(hours=3).unseen == {}
    assert 0 not in harness.tasks("poll_count").values()


def test_a_limit_by_the_minute_delays_tasks_and_loses_none(serve: Serve) -> None:
    world = make_world(faults=FaultInjection(calls_per_window=5))
    rows = world.create_tasks(ACME, 20)
    harness = serve(world, make_application(ACME), concurrency=2, query_string_limit=80)
    harness.import_rows(rows)
    ticks = 0
    while not ticks or 0 in harness.tasks("poll_count").values():
        ticks += 1
        result = harness.poll(hours=ticks)
        assert ticks < 10
        assert result.tasks_polled == 5 or not result.unseen
        assert all("throttles" in reason for reason in result.unseen.values())
        harness.clock.advance(minutes=10)
        world.seconds += 600
    assert ticks >= 4
    assert count_calls(world) == harness.budget()["calls_used"] <= 7 * ticks


def test_the_end_of_linkedins_own_day_is_recognised_by_its_text(serve: Serve) -> None:
    world = make_world(faults=FaultInjection(name_day_limit=True), call_limit=5)
    rows = world.create_tasks(ACME, 20)
    harness = serve(world, make_application(ACME), concurrency=1, query_string_limit=80)
    harness.import_rows(rows)
    for hours in (1, 2):
        assert (harness.poll(hours=hours).exhausted, count_calls(world)) == ([ACME], 6)
        harness.clock.advance(hours=1)


def test_a_run_that_was_throttled_is_incomplete_and_says_until_when(serve: Serve) -> None:
    harness = serve(FakeLinkedIn(lambda request: throttle_response(3600)), checks=False)
    harness.configure(landing_url=str(harness.engine.url))
    with open_warehouse(harness.settings) as harness.warehouse:
        harness.import_urns(task_urn(1))
    summary = reconcile(harness.settings, START + timedelta(hours=1))
    until = utc_now() + timedelta(hours=1)
    assert summary.state == "INCOMPLETE"
    (reason,) = [reason for reason in summary.incomplete_reasons if ACME in reason]
    assert f"no calls until {until:%Y-%m-%d %H}:" in reason or f"no calls until {until - timedelta(minutes=3):%Y-%m-%d %H}:" in reason


def test_a_landing_database_of_an_older_version_gets_the_columns(any_engine: Engine, landing_url: str) -> None:
    with any_engine.begin() as connection:
        for column in ("throttle_count", "throttled_until", "probe_sent_at", "denied_until"):
            connection.execute(text(f"alter table call_budget drop column {column}"))
        connection.execute(
            text(
                "insert into call_budget (application_urn, resource, utc_date, call_limit, calls_used) values ('a', 'simpleJobPostingTasks', '2026-03-01', 9, 3)"
            )
        )
    any_engine.dispose()
    engine = open_landing(landing_url)
    assert CallLedger(engine, "a", 9, lambda: START).charge_now(9) == 6
    engine.dispose()

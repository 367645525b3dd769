"""Several processes at once, and one that is killed: the budget holds, and no response is lost or counted twice."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.responses import Response

from jobrecon.landing.database import open_landing
from jobrecon.linkedin.ledger import read_ledger
from jobrecon.sandbox import FaultInjection
from jobrecon.warehouse import Warehouse, open_warehouse
from tests.linkedin.conftest import ACME, START, PollingHarness, Serve, count_calls, make_application, make_world, task_urn
from tests.linkedin.fakes import FakeLinkedIn, TaskRequest, task_response
from tests.linkedin.processes import CONTEXT, fetch_until_exhausted, poll, run_together

LIMIT = 300


def test_twenty_processes_never_send_more_than_one_applications_limit(serve: Serve, landing_url: str) -> None:
    # Dropped connections make for retries, and each of those is a call too.
    world = make_world(faults=FaultInjection(dropped_connection_rate=0.02, error_5xx_rate=0.02))
    urns = [row["task_urn"] for row in world.create_tasks(ACME, 40)]
    harness = serve(world)
    settings = harness.settings.model_copy(update={"landing_url": landing_url})
    used = run_together(20, fetch_until_exhausted, settings, make_application(daily_call_limit=LIMIT), START, urns)
    assert count_calls(world) == sum(used) == LIMIT
    assert sum(1 for calls in used if calls) > 1, "one process took all, so nothing was shown"
    engine = open_landing(landing_url)
    (row,) = read_ledger(engine, START.date())
    engine.dispose()
    assert (row["calls_used"], row["exhausted_at"]) == (LIMIT, START)


def test_twenty_runs_of_one_tick_poll_each_task_once_and_stay_within_the_limit(serve: Serve) -> None:
    # Half of the tasks are still under way, so that each run would find them due.
    fake = FakeLinkedIn(lambda request: task_response(request.ids, "IN_PROGRESS" if request.number % 2 else "SUCCEEDED"))
    application = make_application(daily_call_limit=50)
    harness = serve(fake, application, ids_per_call=10, tick_seconds=86_400, call_reserve=0, lock_wait=170)
    harness.configure(landing_url=str(harness.engine.url))
    with opened(harness):
        harness.import_urns(*(task_urn(number) for number in range(600)))
    polled = run_together(20, poll, harness.settings, application, START.replace(hour=7), 100)
    requested = [urn for each in fake.requests for urn in each.ids]
    assert len(requested) == len(set(requested)) == sum(polled) == 500
    assert len(fake.requests) == harness.budget()["calls_used"] == 50


@contextmanager
def opened(harness: PollingHarness) -> Iterator[Warehouse]:
    """The harness with its warehouse open for this block only: another process wants it afterwards."""
    with open_warehouse(harness.settings) as warehouse:
        harness.warehouse = warehouse
        yield warehouse


def test_a_run_killed_in_the_middle_keeps_what_was_merged_and_the_next_one_polls_the_rest(serve: Serve) -> None:
    batch, merge_rows, response_count = 10, 100, 35
    is_killed = threading.Event()

    async def respond(request: TaskRequest) -> Response:
        # From here on nothing is sent back until the process is dead.
        while request.number >= response_count and not is_killed.is_set():
            await asyncio.sleep(0.01)
        return task_response(request.ids)

    fake = FakeLinkedIn(respond)
    application = make_application(daily_call_limit=1000)
    harness = serve(fake, application, concurrency=2, ids_per_call=batch, tick_seconds=86_400)
    harness.configure(landing_url=str(harness.engine.url))
    urns = [task_urn(number) for number in range(600)]
    with opened(harness):
        harness.import_urns(*urns)

    run = CONTEXT.Process(target=poll, args=(harness.settings, application, START.replace(hour=7), merge_rows))
    run.start()
    while len(fake.requests) < response_count + 2:
        assert run.is_alive()
        time.sleep(0.01)
    run.kill()
    run.join()
    sent = len(fake.requests)
    with opened(harness):
        merged = {urn for urn, state in harness.tasks("state", "poll_count").items() if state == ("SETTLED", 1)}
        assert harness.tasks("poll_count") == {urn: int(urn in merged) for urn in urns}
    assert merge_rows <= len(merged) <= response_count * batch
    assert harness.budget()["calls_used"] >= sent

    is_killed.set()
    charged = harness.budget()["calls_used"]
    assert run_together(1, poll, harness.settings, application, START.replace(hour=8), merge_rows) == [len(urns) - len(merged)]
    again = [urn for request in fake.requests[sent:] for urn in request.ids]
    assert sorted(again) == sorted(set(urns) - merged)
    assert harness.budget()["calls_used"] - charged == len(fake.requests) - sent
    with opened(harness) as warehouse:
        assert harness.tasks("state", "poll_count") == dict.fromkeys(urns, ("SETTLED", 1))
        counts = warehouse.connection.execute("select count(*), count(distinct task_urn) from task_status_changes").fetchone()
    assert counts == (600, 600)


def test_two_shards_that_share_an_applications_budget_never_send_a_call_more_though_one_is_killed(serve: Serve, landing_url: str) -> None:
    # As while an application changes its shard: both machines have tasks of it, each in a warehouse of its own.
    limit, death = 100, 40
    is_killed = threading.Event()

    async def respond(request: TaskRequest) -> Response:
        while request.number >= death and not is_killed.is_set():
            await asyncio.sleep(0.01)
        return task_response(request.ids)

    fake = FakeLinkedIn(respond)
    application = make_application(daily_call_limit=limit)
    harness = serve(fake, application, ids_per_call=5, tick_seconds=86_400, call_reserve=0, concurrency=4)
    harness.configure(landing_url=landing_url)
    shards = []
    for number in range(2):
        settings = harness.settings.model_copy(update={"warehouse": str(harness.folder / f"shard-{number}.duckdb")})
        with open_warehouse(settings) as harness.warehouse:
            harness.import_urns(*(task_urn(number * 1000 + count) for count in range(400)))
        shards.append(settings)

    runs = [CONTEXT.Process(target=poll, args=(settings, application, START.replace(hour=7), 50)) for settings in shards]
    for run in runs:
        run.start()
    while len(fake.requests) < death + 2:
        assert all(run.is_alive() for run in runs)
        time.sleep(0.01)
    runs[0].kill()
    runs[0].join()
    is_killed.set()
    runs[1].join()
    run_together(1, poll, shards[0], application, START.replace(hour=8), 50)
    # The calls that were charged for the killed one and not sent are lost, none is sent in their place.
    assert limit - 20 <= len(fake.requests) <= limit
    shared = open_landing(landing_url)
    (row,) = read_ledger(shared, START.date())
    shared.dispose()
    assert len(fake.requests) <= row["calls_used"] == limit
    polled = []
    for settings in shards:
        with open_warehouse(settings) as harness.warehouse:
            polled.append({urn for urn, count in harness.tasks("poll_count").items() if count})
    assert all(polled), "one shard took all, so nothing was shown"

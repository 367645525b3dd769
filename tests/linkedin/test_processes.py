"""Several processes at once, and one that is killed: the budget holds, and what was answered is neither lost nor counted twice."""

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
from tests.linkedin.fakes import Asked, FakeLinkedIn, answered
from tests.linkedin.processes import CONTEXT, ask_until_exhausted, poll, run_together

LIMIT = 300


def test_twenty_processes_never_send_more_than_one_applications_limit(serve: Serve, landing_url: str) -> None:
    # Dropped connections make for retries, and each of those is a call too.
    world = make_world(faults=FaultInjection(dropped_connection_rate=0.02, error_5xx_rate=0.02))
    urns = [row["task_urn"] for row in world.create_tasks(ACME, 40)]
    house = serve(world)
    settings = house.settings.model_copy(update={"landing_url": landing_url})
    used = run_together(20, ask_until_exhausted, settings, make_application(daily_call_limit=LIMIT), START, urns)
    assert count_calls(world) == sum(used) == LIMIT
    assert sum(1 for calls in used if calls) > 1, "one process took all, so nothing was shown"
    engine = open_landing(landing_url)
    (row,) = read_ledger(engine, START.date())
    engine.dispose()
    assert (row["calls_used"], row["exhausted_at"]) == (LIMIT, START)


def test_twenty_runs_of_one_tick_ask_about_each_task_once_and_stay_within_the_limit(serve: Serve) -> None:
    # Half of the tasks are still under way, so that each run would find them due.
    fake = FakeLinkedIn(lambda asked: answered(asked.ids, "IN_PROGRESS" if asked.number % 2 else "SUCCEEDED"))
    application = make_application(daily_call_limit=50)
    house = serve(fake, application, ids_per_call=10, tick_seconds=86_400, call_reserve=0)
    house.configure(landing_url=str(house.engine.url))
    with opened(house):
        house.import_urns(*(task_urn(number) for number in range(600)))
    polled = run_together(20, poll, house.settings, application, START.replace(hour=7), 100)
    asked = [urn for each in fake.asked for urn in each.ids]
    assert len(asked) == len(set(asked)) == sum(polled) == 500
    assert len(fake.asked) == house.budget()["calls_used"] == 50


@contextmanager
def opened(house: PollingHarness) -> Iterator[Warehouse]:
    """The house with its warehouse open for this block only: another process wants it afterwards."""
    with open_warehouse(house.settings) as warehouse:
        house.warehouse = warehouse
        yield warehouse


def test_a_run_killed_in_the_middle_keeps_what_was_merged_and_the_next_one_asks_about_the_rest(serve: Serve) -> None:
    batch, merge_rows, answered_calls = 10, 100, 35
    is_killed = threading.Event()

    async def answer(asked: Asked) -> Response:
        # From here on nothing is answered until the process is dead.
        while asked.number >= answered_calls and not is_killed.is_set():
            await asyncio.sleep(0.01)
        return answered(asked.ids)

    fake = FakeLinkedIn(answer)
    application = make_application(daily_call_limit=1000)
    house = serve(fake, application, concurrency=2, ids_per_call=batch, tick_seconds=86_400)
    house.configure(landing_url=str(house.engine.url))
    urns = [task_urn(number) for number in range(600)]
    with opened(house):
        house.import_urns(*urns)

    run = CONTEXT.Process(target=poll, args=(house.settings, application, START.replace(hour=7), merge_rows))
    run.start()
    while len(fake.asked) < answered_calls + 2:
        assert run.is_alive()
        time.sleep(0.01)
    run.kill()
    run.join()
    sent = len(fake.asked)
    with opened(house):
        merged = {urn for urn, state in house.tasks("state", "poll_count").items() if state == ("SETTLED", 1)}
        assert house.tasks("poll_count") == {urn: int(urn in merged) for urn in urns}
    assert merge_rows <= len(merged) <= answered_calls * batch
    assert house.budget()["calls_used"] >= sent

    is_killed.set()
    charged = house.budget()["calls_used"]
    assert run_together(1, poll, house.settings, application, START.replace(hour=8), merge_rows) == [len(urns) - len(merged)]
    again = [urn for asked in fake.asked[sent:] for urn in asked.ids]
    assert sorted(again) == sorted(set(urns) - merged)
    assert house.budget()["calls_used"] - charged == len(fake.asked) - sent
    with opened(house) as warehouse:
        assert house.tasks("state", "poll_count") == dict.fromkeys(urns, ("SETTLED", 1))
        told = warehouse.connection.execute("select count(*), count(distinct task_urn) from task_status_changes").fetchone()
    assert told == (600, 600)

"""Work for several processes at once, as several runs on several machines would do it."""

import asyncio
import multiprocessing
from collections.abc import Callable
from datetime import datetime
from multiprocessing.synchronize import Barrier
from typing import Any

from jobrecon.applications import Application, Applications
from jobrecon.errors import Throttled
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.tasks import TaskClient
from jobrecon.linkedin.tokens import TokenCache
from jobrecon.reconcile import results
from jobrecon.reconcile.polling import poll_due_tasks
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse

CONTEXT = multiprocessing.get_context("forkserver")
# Imported once, not once a process.
CONTEXT.set_forkserver_preload(["jobrecon.reconcile.polling"])


def run_together(count: int, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What `work` returns in each of `count` processes that begin at the same moment."""
    results, barrier = CONTEXT.Queue(), CONTEXT.Barrier(count)
    processes = [CONTEXT.Process(target=_work, args=(results, barrier, work, arguments)) for _ in range(count)]
    for process in processes:
        process.start()
    found = [results.get(timeout=170) for _ in processes]
    for process in processes:
        process.join()
        process.close()
    return found


def _work(results: Any, barrier: Barrier, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    barrier.wait()
    try:
        results.put(work(*arguments))
    except Exception as error:  # noqa: BLE001 - the test gets it, and fails
        results.put(error)


def charge(url: str, application_urn: str, limit: int, moment: datetime, charges: int) -> int:
    """How many calls a process is granted that starts now and charges one, two and three in turn."""
    engine = open_landing(url)
    ledger = CallLedger(engine, application_urn, limit, lambda: moment)
    granted = sum(ledger.charge_now(1 + number % 3) for number in range(charges))
    engine.dispose()
    return granted


def get_token(url: str, token_url: str, application: Application, moment: datetime) -> str:
    """The token as another process gets it."""

    async def get() -> str:
        async with HttpClient() as http:
            return (await TokenCache(application, token_url, engine, http, lambda: moment).get()).get_secret_value()

    engine = open_landing(url)
    try:
        return asyncio.run(get())
    finally:
        engine.dispose()


def fetch_until_exhausted(settings: Settings, application: Application, moment: datetime, urns: list[str]) -> int:
    """How many calls a process is granted that fetches each URN in a call of its own, until the day has none left."""

    async def fetch() -> int:
        async with HttpClient() as http:
            client = TaskClient(application, settings, engine, http, lambda: moment)

            async def work(own: list[str]) -> None:
                for urn in own:
                    async for _ in client.fetch([urn]):
                        pass

            await asyncio.gather(*(work(urns[number::4]) for number in range(4)), return_exceptions=True)
            await client.ledger.refund()
            return client.ledger.calls_used

    engine = open_landing(settings.landing_url)
    try:
        return asyncio.run(fetch())
    finally:
        engine.dispose()


def fetch_at_once(settings: Settings, application: Application, moment: datetime) -> int | datetime:
    """How many rows a process gets that fetches one task, or until when it is throttled."""

    async def fetch() -> int:
        async with HttpClient() as http:
            client = TaskClient(application, settings, engine, http, lambda: moment)
            return sum([len(rows) async for rows in client.fetch(["urn:li:simpleJobPostingTask:1"])])

    engine = open_landing(settings.landing_url)
    try:
        return asyncio.run(fetch())
    except Throttled as error:
        return error.until
    finally:
        engine.dispose()


def poll(settings: Settings, application: Application, as_of: datetime, merge_rows: int) -> int:
    """A run's polling in a process of its own, that merges so many rows at once; how many tasks it polled."""
    results.MERGE_ROWS = merge_rows
    engine = open_landing(settings.landing_url)
    try:
        with open_warehouse(settings) as warehouse:
            polling = poll_due_tasks(warehouse, settings, Applications([application]), engine, as_of, "run", lambda: as_of)
            return asyncio.run(polling).tasks_polled
    finally:
        engine.dispose()

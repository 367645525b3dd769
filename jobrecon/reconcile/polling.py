"""Polling: fetch the status of due tasks, all applications concurrently, and merge results while polling goes on."""

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from jobrecon.applications import Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import BudgetExhausted, JobreconError, WarehouseError
from jobrecon.linkedin.batches import MAX_IDS, pack
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.tasks import TaskClient
from jobrecon.reconcile.allowance import count_allowed_calls
from jobrecon.reconcile.plan import Plan, Planner
from jobrecon.reconcile.results import ResultBuffer
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse

TYPICAL_ID_BYTES = len("&ids=urn:li:simpleJobPostingTask:") + 36
"""Bytes of one typical task URN in a query string: 59 fit into 4 KB."""


@dataclass
class PollResult:
    """What polling did, for all applications together."""

    tasks_polled: int = 0
    tasks_settled: int = 0
    calls_used: int = 0
    calls_left: int = 0
    unseen: dict[str, str] = field(default_factory=dict)
    """Applications that could not be polled, and why."""
    exhausted: list[str] = field(default_factory=list)
    """Applications whose calls for the day are used up while tasks are due."""
    plans: dict[str, Plan] = field(default_factory=dict, repr=False)
    delay_mean_seconds: float | None = None
    delay_p95_seconds: float | None = None
    delay_bound_seconds: float | None = None

    @property
    def tasks_due(self) -> int:
        return sum(plan.due_count for plan in self.plans.values())

    @property
    def tasks_left(self) -> int:
        return max(0, self.tasks_due - self.tasks_polled)

    def describe_delays(self, warehouse: Warehouse, as_of: datetime, tick_seconds: float) -> None:
        """The delay with which settled tasks were seen, and D*, the least possible with as many polls."""
        self.delay_mean_seconds, self.delay_p95_seconds = warehouse.run("polling/select_detection_delays", as_of=as_of)[0]
        rates = sum(plan.rate_sum for plan in self.plans.values())
        polls_per_second = sum(len(plan.task_urns) for plan in self.plans.values()) / tick_seconds
        if rates and polls_per_second:
            total = Plan([], 0, sum(plan.root_sum for plan in self.plans.values()), rates)
            self.delay_bound_seconds = total.bound_seconds(polls_per_second)


async def poll_due_tasks(
    warehouse: Warehouse,
    settings: Settings,
    applications: Applications,
    engine: Engine,
    as_of: datetime,
    run_id: str,
    clock: Clock = utc_now,
    advance: Callable[[int, int], None] = lambda _done, _planned: None,
    job: str | None = None,
) -> PollResult:
    """Poll the due tasks that fit this tick's allowance, in the planner's order.

    An error of one application is recorded in the result and stops no other. Results are committed on return. `advance` is
    called with (tasks done, tasks planned) after each batch. With `job`, only that job's tasks are polled.
    """
    result = PollResult()
    planner = Planner(warehouse, settings, as_of, job)
    planner.estimate_hazards()
    async with HttpClient() as http:
        polls = [
            ApplicationPoll(TaskClient(application, settings, engine, http, clock), planner, settings, result)
            for application in applications.active
        ]
        planned = sum(poll.prepare() for poll in polls)
        done = 0

        def count_done(count: int) -> None:
            nonlocal done
            done += count
            advance(done, planned)

        with warehouse.single_threaded() as cursor:
            buffer = ResultBuffer(cursor, as_of, run_id)
            await asyncio.gather(*(poll.run(buffer, count_done) for poll in polls))
    await buffer.finish()
    result.tasks_polled, result.tasks_settled = buffer.tasks_polled, buffer.tasks_settled
    result.describe_delays(warehouse, as_of, settings.tick_seconds)
    return result


class ApplicationPoll:
    """One application's part of a tick: its plan, its workers, its errors."""

    def __init__(self, client: TaskClient, planner: Planner, settings: Settings, result: PollResult) -> None:
        self.client = client
        self.planner = planner
        self.settings = settings
        self.result = result
        self.urn = client.application.urn
        self.errors: list[JobreconError] = []
        self.batches: Iterator[list[str]] = iter(())
        self.polled_count = 0

    def prepare(self) -> int:
        """Plan the tick; returns the number of tasks to poll."""
        settings, ledger = self.settings, self.client.ledger
        try:
            left = ledger.count_left()
        except JobreconError as error:
            self.errors.append(error)
            left = 0
        allowance = (
            left
            if self.planner.job
            else count_allowed_calls(left, ledger.call_limit, ledger.clock(), settings.tick_seconds, settings.call_reserve)
        )
        ids_per_call = settings.ids_per_call or max(1, settings.query_string_limit // TYPICAL_ID_BYTES)
        plan = self.planner.plan(self.urn, allowance * ids_per_call)
        self.result.plans[self.urn] = plan
        if plan.due_count and not left and not self.errors:
            self.errors.append(ledger.explain_exhausted())
        limits = (math.inf, settings.ids_per_call) if settings.ids_per_call else (settings.query_string_limit, MAX_IDS)
        # Longer URNs than the typical need more calls than the allowance has: the next tick polls what is left.
        self.batches = islice(pack(plan.task_urns, *limits), allowance)
        return len(plan.task_urns)

    async def run(self, buffer: ResultBuffer, count_done: Callable[[int], None]) -> None:
        """Poll with as many workers as the settings allow; errors are recorded in the result, never raised."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(self.settings.concurrency):
                workers.create_task(self._work(buffer, count_done))
        ledger = self.client.ledger
        self.result.calls_used += ledger.calls_used
        try:
            await ledger.refund()
            left = await asyncio.to_thread(ledger.count_left)
            self.result.calls_left += left
            if not left and self.result.plans[self.urn].due_count > self.polled_count:
                self.errors.append(ledger.explain_exhausted())
        except JobreconError as error:
            self.errors.append(error)
        if not self.errors:
            return
        # An error of the warehouse is none of this application's: no result can be stored any more.
        for failure in self.errors:
            if isinstance(failure, WarehouseError):
                raise failure
        if isinstance(self.errors[0], BudgetExhausted):
            self.result.exhausted.append(self.urn)
        else:
            self.result.unseen[self.urn] = str(self.errors[0])

    async def _work(self, buffer: ResultBuffer, count_done: Callable[[int], None]) -> None:
        # The first error ends all workers, each after its current call: that one is charged already.
        while not self.errors and (batch := next(self.batches, None)):
            try:
                async for responses in self.client.fetch(batch):
                    await buffer.add(self.urn, responses)
            except JobreconError as error:
                self.errors.append(error)
            self.polled_count += len(batch)
            count_done(len(batch))

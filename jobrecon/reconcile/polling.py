"""Polling: ask LinkedIn about due tasks, all applications side by side, and merge what it says while asking goes on."""

import asyncio
import logging
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
from jobrecon.linkedin.client import LinkedInClient, open_http
from jobrecon.reconcile.allowance import allow_calls
from jobrecon.reconcile.plan import Plan, Planner
from jobrecon.reconcile.results import ResultBuffer
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse

log = logging.getLogger(__name__)

USUAL_ID_BYTES = len("&ids=urn:li:simpleJobPostingTask:") + 36
"""What one task URN of the usual kind takes in a query string: 59 fit into 4 KB."""


@dataclass
class PollResult:
    """What polling did, for all applications together."""

    tasks_polled: int = 0
    tasks_settled: int = 0
    calls_used: int = 0
    calls_left: int = 0
    unseen: dict[str, str] = field(default_factory=dict)
    """Applications that could not be asked, and why."""
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
        """How late settled tasks were seen, and D*, how late they would be seen at best with as many looks."""
        self.delay_mean_seconds, self.delay_p95_seconds = warehouse.run("polling/select_detection_delays", as_of=as_of)[0]
        rates = sum(plan.rate_sum for plan in self.plans.values())
        looks = sum(len(plan.task_urns) for plan in self.plans.values()) / tick_seconds
        if rates and looks:
            whole = Plan([], 0, sum(plan.root_sum for plan in self.plans.values()), rates)
            self.delay_bound_seconds = whole.bound_seconds(looks)


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
    """Ask about the due tasks that this tick's share of the day's calls suffices for, the most telling first.

    One application's trouble is noted in the result and stops no other. What was answered is in the warehouse on return.
    `advance` is told (tasks done, tasks planned) now and then. With `job`, only that job's tasks are asked about.
    """
    result = PollResult()
    planner = Planner(warehouse, settings, as_of, job)
    planner.learn()
    async with open_http() as http:
        polls = [
            ApplicationPoll(LinkedInClient(application, settings, engine, http, clock), planner, settings, result)
            for application in applications
        ]
        planned = sum(poll.prepare() for poll in polls)
        done = 0

        def note(count: int) -> None:
            nonlocal done
            done += count
            advance(done, planned)

        with warehouse.single_threaded() as branch:
            buffer = ResultBuffer(branch, as_of, run_id)
            await asyncio.gather(*(poll.run(buffer, note) for poll in polls))
    await buffer.finish()
    result.tasks_polled, result.tasks_settled = buffer.tasks_polled, buffer.tasks_settled
    result.describe_delays(warehouse, as_of, settings.tick_seconds)
    return result


class ApplicationPoll:
    """One application's part of a tick: its plan, its workers, its trouble."""

    def __init__(self, client: LinkedInClient, planner: Planner, settings: Settings, result: PollResult) -> None:
        self.client = client
        self.planner = planner
        self.settings = settings
        self.result = result
        self.urn = client.application.urn
        self.problems: list[JobreconError] = []
        self.batches: Iterator[list[str]] = iter(())
        self.asked_count = 0

    def prepare(self) -> int:
        """Plan the tick; returns how many tasks it asks about."""
        settings, ledger = self.settings, self.client.ledger
        try:
            left = ledger.count_left()
        except JobreconError as error:
            self.problems.append(error)
            left = 0
        share = (
            left if self.planner.job else allow_calls(left, ledger.call_limit, ledger.clock(), settings.tick_seconds, settings.call_reserve)
        )
        ids_per_call = settings.ids_per_call or max(1, settings.query_string_limit // USUAL_ID_BYTES)
        plan = self.planner.plan(self.urn, share * ids_per_call)
        self.result.plans[self.urn] = plan
        if plan.due_count and not left and not self.problems:
            self.problems.append(ledger.explain_exhausted())
        limits = (math.inf, settings.ids_per_call) if settings.ids_per_call else (settings.query_string_limit, MAX_IDS)
        # URNs longer than usual fill more calls than the share has: what it leaves, the next tick takes.
        self.batches = islice(pack(plan.task_urns, *limits), share)
        return len(plan.task_urns)

    async def run(self, buffer: ResultBuffer, note: Callable[[int], None]) -> None:
        """Ask, with as many workers as are allowed; notes trouble in the result, never raises it."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(self.settings.concurrency):
                workers.create_task(self._work(buffer, note))
        ledger = self.client.ledger
        self.result.calls_used += ledger.calls_used
        try:
            await ledger.release()
            left = await asyncio.to_thread(ledger.count_left)
            self.result.calls_left += left
            if not left and self.result.plans[self.urn].due_count > self.asked_count:
                self.problems.append(ledger.explain_exhausted())
        except JobreconError as error:
            self.problems.append(error)
        if not self.problems:
            return
        for problem in self.problems:
            if isinstance(problem, WarehouseError):
                # No trouble of this application's: nothing can be kept any more.
                raise problem
        log.warning("%s", self.problems[0])
        if isinstance(self.problems[0], BudgetExhausted):
            self.result.exhausted.append(self.urn)
        else:
            self.result.unseen[self.urn] = str(self.problems[0])

    async def _work(self, buffer: ResultBuffer, note: Callable[[int], None]) -> None:
        # The first trouble ends all workers, each after the call it has under way: that one is charged already.
        while not self.problems and (batch := next(self.batches, None)):
            try:
                async for answers in self.client.ask(batch):
                    await buffer.add(self.urn, answers)
            except JobreconError as error:
                self.problems.append(error)
            self.asked_count += len(batch)
            note(len(batch))

"""Polling: ask LinkedIn about due tasks, all applications side by side, and merge what it says while asking goes on."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Engine

from jobrecon.applications import Application, Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import BudgetExhausted, JobreconError
from jobrecon.linkedin.answers import Answer
from jobrecon.linkedin.batches import pack
from jobrecon.linkedin.client import LinkedInClient, open_http
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.schema import STAGED

log = logging.getLogger(__name__)

MERGE_ROWS = 50_000
"""Results merged at once: one row costs 15 ms, a million one second."""


@dataclass
class PollResult:
    """What polling did, for all applications together."""

    tasks_due: int = 0
    tasks_polled: int = 0
    tasks_settled: int = 0
    calls_used: int = 0
    calls_left: int = 0
    unseen: dict[str, str] = field(default_factory=dict)
    """Applications that could not be asked, and why."""
    exhausted: list[str] = field(default_factory=list)
    """Applications whose calls did not suffice for the due tasks."""

    @property
    def tasks_left(self) -> int:
        return max(0, self.tasks_due - self.tasks_polled)


class ResultBuffer:
    """Answers on their way into the warehouse, merged in bulk by one thread while asking goes on."""

    def __init__(self, warehouse: Warehouse, as_of: datetime, run_id: str, result: PollResult) -> None:
        self.warehouse = warehouse
        self.as_of = as_of
        self.run_id = run_id
        self.result = result
        self._rows: list[tuple[str, str, Answer, int]] = []
        self._batch = 0
        self._lock = asyncio.Lock()

    async def add(self, application_urn: str, answers: list[Answer]) -> None:
        self._batch += 1
        self._rows += [(application_urn, answer.task_urn, answer, self._batch) for answer in answers]
        if len(self._rows) >= MERGE_ROWS and not self._lock.locked():
            await self.flush()

    async def flush(self) -> None:
        """Merge what has gathered; on return it is committed."""
        async with self._lock:
            rows, self._rows = self._rows, []
            if rows:
                self.result.tasks_settled += await asyncio.to_thread(self._merge, rows)
                self.result.tasks_polled += sum(1 for row in rows if row[2].is_asked)

    def _merge(self, rows: list[tuple[str, str, Answer, int]]) -> int:
        columns = list(zip(*(answer for _, _, answer, _ in rows), strict=True))
        urns, outcomes, statuses, messages, postings, jobs, locations, asked = columns
        table = pa.table(
            {
                "task_urn": urns,
                "application_urn": [row[0] for row in rows],
                "outcome": outcomes,
                "status": statuses,
                "error_message": messages,
                "job_posting_urn": postings,
                "external_job_posting_id": jobs,
                "location": locations,
                "batch": [row[3] for row in rows],
                "is_asked": asked,
            },
            schema=STAGED["staged_results"],
        )
        staged = {"staged_results": table}
        with self.warehouse.transaction():
            if not all(asked):
                self.warehouse.run("merge/multiplied_tasks", staged, as_of=self.as_of)
                self.warehouse.run("merge/unasked_rejects", staged, as_of=self.as_of)
            self.warehouse.run("merge/status_changes", staged, as_of=self.as_of, run_id=self.run_id)
            self.warehouse.run("merge/task_results", staged, as_of=self.as_of)
        return self.warehouse.count("merge/settled_count", staged, as_of=self.as_of)


async def poll_due_tasks(
    warehouse: Warehouse,
    settings: Settings,
    applications: Applications,
    engine: Engine,
    as_of: datetime,
    run_id: str,
    clock: Clock = utc_now,
    advance: Callable[[int, int], None] = lambda _done, _due: None,
) -> PollResult:
    """Ask about every due task the day's calls suffice for, the most telling first.

    One application's trouble is noted in the result and stops no other. What was answered is in the warehouse on return.
    `advance` is told (tasks done, tasks due) now and then.
    """
    result = PollResult()
    due = {
        application.urn: [
            urn
            for (urn,) in warehouse.run(
                "plan/due_tasks",
                as_of=as_of,
                application_urn=application.urn,
                first_check_after=settings.first_check_after,
                lifespan_seconds=settings.task_lifespan_days * 86_400,
            )
        ]
        for application in applications
    }
    result.tasks_due = sum(len(urns) for urns in due.values())
    buffer = ResultBuffer(warehouse.branch(), as_of, run_id, result)
    done = 0

    async with open_http() as http:

        async def poll_application(application: Application) -> None:
            client = LinkedInClient(application, settings, engine, http, clock)
            batches = pack(due[application.urn], settings.query_string_limit)
            problems: list[JobreconError] = []

            async def work() -> None:
                nonlocal done
                for batch in batches:
                    try:
                        async for answers in client.ask(batch):
                            await buffer.add(application.urn, answers)
                    except JobreconError as error:
                        problems.append(error)
                    # The first trouble ends them all, each after the call it has under way: that one is charged already.
                    if problems:
                        return
                    done += len(batch)
                    advance(done, result.tasks_due)

            async with asyncio.TaskGroup() as workers:
                for _ in range(settings.concurrency):
                    workers.create_task(work())
            try:
                result.calls_used += client.ledger.calls_used
                result.calls_left += await asyncio.to_thread(client.ledger.count_left)
            except JobreconError as error:
                problems.append(error)
            if not problems:
                return
            log.warning("%s", problems[0])
            if isinstance(problems[0], BudgetExhausted):
                result.exhausted.append(application.urn)
            else:
                result.unseen[application.urn] = str(problems[0])

        await asyncio.gather(*(poll_application(application) for application in applications))
        await buffer.flush()
    return result

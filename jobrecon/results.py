"""Answers on their way into the warehouse: gathered while asking goes on, merged in bulk by one thread."""

import asyncio
from datetime import datetime
from itertools import chain, repeat

import pyarrow as pa

from jobrecon.linkedin.answers import Answer
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.schema import STAGED

MERGE_ROWS = 50_000
"""Answers merged at once: one row costs 15 ms, a million one second."""


class ResultBuffer:
    """Answers on their way into the warehouse, merged in bulk by one thread while asking goes on."""

    def __init__(self, warehouse: Warehouse, as_of: datetime, run_id: str) -> None:
        self.warehouse = warehouse
        self.as_of = as_of
        self.run_id = run_id
        self.tasks_polled = 0
        self.tasks_settled = 0
        self._rows: list[tuple[str, int, list[Answer]]] = []
        self._count = 0
        self._batch = 0
        self._lock = asyncio.Lock()

    async def add(self, application_urn: str, answers: list[Answer]) -> None:
        self._batch += 1
        self._rows.append((application_urn, self._batch, answers))
        self._count += len(answers)
        if self._count >= MERGE_ROWS and not self._lock.locked():
            await self.flush()

    async def flush(self) -> None:
        """Merge what has gathered; on return it is committed."""
        async with self._lock:
            rows, self._rows, self._count = self._rows, [], 0
            if rows:
                self.tasks_settled += await asyncio.to_thread(self._merge, rows)

    def _merge(self, rows: list[tuple[str, int, list[Answer]]]) -> int:
        urns, outcomes, statuses, messages, postings, jobs, locations, asked = zip(
            *chain.from_iterable(row[2] for row in rows), strict=True
        )
        sizes = [len(answers) for _, _, answers in rows]
        self.tasks_polled += sum(asked)
        table = pa.table(
            {
                "task_urn": urns,
                "application_urn": list(chain.from_iterable(repeat(row[0], size) for row, size in zip(rows, sizes, strict=True))),
                "outcome": outcomes,
                "status": statuses,
                "error_message": messages,
                "job_posting_urn": postings,
                "external_job_posting_id": jobs,
                "location": locations,
                "batch": list(chain.from_iterable(repeat(row[1], size) for row, size in zip(rows, sizes, strict=True))),
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

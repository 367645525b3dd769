"""Task results on their way into the warehouse: buffered while polling goes on, merged in bulk by one thread."""

import asyncio
from datetime import datetime
from itertools import repeat
from typing import Any

import pyarrow as pa

from jobrecon.linkedin.responses import TaskResponse, TaskResponses
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.schema import STAGED

MERGE_ROWS = 200_000
"""Results merged at once: one row costs 15 ms, all of these half a second."""


class ResultBuffer:
    """Collects task results and merges them in bulk, in a thread, while polling goes on."""

    def __init__(self, warehouse: Warehouse, as_of: datetime, run_id: str) -> None:
        self.warehouse = warehouse
        self.as_of = as_of
        self.run_id = run_id
        self.tasks_polled = 0
        self._settled_before = self._count_settled()
        self._columns = _empty_columns()
        self._batch = 0
        self._lock = asyncio.Lock()

    async def add(self, application_urn: str, responses: TaskResponses) -> None:
        for name, values in zip(TaskResponse._fields, responses.columns, strict=True):
            self._columns[name].extend(values)
        self._batch += 1
        self._columns["application_urn"].extend(repeat(application_urn, len(responses)))
        self._columns["batch"].extend(repeat(self._batch, len(responses)))
        if len(self._columns["batch"]) >= MERGE_ROWS and not self._lock.locked():
            await self.flush()

    async def finish(self) -> None:
        """Merge the rest and insert the status changes; committed on return."""
        await self.flush()
        await asyncio.to_thread(self.warehouse.run, "tasks/insert_status_changes", run_id=self.run_id)

    async def flush(self) -> None:
        """Merge what is buffered; committed on return."""
        async with self._lock:
            columns, self._columns = self._columns, _empty_columns()
            if columns["batch"]:
                await asyncio.to_thread(self._merge, columns)

    @property
    def tasks_settled(self) -> int:
        """Tasks that the results merged so far settled."""
        return self._count_settled() - self._settled_before

    def _count_settled(self) -> int:
        return self.warehouse.count("tasks/select_settled_count", as_of=self.as_of)

    def _merge(self, columns: dict[str, list[Any]]) -> None:
        is_requested = columns["is_requested"]
        self.tasks_polled += sum(is_requested)
        table = pa.table(columns, schema=STAGED["staged_results"])
        with self.warehouse.transaction():
            if not all(is_requested):
                self.warehouse.run("tasks/insert_multiplied_tasks", {"staged_results": table}, as_of=self.as_of)
                self.warehouse.run("tasks/insert_unrequested_rejects", {"staged_results": table}, as_of=self.as_of)
                table = _deduplicate(table)
            self.warehouse.touch("touched/insert_polled_jobs", {"staged_results": table})
            self.warehouse.run("tasks/update_task_results", {"staged_results": table}, as_of=self.as_of)


def _deduplicate(table: pa.Table) -> pa.Table:
    """One result for each task: requested before unrequested, then the first received."""
    rows = table.append_column("row", pa.array(range(len(table)))).sort_by([("is_requested", "descending"), ("batch", "ascending")])
    first = rows.group_by("task_urn", use_threads=False).aggregate([("row", "first")])
    return table.take(first["row_first"])


def _empty_columns() -> dict[str, list[Any]]:
    return {name: [] for name in STAGED["staged_results"].names}

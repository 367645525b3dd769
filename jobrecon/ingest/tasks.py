"""Importing tasks: good rows go in, bad ones are recorded with file, line and reason."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from jobrecon.applications import Applications
from jobrecon.errors import InputError
from jobrecon.ingest.files import STDIN, ReadOptions, open_input, read_parts
from jobrecon.ingest.result import ImportResult
from jobrecon.ingest.staging import MAX_ROW_LENGTH, TASK_COLUMNS, stage_rows
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage

REQUIRED = TASK_COLUMNS[:4]


def import_tasks(
    warehouse: Warehouse,
    path: Path,
    applications: Applications,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
    options: ReadOptions | None = None,
    *,
    is_dry_run: bool = False,
) -> ImportResult:
    """Add the tasks of a CSV, Parquet, JSON or NDJSON file, `-` for standard input. Doing it again adds nothing.

    `advance` receives the number of rows of each part that is done. Raises `InputError` for a file that is unusable as a whole,
    which is recorded in `rejected_rows` too. A dry run changes nothing.
    """
    options = options or ReadOptions()
    source = "stdin" if path == STDIN else str(path)
    result = ImportResult(source)
    try:
        with open_input(path) as file, discard_changes(warehouse) if is_dry_run else nullcontext():
            parts = read_parts(source, file, REQUIRED, options, result.notes)
            merge_tasks(warehouse, result, parts, applications, now, advance, timezone=options.timezone, is_open=is_dry_run)
    except InputError as error:
        if not is_dry_run:
            rejected = {"source": source, "line": None, "reason": str(error), "row": None}
            warehouse.run("tasks/insert_rejected_rows", stage("staged_rejects", [rejected]), rejected_at=now)
        raise
    return result


def merge_tasks(
    warehouse: Warehouse,
    result: ImportResult,
    parts: Iterable[pa.Table],
    applications: Applications,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
    *,
    timezone: str = "UTC",
    since: datetime | None = None,
    is_open: bool = False,
) -> None:
    """Check tasks and merge them, part by part of `staged_import`; each part is committed on its own unless a transaction is open.

    Tasks requested before `since` that are not known yet came late: they are merged, and a note says so.
    """
    urns = [application.urn for application in applications]
    late, oldest, unknown_operations = 0, now, 0
    for part in parts:
        warehouse.run(
            "tasks/create_checked_import",
            {"staged_import": part},
            default_application=find_default(applications),
            applications=urns,
            max_row_length=MAX_ROW_LENGTH,
            timezone=timezone,
            now=now,
        )
        if applications.is_sharded:
            result.skipped += warehouse.count(
                "tasks/delete_rows_of_other_shards", own=urns, others=applications.others, is_default_shard=applications.is_default_shard
            )
        if since:
            late_count, oldest_requested_at = warehouse.run("tasks/select_late_count", since=since)[0]
            late, oldest = late + late_count, min(oldest, oldest_requested_at or oldest)
        with nullcontext() if is_open else warehouse.transaction():
            warehouse.touch("touched/insert_imported_jobs")
            added = warehouse.change("tasks/insert_imported_tasks", imported_at=now)
            warehouse.run("tasks/insert_import_rejects", rejected_at=now)
        for counts in warehouse.read("tasks/select_import_counts"):
            result.added += added
            result.known += counts["good"] - added
            unknown_operations += counts["unknown_operations"]
        for row in warehouse.read("tasks/select_import_reasons"):
            result.reject(row["reason"], row["row_count"], [(item["line"], item["example"]) for item in row["examples"]])
        advance(len(part))
    if unknown_operations:
        result.notes.append(f"{unknown_operations:,} rows with an operation other than CREATE, UPDATE, RENEW, CLOSE: imported as they are")
    if late:
        result.notes.append(
            f"{late:,} new tasks were older than the overlap (the oldest was requested at {oldest.isoformat(timespec='seconds')}): "
            "others like them may have been missed; raise JOBRECON_TASK_SOURCE_OVERLAP"
        )


def retry_rejected(warehouse: Warehouse, applications: Applications, now: datetime) -> ImportResult:
    """Import the rows that were rejected because their application was not configured, where it is by now."""
    result = ImportResult("rejected_rows")
    rejected = warehouse.read(
        "tasks/select_retried_rows",
        default_application=find_default(applications),
        applications=[application.urn for application in applications],
    )
    by_source: dict[str, list[dict[str, Any]]] = {}
    for row in rejected:
        by_source.setdefault(row["source"], []).append(row)
    for source, rows in by_source.items():
        values = ((row["line"], orjson.loads(row["row"]), None, None) for row in rows)
        with warehouse.transaction():
            warehouse.run("tasks/delete_retried_rows", stage("staged_rejects", rows))
            merge_tasks(warehouse, result, stage_rows(source, values), applications, now, is_open=True)
    return result


def merge_customers(warehouse: Warehouse, customers: Mapping[str, pa.Table]) -> None:
    """Bring the customers up to `staged_customers`; the jobs of those that changed are touched."""
    with warehouse.transaction():
        warehouse.touch("touched/insert_customer_jobs", customers)
        warehouse.run("postings/merge_customers", customers)


def expire_tasks(warehouse: Warehouse, settings: Settings, as_of: datetime) -> None:
    """Expire pending tasks older than their lifespan; their jobs are touched."""
    values: dict[str, Any] = {"as_of": as_of, "lifespan_seconds": settings.task_lifespan_days * 86_400}
    with warehouse.transaction():
        warehouse.touch("touched/insert_expired_jobs", **values)
        warehouse.run("tasks/update_expired_tasks", **values)


def find_default(applications: Applications) -> str | None:
    """The application of rows that name none: the only one that is configured."""
    return next(iter(applications)).urn if len(applications) == 1 and not applications.is_sharded else None


class _Discarded(Exception):
    pass


@contextmanager
def discard_changes(warehouse: Warehouse) -> Iterator[None]:
    """Run the block, then undo what it changed in the warehouse."""
    try:
        with warehouse.transaction():
            yield
            raise _Discarded
    except _Discarded:
        pass

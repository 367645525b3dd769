"""Importing tasks: the good rows go in, the bad ones are kept with file, line and reason."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from jobrecon.applications import Applications
from jobrecon.errors import InputError
from jobrecon.ingest.files import ImportResult, read_parts
from jobrecon.ingest.staging import MAX_ROW_LENGTH, TASK_COLUMNS
from jobrecon.warehouse.connection import Warehouse, stage

REQUIRED = TASK_COLUMNS[:4]


def import_tasks(
    warehouse: Warehouse, path: Path, applications: Applications, now: datetime, advance: Callable[[int], None] = lambda _: None
) -> ImportResult:
    """Add the tasks of a CSV, Parquet, JSON or NDJSON file. Doing it again adds nothing.

    `advance` is told the rows of each part that is done. Raises `InputError` for a file that is unusable as a whole; that is
    also kept in `rejected_rows`.
    """
    result = ImportResult(str(path))
    try:
        merge_tasks(warehouse, result, read_parts(path, REQUIRED), applications, now, advance)
    except InputError as error:
        warehouse.run(
            "tasks/insert_rejected_rows",
            stage("staged_rejects", [{"source": str(path), "line": None, "reason": str(error), "row": None}]),
            rejected_at=now,
        )
        raise
    return result


def merge_tasks(
    warehouse: Warehouse,
    result: ImportResult,
    parts: Iterable[pa.Table],
    applications: Applications,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Check tasks and merge them, part by part of `staged_import`; each part is committed on its own."""
    urns = [application.urn for application in applications]
    default = urns[0] if len(urns) == 1 else None
    for part in parts:
        warehouse.run(
            "tasks/create_checked_import",
            {"staged_import": part},
            default_application=default,
            applications=urns,
            max_row_length=MAX_ROW_LENGTH,
        )
        with warehouse.transaction():
            added = warehouse.count("tasks/insert_imported_tasks", imported_at=now)
            warehouse.run("tasks/insert_import_rejects", rejected_at=now)
        for counts in warehouse.read("tasks/select_import_counts"):
            result.added += added
            result.known += counts["good"] - added
            result.rejected += counts["rejected"]
            if counts["unknown_operations"]:
                result.notes.append(
                    f"{counts['unknown_operations']} rows with an operation other than CREATE, UPDATE, RENEW, CLOSE: kept as they are"
                )
        for reason in warehouse.read("tasks/select_import_reasons"):
            text = f"{reason['reason']} (first in line {reason['first_line']})"
            result.reasons[text] = result.reasons.get(text, 0) + reason["row_count"]
        advance(len(part))

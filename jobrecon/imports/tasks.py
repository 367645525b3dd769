"""Importing tasks: the good rows go in, the bad ones are kept with file, line and reason."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from jobrecon.applications import Applications
from jobrecon.errors import InputError
from jobrecon.imports.files import CHUNK_ROWS, LONGEST_KEPT_ROW, TASK_COLUMNS, ImportResult, Row, read_rows
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
        merge_task_rows(warehouse, result, read_rows(path, REQUIRED), applications, now, advance)
    except InputError as error:
        warehouse.run(
            "merge/rejects",
            stage("staged_rejects", [{"source": str(path), "line": None, "reason": str(error), "row": None}]),
            rejected_at=now,
        )
        raise
    return result


def merge_task_rows(
    warehouse: Warehouse,
    result: ImportResult,
    rows: Iterable[Row],
    applications: Applications,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Check rows and merge them, part by part; each part is committed on its own."""
    urns = [application.urn for application in applications]
    default = urns[0] if len(urns) == 1 else None
    for part in _split(rows):
        staged = stage("staged_import", [_stage_row(result.source, row) for row in part])
        warehouse.run("merge/checked_import", staged, default_application=default, applications=urns)
        with warehouse.transaction():
            added = warehouse.count("merge/imported_tasks", imported_at=now)
            warehouse.run("merge/import_rejects", rejected_at=now)
        for counts in warehouse.read("merge/import_counts"):
            result.added += added
            result.known += counts["good"] - added
            result.rejected += counts["rejected"]
            if counts["unknown_operations"]:
                result.notes.append(
                    f"{counts['unknown_operations']} rows with an operation other than CREATE, UPDATE, RENEW, CLOSE: kept as they are"
                )
        for reason in warehouse.read("merge/import_reasons"):
            text = f"{reason['reason']} (first in line {reason['first_line']})"
            result.reasons[text] = result.reasons.get(text, 0) + reason["row_count"]
        advance(len(part))


def _split(rows: Iterable[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    for row in rows:
        part.append(row)
        if len(part) == CHUNK_ROWS:
            yield part
            part = []
    if part:
        yield part


def _stage_row(source: str, row: Row) -> dict[str, Any]:
    line, values, text, problem = row
    staged: dict[str, Any] = {"source": source, "line": line, "row": text[:LONGEST_KEPT_ROW], "problem": problem}
    if values is not None:
        for name in TASK_COLUMNS:
            staged[name] = _as_text(values.get(name))
        if any("\0" in (staged[name] or "") for name in TASK_COLUMNS):
            staged["problem"] = "holds a NUL character"
        if not text:
            staged["row"] = orjson.dumps({name: staged[name] for name in TASK_COLUMNS}).decode()
    return staged


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping | list | bool):
        return orjson.dumps(value).decode()
    return str(value)

"""Rows and columns of the input as parts of `staged_import`: all text, for the checks in SQL."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from jobrecon.warehouse.schema import STAGED

CHUNK_ROWS = 50_000
CHUNK_CHARACTERS = 8_000_000
"""A part ends with whichever comes first, so that long rows fill no memory."""
MAX_ROW_LENGTH = 10_000
"""Characters that are stored of a refused row."""
TASK_COLUMNS = ("task_urn", "external_job_posting_id", "operation", "requested_at", "application_urn", "location", "title")
COLUMNAR_ROWS, SCANNED_ROWS = 200_000, 20_000
"""What comes in columns makes larger parts; DuckDB shares out a part among its threads by pieces of the second size."""

Row = tuple[int, Mapping[str, Any] | None, str | None, str | None]
"""Line, values (None for a broken row), the row as it came where it was a line of text, and what is wrong with it."""


def stage_rows(source: str, rows: Iterable[Row]) -> Iterator[pa.Table]:
    """Rows in parts, read as the parts are consumed."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        part.append(_stage_row(source, row))
        size += len(row[2] or "")
        if len(part) == CHUNK_ROWS or size > CHUNK_CHARACTERS:
            yield _trim(pa.Table.from_pylist(part, schema=STAGED["staged_import"]))
            part, size = [], 0
    if part:
        yield _trim(pa.Table.from_pylist(part, schema=STAGED["staged_import"]))


def stage_columns(source: str, first_line: int, batch: pa.RecordBatch) -> pa.Table:
    """A part that comes in columns already; what it lacks is null. Its rows are counted from `first_line` on."""
    columns = dict(zip((name.strip().lower() for name in batch.schema.names), batch.columns, strict=True))
    given = {name: _column_as_text(column) for name, column in columns.items() if name in TASK_COLUMNS}
    given |= {"source": pa.repeat(source, len(batch)), "line": pa.array(range(first_line, first_line + len(batch)))}
    schema = STAGED["staged_import"]
    part = _trim(pa.table([given.get(name, pa.nulls(len(batch), pa.string())) for name in schema.names], schema=schema))
    return pa.Table.from_batches(part.to_batches(max_chunksize=SCANNED_ROWS), schema=schema)


def stage_table(source: str, rows: pa.Table) -> pa.Table:
    """A part of rows that are parsed already: `line`, and those of our columns that the file has, as text."""
    given = dict(zip(rows.schema.names, rows.columns, strict=True)) | {"source": pa.repeat(source, len(rows))}
    schema = STAGED["staged_import"]
    return _trim(pa.table([given.get(name, pa.nulls(len(rows), pa.string())) for name in schema.names], schema=schema))


def _trim(part: pa.Table) -> pa.Table:
    """Without the spaces and line ends around each value: here, as DuckDB's trim takes as long as all other checks together."""
    for name in TASK_COLUMNS:
        part = part.set_column(part.schema.get_field_index(name), name, pc.ascii_trim(part.column(name), " \t\r\n"))
    return part


def _column_as_text(column: pa.Array) -> pa.Array:
    """Times as text in UTC: Python's own hold neither nanoseconds nor every year."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.timestamp("us"), safe=False)
    return column.cast(pa.string())


def _stage_row(source: str, row: Row) -> dict[str, Any]:
    line, values, text, problem = row
    staged: dict[str, Any] = {"source": source, "line": line, "row": text and text[:MAX_ROW_LENGTH], "problem": problem}
    if values is not None:
        staged |= {name: _as_text(values.get(name)) for name in TASK_COLUMNS}
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

"""Rows and columns of the input as parts of `staged_import`: all text, for the checks in SQL."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from jobrecon.warehouse.schema import STAGED
from models.values import APPLICATION_URN_PREFIX, BLANKS, read_application_urn, read_id, read_text

CHUNK_ROWS = 50_000
CHUNK_CHARACTERS = 8_000_000
"""A part ends with whichever comes first, so that long rows fill no memory."""
MAX_ROW_LENGTH = 10_000
"""Characters that are stored of a refused row."""
TASK_COLUMNS = ("task_urn", "external_job_posting_id", "operation", "requested_at", "application_urn", "location", "title")
SCANNED_ROWS = 20_000
"""DuckDB shares out a part among its threads by pieces of this size."""

Row = tuple[int, Mapping[str, Any] | None, str | None, str | None]
"""Line, values (None for a broken row), the row as it came where it was a line of text, and what is wrong with it."""


def write_moment(value: Any) -> str | None:
    """A moment as text that the checks read: without an offset where it has none."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return read_id(Decimal(value))
    if isinstance(value, bool | Mapping | list):
        raise ValueError("is neither text nor a number")
    return read_id(value)


READERS: dict[str, Callable[[Any], str | None]] = {
    "task_urn": read_id,
    "external_job_posting_id": read_id,
    "operation": read_id,
    "requested_at": write_moment,
    "application_urn": read_application_urn,
    "location": read_text,
    "title": read_text,
}


def stage_rows(source: str, rows: Iterable[Row]) -> Iterator[pa.Table]:
    """Rows in parts, read as the parts are consumed."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        part.append(_stage_row(source, row))
        size += len(row[2] or "")
        if len(part) == CHUNK_ROWS or size > CHUNK_CHARACTERS:
            yield pa.Table.from_pylist(part, schema=STAGED["staged_import"])
            part, size = [], 0
    if part:
        yield pa.Table.from_pylist(part, schema=STAGED["staged_import"])


def stage_columns(source: str, columns: Mapping[str, pa.Array], lines: pa.Array) -> Iterator[pa.Table]:
    """A part that comes in columns already. What it lacks is null; a column of an unusual type is read value by value."""
    given = {name: _read_column(name, column) for name, column in columns.items() if name in READERS}
    if any(column is None for column in given.values()):
        names = list(given)
        values = zip(*(columns[name].to_pylist() for name in names), strict=True)
        yield from stage_rows(
            source, ((line.as_py(), dict(zip(names, row, strict=True)), None, None) for line, row in zip(lines, values, strict=True))
        )
        return
    known: dict[str, Any] = given | {"source": pa.repeat(source, len(lines)), "line": lines}
    schema = STAGED["staged_import"]
    part = pa.table([known.get(name, pa.nulls(len(lines), pa.string())) for name in schema.names], schema=schema)
    yield pa.Table.from_batches(part.to_batches(max_chunksize=SCANNED_ROWS), schema=schema)


def _read_column(name: str, column: Any) -> Any:
    """A column as the readers of single values read it; None where it needs them."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if name == "requested_at" and pa.types.is_timestamp(kind):
        # Python's own hold neither nanoseconds nor every year.
        text = pc.strftime(column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.timestamp("us")), "%Y-%m-%dT%H:%M:%S")
        return pc.binary_join_element_wise(text, "Z", "") if kind.tz else text
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_integer(kind) and name not in ("location", "title"):
        text = column.cast(pa.string())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        # Trimmed here, as DuckDB's trim takes as long as all other checks together.
        text = pc.utf8_trim(column.cast(pa.string()), BLANKS)
    else:
        return None
    if name == "application_urn":
        return pc.replace_substring_regex(text, r"^(\d+)$", rf"{APPLICATION_URN_PREFIX}\1")
    return text


def _stage_row(source: str, row: Row) -> dict[str, Any]:
    line, values, text, problem = row
    staged: dict[str, Any] = {"source": source, "line": line, "row": text and text[:MAX_ROW_LENGTH], "problem": problem}
    if values is None:
        return staged
    for name, read in READERS.items():
        try:
            staged[name] = read(values.get(name))
        except ValueError as error:
            staged["problem"] = f"{name} {error}"
            staged["row"] = text or orjson.dumps({key: str(value) for key, value in values.items() if key in READERS}).decode()
    return staged

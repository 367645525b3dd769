"""Input files, read in bulk: CSV, Parquet, JSON and NDJSON as staged text with the line each row came from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as parquet

from jobrecon.errors import InputError
from jobrecon.ingest.csv_files import read_csv
from jobrecon.ingest.staging import COLUMNAR_ROWS, TASK_COLUMNS, Row, stage_columns, stage_rows
from jobrecon.ingest.text_files import read_lines


@dataclass
class ImportResult:
    """What became of one file."""

    source: str
    added: int = 0
    known: int = 0
    rejected: int = 0
    notes: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def read_parts(path: Path, required: Iterable[str]) -> Iterator[pa.Table]:
    """The rows of a file as parts of `staged_import`, read as its ending or its beginning says.

    Raises `InputError` for a file that is unusable as a whole.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Nothing of it was imported.") from error
    if size == 0:
        raise InputError(f"{path} is empty. Nothing was imported from it.")
    suffix = path.suffix.lower()
    if start.startswith(b"PAR1") or suffix in (".parquet", ".pq"):
        return _read_parquet(path, tuple(required))
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if suffix in (".ndjson", ".jsonl", ".json") or first in (b"{", b"["):
        return stage_rows(str(path), _read_json_array(path) if first == b"[" else _read_json_lines(path))
    return read_csv(str(path), read_lines(path), tuple(required))


def _read_json_lines(path: Path) -> Iterator[Row]:
    """One JSON object a line; a line that is none has a problem."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not text:
                continue
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield number, None, text.decode(errors="replace"), f"is no JSON: {error}"
                continue
            yield _json_row(number, value, text)


def _read_json_array(path: Path) -> Iterator[Row]:
    try:
        values = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON: {error}. Nothing of it was imported.") from None
    for number, value in enumerate(values, start=1):
        yield _json_row(number, value, orjson.dumps(value))


def _json_row(number: int, value: Any, text: bytes) -> Row:
    if isinstance(value, dict):
        return number, {name.strip().lower(): cell for name, cell in value.items()}, text.decode(), None
    return number, None, text.decode(), "is JSON, but not an object"


def _read_parquet(path: Path, required: tuple[str, ...]) -> Iterator[Row]:
    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} is no Parquet file that can be read: {str(error).splitlines()[0][:200]}. Nothing of it was imported."
        ) from None
    with file:
        schema = pa.schema([item.with_name(item.name.strip().lower()) for item in file.schema_arrow])
        if missing := [name for name in required if name not in schema.names]:
            raise InputError(
                f"{path} has no column {', '.join(missing)}. Nothing of it was imported. Add the column and import the file again."
            )
        wrong = [f"{item.name} is {item.type}" for item in schema if item.name in TASK_COLUMNS and not _is_usable(item)]
        if wrong:
            raise InputError(
                f"{path} has columns of a wrong type: {', '.join(wrong)}. Text is expected, for requested_at text or a timestamp. "
                "Nothing of it was imported. Write the columns as text and import the file again."
            )
        columns = [name for name, plain in zip(file.schema_arrow.names, schema.names, strict=True) if plain in TASK_COLUMNS]
        number = 0
        try:
            for batch in file.iter_batches(batch_size=COLUMNAR_ROWS, columns=columns):
                part = stage_columns(str(path), number + 1, batch)
                part.validate(full=True)
                yield part
                number += len(part)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{path} is broken after row {number}: {str(error).splitlines()[0][:200]}. What was imported is not added twice; correct the file and import it again."
            ) from None


def _is_usable(item: Any) -> bool:
    type_ = item.type.value_type if pa.types.is_dictionary(item.type) else item.type
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_) or pa.types.is_null(type_)
    return bool(is_text or (item.name == "requested_at" and (pa.types.is_timestamp(item.type) or pa.types.is_date(item.type))))

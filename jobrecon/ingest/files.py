"""Input files of any format, plain or gzipped, or from standard input, as parts of `staged_import`."""

import codecs
import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobrecon.errors import ConfigurationError, InputError
from jobrecon.ingest.csv_files import read_csv
from jobrecon.ingest.json_files import read_lines, read_list
from jobrecon.ingest.parquet_files import read_parquet
from jobrecon.ingest.staging import TASK_COLUMNS, stage_rows
from jobrecon.ingest.text_files import decode_lines, split_lines

STDIN = Path("-")


@dataclass(frozen=True)
class ReadOptions:
    """How a file is written, where that is not as the import expects it."""

    encoding: str = "utf-8"
    timezone: str = "UTC"
    """Zone of moments without an offset."""
    date_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column by the name that the file gives it, in lower case."""

    def __post_init__(self) -> None:
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ConfigurationError(f"--encoding names no encoding: {self.encoding!r}. Write it as latin-1 or utf-16.") from None
        try:
            ZoneInfo(self.timezone)
        except (ValueError, OSError, KeyError):
            raise ConfigurationError(f"--timezone names no time zone: {self.timezone!r}. Write it as Europe/Berlin.") from None
        if unknown := [name for name in self.columns.values() if name not in TASK_COLUMNS]:
            raise ConfigurationError(f"--map names no column of the import: {unknown[0]!r}. They are {', '.join(TASK_COLUMNS)}.")

    @property
    def zone(self) -> tzinfo:
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)


@contextmanager
def open_input(path: Path) -> Iterator[Path]:
    """The file, unpacked where it is gzipped; standard input where it is `-`. Raises `InputError` where it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="jobrecon-") as folder:
        try:
            if path == STDIN:
                path = Path(folder) / "stdin"
                with path.open("wb") as copy:
                    shutil.copyfileobj(sys.stdin.buffer, copy)
            with path.open("rb") as file:
                is_gzipped = file.read(2) == b"\x1f\x8b"
            if is_gzipped:
                unpacked = Path(folder) / path.stem
                with gzip.open(path, "rb") as packed, unpacked.open("wb") as copy:
                    shutil.copyfileobj(packed, copy)
                path = unpacked
        except (OSError, EOFError) as error:
            cause = getattr(error, "strerror", None) or str(error)
            raise InputError(f"{path} cannot be read: {cause}. Nothing of it was imported.") from error
        yield path


def read_parts(source: str, path: Path, required: tuple[str, ...], options: ReadOptions, notes: list[str]) -> Iterator[pa.Table]:
    """The rows of a file as parts of `staged_import`, read as its ending or its beginning says.

    Raises `InputError` for a file that is unusable as a whole. `notes` gets what was ignored.
    """
    for part in _read_format(source, path, required, options, notes):
        yield _apply_date_format(part, options) if options.date_format else part


def _read_format(source: str, path: Path, required: tuple[str, ...], options: ReadOptions, notes: list[str]) -> Iterator[pa.Table]:
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise InputError(f"{source} is empty. Nothing was imported from it.")
    suffix = path.suffix.lower()
    if start.startswith(b"PAR1") or suffix in (".parquet", ".pq"):
        yield from read_parquet(source, path, required, options.columns)
        return
    is_utf8 = codecs.lookup(options.encoding).name == "utf-8"
    text = start.decode("utf-8-sig" if is_utf8 else options.encoding, errors="ignore").lstrip("\ufeff \t\r\n")
    if suffix in (".ndjson", ".jsonl", ".json") or text[:1] in ("{", "["):
        if text[:1] == "[":
            content = "\n".join(line for lines in decode_lines(source, path, options.encoding) for line in lines)
            yield from stage_rows(source, read_list(content, options.columns))
        elif is_utf8:
            # Line by line, so that one that is no UTF-8 is refused alone.
            yield from stage_rows(source, read_lines(split_lines(path), options.columns))
        else:
            encoded = (line.encode() for lines in decode_lines(source, path, options.encoding) for line in lines)
            yield from stage_rows(source, read_lines(encoded, options.columns))
        return
    yield from read_csv(source, decode_lines(source, path, options.encoding), required, options.columns, notes)


def _apply_date_format(part: pa.Table, options: ReadOptions) -> pa.Table:
    """Moments that are written as `--date-format` says, as ISO 8601; others have a problem."""
    read: dict[str, str] = {}
    index, problems = part.schema.get_field_index("requested_at"), part.column("problem").to_pylist()
    moments = part.column("requested_at").to_pylist()
    for place, text in enumerate(moments):
        if not text or problems[place]:
            continue
        try:
            if text not in read:
                read[text] = datetime.strptime(text, options.date_format or "").isoformat()  # noqa: DTZ007 - the checks add the zone
            moments[place] = read[text]
        except ValueError:
            problems[place] = f"requested_at is not written as --date-format {options.date_format} says"
    part = part.set_column(index, "requested_at", pa.array(moments, pa.string()))
    return part.set_column(part.schema.get_field_index("problem"), "problem", pa.array(problems, pa.string()))

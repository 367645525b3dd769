"""CSV files, read by DuckDB's `read_csv`, with every line accounted for.

DuckDB's own sniffer and its handling of broken quotes lose rows silently. So it is given only records that are well-formed by
themselves, each with its line number in front; what it does not return is refused by that number. A quote that is not closed
costs its own line, not those that follow.
"""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa

from jobrecon.errors import InputError
from jobrecon.ingest.staging import TASK_COLUMNS, Row, stage_columns, stage_rows
from jobrecon.warehouse.duckdb_file import connect

DELIMITERS = (",", ";", "\t")
_SEPARATOR_HINT = re.compile(r"sep=.", re.IGNORECASE)
MAX_FIELD_LENGTH = 1_000_000
"""Characters of a field over several lines; a quote that closes later than that counts as not closed."""


def read_csv(
    source: str, chunks: Iterable[list[str]], required: Iterable[str], columns: Mapping[str, str], notes: list[str]
) -> Iterator[pa.Table]:
    """The rows of a CSV file as parts of `staged_import`, from its lines. Raises `InputError` for a header that is none."""
    chunks = iter(chunks)
    lines = next(chunks, [])
    # Excel writes `sep=;` before the header, other programs an empty line.
    skipped = next((index for index, line in enumerate(lines) if line.strip() and not _SEPARATOR_HINT.fullmatch(line)), 0)
    layout = read_header(source, lines[skipped] if lines else "", required, columns)
    reader = CsvReader(source, layout, number=skipped + 2)
    with tempfile.NamedTemporaryFile(mode="w+", encoding="utf-8", newline="", suffix=".csv") as file, connect() as connection:
        lines = lines[skipped + 1 :]
        while True:
            following = next(chunks, None)
            yield from reader.read(lines, file, connection, is_last=following is None)
            if following is None:
                break
            lines = following
    if reader.ignored_count:
        notes.append(f"{reader.ignored_count:,} lines of nothing but separators were ignored")


@dataclass(frozen=True)
class Layout:
    """What the header says: the delimiter, and the columns in their order."""

    delimiter: str
    names: tuple[str, ...]

    @cached_property
    def record(self) -> re.Pattern[str]:
        """A record that is well-formed, over one line or several."""
        return re.compile(rf"{self._field}(?:{self._mark}{self._field})*+")

    @cached_property
    def opening(self) -> re.Pattern[str]:
        """A line that ends within a quoted field."""
        return re.compile(rf'(?:{self._field}{self._mark})*+"(?:[^"]|"")*+')

    @property
    def _mark(self) -> str:
        return re.escape(self.delimiter)

    @property
    def _field(self) -> str:
        return rf'(?:"(?:[^"]|"")*+"|[^"{self._mark}\n]*+)'

    def is_like_record(self, line: str) -> bool:
        """Whether a line within a quoted field is more likely a row of its own: as many fields, an operation, a moment."""
        if line.count(self.delimiter) != len(self.names) - 1:
            return False
        cells = dict(zip(self.names, line.split(self.delimiter), strict=True))
        operation, moment = cells.get("operation", ""), cells.get("requested_at", "")
        return operation.strip(' "').isalpha() and any(map(str.isdigit, moment))


def read_header(source: str, line: str, required: Iterable[str], columns: Mapping[str, str]) -> Layout:
    """The delimiter under which the header names most of our columns. Raises `InputError` where a required one is missing."""
    layouts = []
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error as error:
            raise InputError(f"The header of {source} cannot be read: {error}. Nothing of it was imported.") from None
        names = [cell.strip().lower() for cell in cells]
        mapped = {columns[name] for name in names if name in columns}
        # A column that --map names goes before one that has our name by chance.
        layouts.append(Layout(delimiter, tuple(columns.get(name, "" if name in mapped else name) for name in names)))
    layout = max(layouts, key=lambda item: len(set(item.names) & set(TASK_COLUMNS)))
    if missing := [name for name in required if name not in layout.names]:
        raise InputError(
            f"{source} has no column {', '.join(missing)} (its columns: {', '.join(layout.names)[:300]}). Nothing of it was imported. "
            "Add the column, or name the one that stands for it with --map, and import the file again."
        )
    if twice := [name for name in TASK_COLUMNS if layout.names.count(name) > 1]:
        raise InputError(f"{source} has more than one column {', '.join(twice)}. Nothing of it was imported. Rename the others.")
    return layout


@dataclass
class CsvReader:
    """Goes through the lines in order; lines of a field that does not end within a chunk wait for the next one."""

    source: str
    layout: Layout
    number: int
    waiting: list[str] = field(default_factory=list)
    ignored_count: int = 0

    def read(self, lines: list[str], file: IO[str], connection: duckdb.DuckDBPyConnection, *, is_last: bool) -> Iterator[pa.Table]:
        """The rows of these lines: parsed by DuckDB, refused, or rescued from what DuckDB did not return."""
        records, rows = self.split([*self.waiting, *lines], is_last=is_last)
        mark = self.layout.delimiter
        file.seek(0)
        file.truncate()
        file.write("\n".join(f"{number}{mark}{text}" for number, text in records.items()))
        file.flush()
        if records:
            table = self._parse(Path(file.name), connection)
            if len(table) < len(records):
                for number in records.keys() - set(table.column("line").to_pylist()):
                    rows.append(self._read_alone(number, records[number]))
            if len(table):
                table = table.combine_chunks()
                columns = {name: column.chunk(0) for name, column in zip(table.schema.names, table.columns, strict=True)}
                yield from stage_columns(self.source, columns, columns.pop("line"))
        yield from stage_rows(self.source, sorted(rows, key=lambda row: row[0]))

    def _parse(self, path: Path, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        columns = {"line": "bigint"} | {f"c{index}": "varchar" for index in range(len(self.layout.names))}
        wanted = ", ".join(f"c{index} as {name}" for index, name in enumerate(self.layout.names) if name in TASK_COLUMNS)
        return connection.execute(
            f"select line, {wanted} from read_csv($path, columns = {columns}, delim = $delimiter, header = false, auto_detect = false, "
            "quote = '\"', escape = '\"', new_line = '\\n', ignore_errors = true, max_line_size = 150000000)",
            {"path": str(path), "delimiter": self.layout.delimiter},
        ).to_arrow_table()

    def split(self, lines: list[str], *, is_last: bool) -> tuple[dict[int, str], list[Row]]:
        """Well-formed records by their first line's number, and the rows of all other lines."""
        records: dict[int, str] = {}
        rows: list[Row] = []
        self.waiting = []
        index, number = 0, self.number
        blank = self.layout.delimiter + " \t"
        while index < len(lines):
            line = lines[index]
            length = 1
            if not line.strip(blank):
                self.ignored_count += bool(line.strip())
            elif "\0" in line:
                rows.append((number, None, line, "holds a NUL character"))
            elif '"' not in line or self.layout.record.fullmatch(line):
                records[number] = line
            elif not self.layout.opening.fullmatch(line):
                rows.append(self._read_alone(number, line))
            else:
                length = self._measure_record(lines, index)
                if length == 0 and not is_last:
                    self.waiting = lines[index:]
                    break
                if length > 1:
                    records[number] = "\n".join(lines[index : index + length])
                else:
                    rows.append((number, None, line, "opens a quote that is not closed"))
                    length = 1
            index += length
            number += length
        self.number = number
        return records, rows

    def _measure_record(self, lines: list[str], start: int) -> int:
        """How many lines the record takes that begins with an open quote; 1 where it does not close, 0 where lines run out."""
        length = 0
        is_complete = lines[start].count(self.layout.delimiter) >= len(self.layout.names) - 1
        for index in range(start + 1, len(lines)):
            line = lines[index]
            length += len(line)
            is_closing = '"' in line and self.layout.record.fullmatch(f'"{line}') is not None
            if self.layout.is_like_record(line) and (is_complete or not is_closing):
                return 1
            if is_closing:
                return index - start + 1
            if length > MAX_FIELD_LENGTH or ('"' in line and not self.layout.opening.fullmatch(f'"{line}')):
                return 1
        return 0

    def _read_alone(self, number: int, text: str) -> Row:
        """A record that is not well-formed, or of another width: a quote within a field is text, empty fields too many are ignored."""
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.layout.delimiter, skipinitialspace=True))
        except csv.Error as error:
            return number, None, text, f"cannot be read: {error}"
        width = len(self.layout.names)
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            return number, None, text, f"has {len(cells)} fields where the header has {width}"
        return number, dict(zip(self.layout.names, cells, strict=False)), text, None

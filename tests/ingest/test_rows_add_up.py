"""Whatever a file holds, its rows are added, known or rejected: nothing is lost, nothing counts twice."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrecon.applications import Applications
from jobrecon.ingest import import_tasks
from jobrecon.ingest.csv_files import CsvReader, read_csv, read_header
from jobrecon.ingest.staging import READERS, stage_columns, stage_rows
from jobrecon.warehouse import Warehouse
from tests.ingest.conftest import NOW, read

EXAMPLES = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
REQUIRED = ("task_urn", "external_job_posting_id", "operation", "requested_at")

nasty = st.sampled_from(
    ['"', '""', ",", ";", "\t", "\\", "\0", "'", " ", '5" x', '"a', 'a"', "\ufeff", "\ud7ff", "é", "a\nb", "a\r\nb", "=1+1"]
)
cells = st.one_of(st.text(alphabet="ab, \"\t;'\\é\0", max_size=8), nasty, st.just("x"))
records = st.tuples(st.integers(0, 30).map("t{}".format), cells, st.just("CREATE"), st.just("2026-02-28"), cells)


def quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@st.composite
def hostile_csv(draw: Any) -> tuple[str, int]:
    """The text of a file, and how many of its rows are well-formed records by RFC 4180."""
    mark = draw(st.sampled_from(",;\t"))
    lines, count = [mark.join((*REQUIRED, "title"))], 0
    for kind in draw(st.lists(st.sampled_from(["good", "good", "raw", "open", "blank", "separators", "short"]), max_size=12)):
        record = draw(records)
        if kind == "good":
            lines.append(mark.join(map(quote, record)))
            count += 1
        elif kind == "raw":
            lines.append(mark.join(record))
        elif kind == "open":
            lines.append(mark.join((*record[:4], '"' + record[4])))
        elif kind == "short":
            lines.append(record[1])
        else:
            lines.append("" if kind == "blank" else mark * 4)
    text = "".join(line + draw(st.sampled_from(["\n", "\r\n", "\r"])) for line in lines)
    return text, count


def split(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@EXAMPLES
@given(hostile_csv(), st.integers(1, 5))
def test_every_line_of_a_csv_file_belongs_to_one_row_or_is_ignored(content: tuple[str, int], size: int) -> None:
    header, *lines = split(content[0])
    reader = CsvReader("x", read_header("x", header, REQUIRED, {}), number=2)
    covered: list[int] = []
    for start in range(0, len(lines), size):
        records, rows = reader.split([*reader.waiting, *lines[start : start + size]], is_last=start + size >= len(lines))
        for number, text in [*records.items(), *((row[0], row[2] or "") for row in rows)]:
            assert text == "\n".join(lines[number - 2 :][: text.count("\n") + 1])
            covered += range(number, number + text.count("\n") + 1)
    assert len(set(covered)) == len(covered), "no line is part of two rows"
    ignored = set(range(2, len(lines) + 2)) - set(covered)
    assert not [number for number in ignored if lines[number - 2].strip(",;\t ")]


@EXAMPLES
@given(hostile_csv())
def test_every_record_that_is_handed_to_duckdb_comes_back_or_is_refused(content: tuple[str, int]) -> None:
    header, *lines = split(content[0])
    reader = CsvReader("x", read_header("x", header, REQUIRED, {}), number=2)
    records, rows = reader.split(lines, is_last=True)
    parts = read_csv("x", [[header, *lines]], REQUIRED, {}, [])
    assert sorted(row["line"] for part in parts for row in part.to_pylist()) == sorted([*records, *(row[0] for row in rows)])


@EXAMPLES
@given(hostile_csv())
def test_the_rows_of_a_csv_file_add_up_however_it_is_cut(content: tuple[str, int]) -> None:
    lines = split(content[0])

    def read_rows(size: int) -> list[dict[str, Any]]:
        chunks = [lines[start : start + size] for start in range(0, len(lines), size)]
        parts = read_csv("x", chunks, REQUIRED, {}, [])
        return sorted((row for part in parts for row in part.to_pylist()), key=lambda row: row["line"])

    assert read_rows(1) == read_rows(3) == read_rows(len(lines))


HUGE = [
    template % number
    for template in ('{"task_urn": %s}', '{"requested_at": %s}', '{"title": %s}')
    for number in ("1e99999999999999999999", "1e-99999999999999999999", "1E+999999999", "1E+9999999999", "1e-999999999")
]
"""Numbers that no memory holds written out, and that no decimal has: each costs its own line."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            records.map(lambda record: dict(zip((*REQUIRED, "title"), record, strict=True))), st.none(), st.integers(), cells, st.just({})
        ),
        max_size=8,
    )
)
def test_the_rows_of_json_and_parquet_add_up(warehouse: Warehouse, tmp_path: Path, values: list[Any]) -> None:
    for table in ("job_tasks", "rejected_rows"):
        read(warehouse, f"delete from {table}")
    lines = [json.dumps(value) for value in values]
    broken = ["{", '{"task_urn": NaN}', '{"task_urn": 1e999}', "[" * 1000, "\\ud800", *HUGE]
    for name, text in (("a.ndjson", "\n".join([*lines, *broken])), ("a.json", "[" + ",\n".join(lines) + "]")):
        (tmp_path / name).write_text(text or " ", encoding="utf-8")
        result = import_tasks(warehouse, tmp_path / name, Applications([]), NOW)
        expected = len(lines) + len(broken) * (name == "a.ndjson")
        assert result.added + result.known + result.rejected == expected, result
    rows = [value for value in values if isinstance(value, dict) and value]
    if rows:
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
        result = import_tasks(warehouse, tmp_path / "a.parquet", Applications([]), NOW)
        assert result.added + result.known + result.rejected == len(rows)
    stored = read(warehouse, "select count(*) from job_tasks")[0][0]
    assert stored == len({row[0] for row in read(warehouse, "select task_urn from job_tasks")})


@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from([" 7 ", "\u00a0x\u3000", "1001", "urn:li:x:1", ""])), min_size=1, max_size=6)
)
def test_a_column_of_text_is_read_as_its_values_are(values: list[str]) -> None:
    lines = pa.array(range(len(values)), pa.int64())
    columns = dict.fromkeys(READERS, pa.array(values))
    rows = [(number, dict.fromkeys(READERS, value), None, None) for number, value in enumerate(values)]
    (by_column,) = stage_columns("x", columns, lines)
    (by_row,) = stage_rows("x", rows)
    assert [{name: value or None for name, value in row.items()} for row in by_column.to_pylist()] == [
        {name: value or None for name, value in row.items()} for row in by_row.to_pylist()
    ]

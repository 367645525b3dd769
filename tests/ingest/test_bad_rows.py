"""Bad rows and bad files: the good goes in, the bad is kept with file, line and reason, nothing raises anything else."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from jobrecon.errors import InputError
from jobrecon.warehouse import Warehouse
from tests.ingest.conftest import ACME, GOOD, HEADER, ImportFile, Write, read, read_rejects, read_tasks

BAD_ROWS = [
    # row as written                                     reason
    (GOOD.replace("t1", " "), "task_urn is empty"),
    (GOOD.replace("job-1", ""), "external_job_posting_id is empty"),
    (GOOD.replace("CREATE", ""), "operation is empty"),
    (GOOD.replace("2026-03-01T05:00:00Z", ""), "requested_at is empty"),
    (GOOD.replace("2026-03-01T05", "soon"), "requested_at is no ISO 8601 date; name how it is written with --date-format"),
    (GOOD.replace(ACME, ""), "application_urn is empty, and more or less than one application is configured"),
    (GOOD.replace(ACME, "urn:li:developerApplication:9"), "application_urn is of no configured application: urn:li:developerApplication:9"),
    ("t1,job-1\n", "has 2 fields where the header has 7"),
    (GOOD.replace(",Cook", ",Cook,more"), "has 8 fields where the header has 7"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS, ids=[reason for _, reason in BAD_ROWS])
def test_a_bad_row_is_kept_with_file_line_and_reason_and_the_good_ones_go_in(
    warehouse: Warehouse, write: Write, import_file: ImportFile, row: str, reason: str
) -> None:
    path = write(HEADER + GOOD.replace("t1", "t0") + row + GOOD.replace("t1", "t2"))
    result = import_file(path)
    assert (result.added, result.rejected, list(result.reasons)) == (2, 1, [reason])
    assert (result.reasons[reason].count, result.reasons[reason].examples[0][0]) == (1, 3)
    ((source, line, message, kept),) = read_rejects(warehouse)
    assert (source, line, message) == (str(path), 3, reason)
    assert kept
    assert [task[0] for task in read_tasks(warehouse)] == ["t0", "t2"]


def test_lines_are_counted_through_quoted_newlines_and_empty_lines(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    path = write(
        HEADER + GOOD.replace("Cook", '"a\nb\r\nc"') + "\n" + "bad\n" + GOOD.replace("t1", "").replace("Cook", '"d\ne"') + "last\n"
    )
    import_file(path)
    assert [row[1] for row in read_rejects(warehouse)] == [6, 7, 9]


def test_a_line_with_a_field_too_long_to_read_is_refused_alone(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    long = GOOD.replace("t1", "t2").replace("Cook", 'C"' + "x" * 140_000)
    path = write(HEADER + GOOD + long + GOOD.replace("t1", "t3"))
    result = import_file(path)
    assert (result.added, result.rejected) == (2, 1)
    assert [row[2] for row in read_rejects(warehouse)] == ["cannot be read: field larger than field limit (131072)"]
    assert [task[0] for task in read_tasks(warehouse)] == ["t1", "t3"]


def test_rows_refused_again_are_kept_once(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    path = write(HEADER + "bad\nworse,\n")
    assert import_file(path).rejected == 2
    assert import_file(path).rejected == 2
    assert len(read_rejects(warehouse)) == 2


def test_bad_lines_of_ndjson_are_refused_one_by_one(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    row = {"task_urn": "t1", "external_job_posting_id": 17, "operation": "CREATE", "requested_at": "2026-03-01", "application_urn": ACME}
    good = json.dumps(row)
    lines = [good, "{broken", "[1]", '"text"', "null", "", good.replace("t1", "t2").replace('"CREATE"', "null"), '{"task_urn": "\\ud800"}']
    path = write("\n".join(lines), "tasks.ndjson")
    result = import_file(path)
    assert (result.added, result.rejected) == (1, 6)
    assert read_tasks(warehouse)[0][2] == "17"
    reasons = {row[1]: row[2] for row in read_rejects(warehouse)}
    assert sorted(reasons) == [2, 3, 4, 5, 7, 8]
    assert reasons[2] == "is no JSON"
    assert reasons[3] == reasons[5] == "is JSON, but not an object"
    assert reasons[7] == "operation is empty"


BROKEN = [
    # a list of t1, something broken, t2                         rejected
    ("[{row}, 5, {more}]", [2]),
    ('[{row}, {"task_urn": }, {more}]', [2]),
    ('[{row}, {"task_urn": "a}, {more}]', [2]),
    ("[{row}, nonsense, {more}]", [2]),
    ('[\n{row},\n{"a": {"b": }},\n{more}\n]\n', [2]),
    ("[{row}, {more}", [3]),
    ('[{row}, {more}, {"task_urn": "t3"', [3]),
    ("[{row}, {more}] more", [3]),
    ("[{row} {more}]", []),
]


@pytest.mark.parametrize(("text", "rejected"), BROKEN)
def test_a_broken_element_of_a_json_list_is_refused_alone(
    warehouse: Warehouse, write: Write, import_file: ImportFile, text: str, rejected: list[int]
) -> None:
    row = json.dumps(
        {"task_urn": "t1", "external_job_posting_id": "1", "operation": "CREATE", "requested_at": "2026-03-01", "application_urn": 1001}
    )
    result = import_file(write(text.replace("{row}", row).replace("{more}", row.replace("t1", "t2")), "tasks.json"))
    assert (result.added, [line for _, line, _, _ in read_rejects(warehouse)]) == (2, rejected)


def test_bad_elements_of_a_json_array_are_refused_by_their_number(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    import_file(write('[{"task_urn": "t1"}, 5, {}]', "tasks.json"))
    assert [row[1] for row in read_rejects(warehouse)] == [1, 2, 3]


def test_bad_lines_that_are_not_utf_8_are_kept_readably(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    assert import_file(write(b'{"task_urn": "caf\xe9"}\n', "tasks.ndjson")).rejected == 1
    assert "caf\ufffd" in read_rejects(warehouse)[0][3]


def test_nul_bytes_are_no_part_of_an_id(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    """A NUL is either refused or gone, never a name that looks like another."""
    result = import_file(write((HEADER + GOOD.replace("job-1", "job\0-1") + GOOD.replace("t1", "t2")).encode()))
    assert (result.added, result.rejected) == (1, 1)
    assert "NUL" in next(iter(result.reasons))


def test_bad_rows_of_parquet_are_refused_by_their_number(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    rows = [
        {"task_urn": urn, "external_job_posting_id": "job-1", "operation": "CREATE", "requested_at": "2026-03-01", "application_urn": ACME}
        for urn in ("t1", None, "t3")
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "tasks.parquet")
    assert import_file(tmp_path / "tasks.parquet").added == 2
    ((_, line, reason, kept),) = read_rejects(warehouse)
    assert (line, reason) == (2, "task_urn is empty")
    assert '"external_job_posting_id":"job-1"' in kept


QUOTED_LINES = [
    # lines after the header                                            added, lines refused
    ([GOOD, '"' + GOOD, GOOD, GOOD], 3, [3]),
    ([GOOD.replace("Cook", '"Cook'), GOOD, GOOD], 2, [2]),
    ([GOOD.replace("Cook", '"Cook'), GOOD, GOOD.replace("Cook", '"Cook'), GOOD], 2, [2, 4]),
    ([GOOD.replace("Cook", '"Cook'), GOOD.replace("Cook", '"Cook')], 0, [2, 3]),
    ([GOOD.replace("Cook", '"Cook'), GOOD, GOOD.replace("Cook", 'Cook"'), GOOD], 3, [2]),
    ([GOOD.replace(",,Cook", ',"Oslo, NO,Cook'), GOOD, GOOD], 2, [2]),
    ([GOOD, GOOD.replace("Cook", '"Cook')], 1, [3]),
    ([GOOD.replace("Cook", 'Cook with a 5" knife'), GOOD], 2, []),
    ([GOOD.replace("Cook", ' "Cook, ""the"" chef"'), GOOD], 2, []),
    ([GOOD.replace("Cook", '"Cook" chef'), GOOD], 2, []),
    ([GOOD.replace("Cook", '"Cook\nof the house, good\n, and\n\n kind"'), GOOD], 2, []),
    ([GOOD.replace("Cook", '"' + "line, of a text\n" * 700 + '"'), "bad\n", GOOD], 2, [703]),
    ([GOOD.replace("Cook", '"' + "long line of a text\n" * 100_000), GOOD], 1, [2, *range(3, 100_002)]),
]


@pytest.mark.parametrize(("rows", "added", "refused"), QUOTED_LINES, ids=range(len(QUOTED_LINES)))
def test_a_quote_that_does_not_close_costs_its_own_line_and_no_other(
    warehouse: Warehouse, write: Write, import_file: ImportFile, rows: list[str], added: int, refused: list[int]
) -> None:
    numbered = [row.replace("t1,", f"t{number},", 1) for number, row in enumerate(rows)]
    result = import_file(write(HEADER + "".join(numbered)))
    assert (result.added, result.known, result.rejected) == (added, 0, len(refused))
    assert [row[1] for row in read_rejects(warehouse)] == refused


def test_a_refused_row_is_not_kept_whole(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    import_file(write(HEADER + "bad" * 10_000 + "\n"))
    assert len(read_rejects(warehouse)[0][3]) == 10_000


def test_line_ends_may_be_mixed_within_a_file(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    rows = [GOOD.replace("t1", f"t{number}").strip() for number in range(6)]
    ends = ["\n", "\r\n", "\r", "\r\n\r\n", "\n", ""]
    result = import_file(write((HEADER + "".join(row + end for row, end in zip(rows, ends, strict=True))).encode()))
    assert (result.added, result.rejected) == (6, 0)


def test_every_row_of_a_file_of_many_parts_is_accounted_for(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    """Fields over several lines lie across the parts in which the file is read."""
    rows = [GOOD.replace("t1", f"t{number}").replace("Cook", f'"{"Cook" * 50}\nof {number}"') for number in range(60_000)]
    rows[17] = rows[40_000] = rows[59_999] = "bad\n"
    result = import_file(write(HEADER + "".join(rows)))
    assert (result.added, result.known, result.rejected) == (59_997, 0, 3)
    assert [row[1] for row in read_rejects(warehouse)] == [2 + 17 * 2, 2 + 40_000 * 2 - 1, 2 + 59_999 * 2 - 2]
    assert read(warehouse, "select count(*) from job_tasks where title not like '%Cook\nof %'") == [(0,)]


BAD_FILES = [
    ("a.csv", b"", "is empty"),
    ("b.csv", b"task_urn,operation,requested_at\nt1,CREATE,2026-03-01\n", "has no column external_job_posting_id"),
    ("c.csv", (HEADER + GOOD.replace("Cook", "K\xf6ch")).encode("latin-1"), "is not UTF-8 text: line 2, column 73 holds the byte 0xf6"),
    ("cr.csv", HEADER.replace("\n", "\r").encode() + b"t1,\xf6", "is not UTF-8 text: line 2, column 4 holds the byte 0xf6"),
    ("d.csv", HEADER.encode("utf-16"), "is not UTF-8 text: line 1, column 1 holds the byte 0xff"),
    ("f.parquet", b"PAR1 but no more", "is no Parquet file"),
    ("g.parquet", b"task_urn\n", "is no Parquet file"),
    ("h.csv", b"\x00\x00\x00\x00", "has no column"),
    ("i.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "is not UTF-8"),
]


@pytest.mark.parametrize(("name", "content", "reason"), BAD_FILES, ids=[name for name, *_ in BAD_FILES])
def test_an_unusable_file_is_an_error_that_says_why_and_what_is_safe(
    warehouse: Warehouse, write: Write, import_file: ImportFile, name: str, content: bytes, reason: str
) -> None:
    path = write(content, name)
    with pytest.raises(InputError) as raised:
        import_file(path)
    assert reason in str(raised.value)
    assert str(path) in str(raised.value)
    assert "mported" in str(raised.value)
    assert read_tasks(warehouse) == []
    ((source, line, message, _),) = read_rejects(warehouse)
    assert (source, line, message) == (str(path), None, str(raised.value))


def test_a_folder_and_a_missing_file_are_errors_that_say_so(import_file: ImportFile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        import_file(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        import_file(tmp_path / "absent.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_an_error_that_says_so(write: Write, import_file: ImportFile) -> None:
    path = write(HEADER + GOOD)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        import_file(path)


def test_a_csv_of_a_header_alone_is_fine(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    result = import_file(write(HEADER))
    assert (result.added, result.known, result.rejected) == (0, 0, 0)


def test_parquet_that_breaks_off_is_an_error_that_says_so(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    path = tmp_path / "tasks.parquet"
    columns = ("task_urn", "external_job_posting_id", "operation", "requested_at", "application_urn")
    parquet.write_table(pa.table({name: [f"{name}-{number}" for number in range(20_000)] for name in columns}), path, compression="none")
    content = bytearray(path.read_bytes())
    content[2000:60_000] = os.urandom(58_000)
    path.write_bytes(content)
    with pytest.raises(InputError, match="is broken"):
        import_file(path)
    assert read(warehouse, "select count(*) from job_tasks") == [(0,)]


def test_parquet_that_holds_no_utf8_is_an_error_that_says_so(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    columns = {name: pa.array([f"{name}-1"]) for name in ("task_urn", "external_job_posting_id", "operation", "requested_at")}
    columns["title"] = pa.array([b" \xff\xfe "]).view(pa.string())
    parquet.write_table(pa.table(columns), tmp_path / "tasks.parquet")
    with pytest.raises(InputError, match=r"is broken after row 0: .*UTF8"):
        import_file(tmp_path / "tasks.parquet")
    assert read(warehouse, "select count(*) from job_tasks") == [(0,)]

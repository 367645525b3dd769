"""Task files: every format gives the same tasks, and importing one again adds nothing."""

import json
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from jobrecon.applications import Applications
from jobrecon.ingest import import_tasks
from jobrecon.ingest.files import ReadOptions, read_parts
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse
from tests.ingest.conftest import ACME, BETA, GOOD, HEADER, NOW, ImportFile, Write, read, read_tasks

ROWS = [
    {
        "task_urn": f"urn:li:simpleJobPostingTask:{number}",
        "external_job_posting_id": f"job-{number}",
        "operation": ("CREATE", "UPDATE", "RENEW", "CLOSE")[number % 4],
        "requested_at": f"2026-02-28T2{number}:15:30.250Z",
        "application_urn": (ACME, BETA)[number % 2],
        "location": (None, "Köln, Germany")[number % 2],
        "title": ("Cook", 'Nurse, "night"\nshift', None, "看護師 🏥")[number],
    }
    for number in range(4)
]


def as_csv(rows: list[dict[str, str | None]]) -> str:
    def quote(value: str | None) -> str:
        return "" if value is None else '"' + value.replace('"', '""') + '"'

    return HEADER + "".join(",".join(quote(row[name]) for name in HEADER.strip().split(",")) + "\n" for row in rows)


def as_ndjson(rows: list[dict[str, str | None]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_parquet(path: Path, table: pa.Table) -> Path:
    parquet.write_table(table, path)
    return path


def test_every_format_gives_the_same_tasks(warehouse: Warehouse, write: Write, import_file: ImportFile, tmp_path: Path) -> None:
    files = [
        write(as_csv(ROWS), "a.csv"),
        write(as_csv(ROWS).encode("utf-8-sig"), "bom.csv"),
        write(as_ndjson(ROWS), "b.ndjson"),
        write(as_ndjson(ROWS).encode("utf-8-sig"), "bom.jsonl"),
        write(json.dumps(ROWS, indent=2), "c.json"),
        write(as_ndjson(ROWS), "no-ending"),
        write_parquet(tmp_path / "d.parquet", pa.Table.from_pylist(ROWS)),
        write_parquet(tmp_path / "parquet-without-ending", pa.Table.from_pylist(ROWS)),
    ]
    results = []
    for file in files:
        result = import_file(file)
        assert (result.added, result.known, result.rejected, result.notes, result.reasons) == (4, 0, 0, [], {}), file
        results.append(read_tasks(warehouse))
        read(warehouse, "delete from job_tasks")
    assert results[0][1] == (
        "urn:li:simpleJobPostingTask:1",
        BETA,
        "job-1",
        "UPDATE",
        datetime(2026, 2, 28, 21, 15, 30, 250_000, tzinfo=UTC),
        "Köln, Germany",
        'Nurse, "night"\nshift',
        "PENDING",
        0,
    )
    assert all(tasks == results[0] for tasks in results)


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_an_import_again_adds_nothing_and_changes_nothing(warehouse: Warehouse, write: Write, import_file: ImportFile, ending: str) -> None:
    path = write(as_csv(ROWS) if ending == "csv" else as_ndjson(ROWS), f"tasks.{ending}")
    import_file(path)
    before = read(warehouse, "from job_tasks order by all")
    again = import_file(path, NOW + timedelta(days=1))
    assert (again.added, again.known, again.rejected) == (0, 4, 0)
    assert read(warehouse, "from job_tasks order by all") == before


def test_a_known_task_stays_as_it_is(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    import_file(write(HEADER + GOOD))
    read(warehouse, "update job_tasks set state = 'SETTLED', status = 'SUCCEEDED', poll_count = 3")
    result = import_file(write(HEADER + GOOD.replace("Cook", "Chef").replace("job-1", "job-2") + GOOD.replace("t1", "t2"), "more.csv"))
    assert (result.added, result.known) == (1, 1)
    assert [row[2:3] + row[6:] for row in read_tasks(warehouse)] == [("job-1", "Cook", "SETTLED", 3), ("job-1", "Cook", "PENDING", 0)]


def test_the_first_of_several_rows_with_one_urn_counts(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    result = import_file(write(HEADER + GOOD + GOOD.replace("Cook", "Chef")))
    assert (result.added, result.known, result.rejected) == (1, 1, 0)
    assert read_tasks(warehouse)[0][6] == "Cook"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_any_line_end_will_do(warehouse: Warehouse, write: Write, import_file: ImportFile, newline: str) -> None:
    result = import_file(write((HEADER + GOOD + GOOD.replace("t1", "t2")).replace("\n", newline)))
    assert (result.added, result.rejected) == (2, 0)
    assert read_tasks(warehouse)[1][6] == "Cook"


@pytest.mark.parametrize("mark", [";", "\t"])
def test_the_delimiter_is_recognised_by_the_header(warehouse: Warehouse, write: Write, import_file: ImportFile, mark: str) -> None:
    rows = (HEADER + GOOD.replace("Cook", '"Cook, chef; and\tmore"')).replace(",", mark).replace(f"Cook{mark} chef", "Cook, chef")
    result = import_file(write(rows))
    assert (result.added, result.rejected) == (1, 0)
    assert read_tasks(warehouse)[0][6] == "Cook, chef; and\tmore"


def test_the_header_may_be_upper_case_spaced_reordered_and_hold_more_columns(
    warehouse: Warehouse, write: Write, import_file: ImportFile
) -> None:
    header = "Customer No, REQUESTED_AT ,Operation,TASK_URN,External_Job_Posting_Id,APPLICATION_URN,Salary\n"
    result = import_file(write(header + f"7,2026-03-01T05:00:00Z,create, t1 ,job-1,{ACME},12\n"))
    assert (result.added, result.rejected) == (1, 0)
    ((urn, application, job, operation, requested_at, *_),) = read_tasks(warehouse)
    assert (urn, application, job, operation) == ("t1", ACME, "job-1", "CREATE")
    assert requested_at == datetime(2026, 3, 1, 5, tzinfo=UTC)


def test_keys_of_json_may_be_upper_case_as_a_database_writes_them(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    result = import_file(write(json.dumps({name.upper(): value for name, value in ROWS[0].items()}), "tasks.ndjson"))
    assert (result.added, result.rejected) == (1, 0)


def test_columns_of_parquet_may_be_upper_case_as_a_database_writes_them(
    warehouse: Warehouse, import_file: ImportFile, tmp_path: Path
) -> None:
    table = pa.Table.from_pylist([{name.upper(): value for name, value in ROWS[0].items()} | {"EXTRA": "more"}])
    result = import_file(write_parquet(tmp_path / "tasks.parquet", table))
    assert (result.added, result.rejected) == (1, 0)


def test_spaces_and_line_ends_around_values_of_parquet_are_cut(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{name: f"\t {value}\r\n" for name, value in ROWS[0].items()}])
    assert import_file(write_parquet(tmp_path / "tasks.parquet", table)).added == 1
    assert import_file(write_parquet(tmp_path / "plain.parquet", pa.Table.from_pylist(ROWS[:1]))).known == 1


def test_an_unknown_operation_is_kept_and_mentioned(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    result = import_file(write(HEADER + GOOD.replace("CREATE", "upgrade")))
    assert (result.added, result.rejected) == (1, 0)
    assert "operation other than CREATE, UPDATE, RENEW, CLOSE" in result.notes[0]
    assert read_tasks(warehouse)[0][3] == "UPGRADE"


MOMENTS = [
    ("2026-03-01T05:00:00Z", datetime(2026, 3, 1, 5, tzinfo=UTC)),
    ("2026-03-01T05:00:00", datetime(2026, 3, 1, 5, tzinfo=UTC)),
    ("2026-03-01 05:00", datetime(2026, 3, 1, 5, tzinfo=UTC)),
    ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
    ("2026-03-01T05:00:00+02:00", datetime(2026, 3, 1, 3, tzinfo=UTC)),
    ("2026-03-01T05:00:00-0330", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
    ("2026-03-01T05:00:00.123456789Z", datetime(2026, 3, 1, 5, 0, 0, 123_456, tzinfo=UTC)),
    ("01/03/2026", None),
    ("2026-02-30T05:00:00Z", None),
    ("yesterday", None),
    ("1772341200", datetime(2026, 3, 1, 5, tzinfo=UTC)),
    ("1772341200250", datetime(2026, 3, 1, 5, 0, 0, 250_000, tzinfo=UTC)),
    ("01.03.2026 06:15", datetime(2026, 3, 1, 6, 15, tzinfo=UTC)),
    ("1.3.2026", datetime(2026, 3, 1, tzinfo=UTC)),
    ("31.02.2026", None),
    ("177234120", None),
    ("infinity", None),
    ("0000-00-00", None),
]


@pytest.mark.parametrize(("text", "expected"), MOMENTS, ids=[text for text, _ in MOMENTS])
def test_a_time_is_iso_8601_and_without_an_offset_utc(
    warehouse: Warehouse, write: Write, import_file: ImportFile, text: str, expected: datetime | None
) -> None:
    result = import_file(write(HEADER + GOOD.replace("2026-03-01T05:00:00Z", text)))
    assert [row[4] for row in read_tasks(warehouse)] == ([expected] if expected else [])
    if not expected:
        (reason,) = result.reasons
        assert reason.startswith("requested_at is no ISO 8601 date")
        assert result.reasons[reason].examples == [(2, text)]


MOMENT = datetime(2026, 3, 1, 5, tzinfo=UTC)
COLUMNS = {
    "text": pa.array(["2026-03-01T05:00:00Z"]),
    "large text": pa.array(["2026-03-01T05:00:00Z"], pa.large_string()),
    "dictionary": pa.array(["2026-03-01T05:00:00Z"]).dictionary_encode(),
    "timestamp without zone": pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("us")),
    "timestamp in UTC": pa.array([MOMENT], pa.timestamp("ms", "UTC")),
    "timestamp elsewhere": pa.array([MOMENT.astimezone(timezone(timedelta(hours=5)))], pa.timestamp("us", "+05:00")),
    "timestamp in a named zone": pa.array([MOMENT], pa.timestamp("us", "America/New_York")),
    "nanoseconds": pa.array([int(MOMENT.timestamp()) * 10**9 + 7], pa.int64()).cast(pa.timestamp("ns", "UTC")),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_parquet_may_hold_times_as_text_or_timestamps(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path, kind: str) -> None:
    columns = {name: [value] for name, value in ROWS[0].items()} | {"requested_at": COLUMNS[kind]}
    result = import_file(write_parquet(tmp_path / "tasks.parquet", pa.table(columns)))
    assert (result.added, result.rejected) == (1, 0)
    assert read_tasks(warehouse)[0][4] == MOMENT


def test_parquet_may_hold_dates_and_dictionaries(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    columns = {name: pa.array([value], pa.string()).dictionary_encode() for name, value in ROWS[0].items()}
    table = pa.table(columns | {"requested_at": pa.array([date(2026, 3, 1)], pa.date32())})
    assert import_file(write_parquet(tmp_path / "tasks.parquet", table)).added == 1
    assert read_tasks(warehouse)[0][4] == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["task_urn", "external_job_posting_id"])
def test_an_id_that_was_a_floating_point_number_is_refused(
    warehouse: Warehouse, import_file: ImportFile, tmp_path: Path, name: str
) -> None:
    columns = {key: [value] for key, value in ROWS[0].items()} | {name: pa.array([4711.0], pa.float64())}
    result = import_file(write_parquet(tmp_path / "tasks.parquet", pa.table(columns)))
    assert (result.added, result.rejected) == (0, 1)
    assert next(iter(result.reasons)).startswith(f"{name} is a floating-point number")


def test_one_configured_application_is_the_default(warehouse: Warehouse, settings: Settings, write: Write) -> None:
    only = Applications(settings.load_applications().items[:1])
    path = write("task_urn,external_job_posting_id,operation,requested_at\nt1,job-1,CREATE,2026-03-01T05:00:00Z\n")
    assert import_tasks(warehouse, path, only, NOW).added == 1
    assert read_tasks(warehouse)[0][1] == ACME


def test_100_000_rows_are_imported_fast(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(f"urn:li:task:{number},job-{number},CREATE,2026-03-01T05:00:00Z,{ACME},Oslo,Cook\n" for number in range(100_000))
    started = time.monotonic()
    assert import_file(path).added == 100_000
    assert time.monotonic() - started < 20


def test_a_big_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_text(HEADER + GOOD.replace("Cook", "Cook " * 2000) * 6000, encoding="utf-8")
    assert path.stat().st_size > 60_000_000
    tracemalloc.start()
    try:
        assert sum(len(part) for part in read_parts("tasks.csv", path, ("task_urn",), ReadOptions(), [])) == 6000
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()

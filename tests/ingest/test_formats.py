"""Files as other programs write them: encodings, dates, ids of any type, and columns under other names."""

import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from jobrecon.errors import ConfigurationError, InputError
from jobrecon.ingest import ReadOptions, import_notifications, import_tasks
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse
from tests.ingest.conftest import ACME, NOW, ImportFile, Write, read, read_rejects, read_tasks

HEADER = ("task_urn", "external_job_posting_id", "operation", "requested_at", "application_urn", "title", "location")
MOMENT = datetime(2026, 2, 28, 23, 35, tzinfo=UTC)


def as_excel(requested_at: str, mark: str = ",", title: str = 'Bäcker; "S"') -> str:
    """Ten rows as Excel writes them, with empty lines of separators at the end."""
    quoted = '"' + title.replace('"', '""') + '"'
    rows = [mark.join((f"t{n}", f"S-{n}", "CREATE", requested_at, ACME, quoted, '"Berlin, DE"')) for n in range(10)]
    return "\r\n".join([mark.join(HEADER), *rows, mark * 6, mark * 6, ""])


def import_with(warehouse: Warehouse, settings: Settings, path: Path, **options: Any) -> Any:
    return import_tasks(warehouse, path, settings.load_applications(), NOW, options=ReadOptions(**options))


def test_a_german_excel_file_is_read_with_its_separator_and_its_dates(warehouse: Warehouse, settings: Settings, write: Write) -> None:
    path = write(as_excel("01.03.2026 00:35", ";").encode("utf-8-sig"))
    result = import_with(warehouse, settings, path, timezone="Europe/Berlin")
    assert (result.added, result.known, result.rejected) == (10, 0, 0)
    assert result.notes == ["2 lines of nothing but separators were ignored"]
    assert {row[4] for row in read_tasks(warehouse)} == {MOMENT}
    assert read_tasks(warehouse)[0][5:7] == ("Berlin, DE", 'Bäcker; "S"')


@pytest.mark.parametrize("before", ["sep=;\n", "SEP=;\r\n", "\n\n"])
def test_what_excel_writes_before_the_header_is_passed_over(
    warehouse: Warehouse, write: Write, import_file: ImportFile, before: str
) -> None:
    result = import_file(write(before + as_excel("2026-02-28", ";") + "bad\n"))
    assert (result.added, result.rejected) == (10, 1)
    assert read_rejects(warehouse)[0][1] == before.count("\n") + 14


def test_american_dates_are_refused_naming_the_option_and_read_with_it(warehouse: Warehouse, settings: Settings, write: Write) -> None:
    path = write(as_excel("02/28/2026 23:35"))
    refused = import_with(warehouse, settings, path)
    assert (refused.added, refused.rejected) == (0, 10)
    ((reason, rows),) = refused.reasons.items()
    assert "--date-format" in reason
    assert (rows.count, rows.examples[0]) == (10, (2, "02/28/2026 23:35"))
    result = import_with(warehouse, settings, path, date_format="%m/%d/%Y %H:%M")
    assert (result.added, result.rejected) == (10, 0)
    assert {row[4] for row in read_tasks(warehouse)} == {MOMENT}


def test_a_row_that_is_not_written_as_the_date_format_says_is_refused(warehouse: Warehouse, settings: Settings, write: Write) -> None:
    path = write(as_excel("02/28/2026 23:35") + "t11,S-11,CREATE,28.02.2026," + ACME + ",,\r\n")
    result = import_with(warehouse, settings, path, date_format="%m/%d/%Y %H:%M")
    assert (result.added, result.rejected) == (10, 1)
    assert list(result.reasons) == ["requested_at is not written as --date-format %m/%d/%Y %H:%M says"]


def test_utf_16_without_its_byte_order_mark_is_an_error_that_says_so(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes("task_urn,operation".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"is not UTF-16 text: .*BOM.*Name its encoding"):
        import_tasks(warehouse, path, settings.load_applications(), NOW, options=ReadOptions(encoding="utf-16"))


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_another_encoding_is_read_when_it_is_named(warehouse: Warehouse, settings: Settings, write: Write, encoding: str) -> None:
    path = write(as_excel("2026-02-28T23:35:00Z").encode(encoding))
    with pytest.raises(InputError, match=r"line \d+, column \d+ holds the byte 0x[0-9a-f]{2}\..*--encoding latin-1"):
        import_with(warehouse, settings, path)
    assert import_with(warehouse, settings, path, encoding=encoding).added == 10
    assert read_tasks(warehouse)[0][6] == 'Bäcker; "S"'


def test_lines_of_json_are_read_in_another_encoding_too(warehouse: Warehouse, settings: Settings, write: Write) -> None:
    row = dict(zip(HEADER, ("t1", "1", "CREATE", "2026-02-28", ACME, "Bäcker", "Köln"), strict=True))
    path = write((json.dumps(row, ensure_ascii=False) + "\n").encode("latin-1"), "tasks.ndjson")
    assert import_with(warehouse, settings, path).rejected == 1
    assert import_with(warehouse, settings, path, encoding="latin-1").added == 1
    assert read_tasks(warehouse)[0][5:7] == ("Köln", "Bäcker")


WRONG = [
    ({"encoding": "klingon"}, "--encoding"),
    ({"timezone": "Mars/Base"}, "--timezone"),
    ({"columns": {"urn": "task"}}, "--map"),
]


@pytest.mark.parametrize(("options", "name"), WRONG)
def test_an_option_that_makes_no_sense_is_a_wrong_usage(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        ReadOptions(**options)


IDS = ["99999999999999999999", "99999999999999999998", "4711", "job-2"]


def test_one_id_is_one_job_in_tasks_and_notifications_however_json_writes_it(
    warehouse: Warehouse, settings: Settings, write: Write
) -> None:
    written = ["99999999999999999999", "99999999999999999998", "4711.0", '"job-2 "']
    more = '"operation":"CREATE","requested_at":"2026-02-28T08:00:00Z","application_urn":1001'
    tasks = "".join(f'{{"task_urn":"t{n}","external_job_posting_id":{text},{more}}}\n' for n, text in enumerate(written))
    bodies = "".join(
        f'{{"type":"JOB_POSTING_STATUS","externalJobPostingId":{text},"developerApplicationUrn":"1001","listingStatus":"LISTED"}}\n'
        for text in written
    )
    assert import_with(warehouse, settings, write(tasks, "tasks.ndjson")).added == 4
    assert import_notifications(warehouse, write(bodies, "bodies.ndjson"), NOW).added == 4
    assert sorted(row[2] for row in read_tasks(warehouse)) == sorted(IDS)
    assert [row[0] for row in read(warehouse, "select external_job_posting_id from notifications order by 1")] == sorted(IDS)
    assert read(warehouse, "select distinct application_urn from notifications") == [(ACME,)]


IDS_OF_PARQUET = {
    "int64": (pa.array([4711, 4712], pa.int64()), ["4711", "4712"]),
    "uint64": (pa.array([2**64 - 1, 1], pa.uint64()), ["18446744073709551615", "1"]),
    "decimal": (pa.array([Decimal(4711), Decimal(10**37)], pa.decimal128(38, 0)), ["4711", str(10**37)]),
    "decimal with a fraction of zero": (pa.array([Decimal("4711.00"), Decimal("4712.50")], pa.decimal128(10, 2)), ["4711", "4712.50"]),
    "binary": (pa.array([b"a", " b\u00e9 ".encode()], pa.binary()), ["a", "b\u00e9"]),
    "large text": (pa.array(["a ", "\u00a0b"], pa.large_string()), ["a", "b"]),
    "dictionary": (pa.array([" a", "b"]).dictionary_encode(), ["a", "b"]),
    "dictionary of numbers": (pa.array([7, 8]).dictionary_encode(), ["7", "8"]),
}


@pytest.mark.parametrize("kind", IDS_OF_PARQUET)
def test_ids_of_parquet_may_be_of_any_type_that_keeps_them(
    warehouse: Warehouse, import_file: ImportFile, tmp_path: Path, kind: str
) -> None:
    column, ids = IDS_OF_PARQUET[kind]
    others = {
        "task_urn": ["t1", "t2"],
        "operation": ["CREATE"] * 2,
        "requested_at": ["2026-02-28"] * 2,
        "application_urn": pa.array([1001] * 2),
    }
    parquet.write_table(pa.table(others | {"external_job_posting_id": column}), tmp_path / "tasks.parquet")
    result = import_file(tmp_path / "tasks.parquet")
    assert (result.added, result.rejected) == (2, 0)
    assert [row[1:3] for row in read_tasks(warehouse)] == [(ACME, name) for name in ids]


def test_a_place_in_parts_is_written_as_text(warehouse: Warehouse, import_file: ImportFile, tmp_path: Path) -> None:
    rows = [
        {"task_urn": f"t{number}", "external_job_posting_id": "1", "operation": "CREATE", "requested_at": NOW, "application_urn": ACME}
        | {"location": place, "title": number}
        for number, place in enumerate([{"city": "Oslo", "country": "Norway"}, {"city": None, "country": "Norway"}, None])
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "tasks.parquet")
    assert import_file(tmp_path / "tasks.parquet").added == 3
    assert [row[5:7] for row in read_tasks(warehouse)] == [("Oslo, Norway", "0"), ("Norway", "1"), (None, "2")]


def test_an_id_of_another_type_costs_its_row_alone(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    rows = [
        {
            "task_urn": f"t{number}",
            "external_job_posting_id": job,
            "operation": "CREATE",
            "requested_at": 1772235300000,
            "application_urn": 1001,
        }
        for number, job in enumerate(["1", {"id": 1}, True, ["1"], None, 2])
    ]
    result = import_file(write("".join(json.dumps(row) + "\n" for row in rows), "tasks.ndjson"))
    assert (result.added, result.rejected) == (2, 4)
    assert [line for _, line, _, _ in read_rejects(warehouse)] == [2, 3, 4, 5]
    assert {row[4] for row in read_tasks(warehouse)} == {datetime(2026, 2, 27, 23, 35, tzinfo=UTC)}


@pytest.mark.parametrize("written", ["epoch milliseconds", "pandas timestamps"])
def test_moments_are_read_as_pandas_writes_them(
    warehouse: Warehouse, write: Write, import_file: ImportFile, tmp_path: Path, written: str
) -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "task_urn": ["t1"],
            "external_job_posting_id": [7],
            "operation": ["CREATE"],
            "requested_at": [pd.Timestamp(MOMENT)],
            "application_urn": [ACME],
        }
    )
    path = tmp_path / ("tasks.ndjson" if written == "epoch milliseconds" else "tasks.parquet")
    if written == "epoch milliseconds":
        path.write_text(frame.assign(requested_at=int(MOMENT.timestamp() * 1000)).to_json(orient="records", lines=True), encoding="utf-8")
    else:
        frame.to_parquet(path)
    assert import_file(path).added == 1
    assert read_tasks(warehouse)[0][2:5] == ("7", "CREATE", MOMENT)


def test_columns_under_other_names_are_mapped(warehouse: Warehouse, settings: Settings, write: Write, tmp_path: Path) -> None:
    columns = {"urn": "task_urn", "job": "external_job_posting_id", "op": "operation", "at": "requested_at"}
    row = {
        "URN": "t1",
        "Job": "1",
        "op": "CREATE",
        "at": "2026-02-28",
        "title": "Cook",
        "task_urn": "not this one",
        "application_urn": ACME,
    }
    parquet.write_table(pa.Table.from_pylist([row]), tmp_path / "tasks.parquet")
    for path in (
        write(",".join(row) + "\n" + ",".join(row.values()) + "\n", "tasks.csv"),
        write(json.dumps(row) + "\n", "tasks.ndjson"),
        write(json.dumps([row]), "tasks.json"),
        tmp_path / "tasks.parquet",
    ):
        assert import_with(warehouse, settings, path, columns=columns).added == 1, path
        assert [task[:1] + task[2:4] for task in read_tasks(warehouse)] == [("t1", "1", "CREATE")]
        read(warehouse, "delete from job_tasks")


@pytest.mark.parametrize("name", ["tasks.csv.gz", "tasks.ndjson.gz", "packed"])
def test_gzipped_files_are_read_as_they_are(warehouse: Warehouse, write: Write, import_file: ImportFile, name: str) -> None:
    row = dict(zip(HEADER, ("t1", "1", "CREATE", "2026-02-28", ACME, "Cook", ""), strict=True))
    content = json.dumps(row) if "ndjson" in name else ",".join(row) + "\n" + ",".join(row.values())
    assert import_file(write(gzip.compress(content.encode()), name)).added == 1
    with pytest.raises(InputError, match="cannot be read"):
        import_file(write(gzip.compress(content.encode())[:-9], name))


def test_standard_input_is_read(warehouse: Warehouse, import_file: ImportFile, monkeypatch: pytest.MonkeyPatch) -> None:
    content = as_excel("2026-02-28").encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    result = import_file(Path("-"))
    assert (result.source, result.added) == ("stdin", 10)


def test_a_dry_run_counts_and_changes_nothing(warehouse: Warehouse, settings: Settings, write: Write) -> None:
    path = write(as_excel("2026-02-28") + "bad\n")
    for _ in range(2):
        result = import_tasks(warehouse, path, settings.load_applications(), NOW, is_dry_run=True)
        assert (result.added, result.known, result.rejected) == (10, 0, 1)
    bodies = write(
        '{"type":"JOB_POSTING_STATUS","externalJobPostingId":1,"developerApplicationUrn":1,"listingStatus":"LISTED"}\n{', "b.ndjson"
    )
    notified = import_notifications(warehouse, bodies, NOW, is_dry_run=True)
    assert (notified.added, notified.known, notified.rejected) == (1, 0, 1)
    assert [read(warehouse, f"select count(*) from {table}") for table in ("job_tasks", "rejected_rows", "notifications")] == [[(0,)]] * 3


def test_lone_surrogates_become_replacement_characters(warehouse: Warehouse, write: Write, import_file: ImportFile) -> None:
    row = f'{{"task_urn":"t1","external_job_posting_id":"a\\ud83d","operation":"CREATE","requested_at":"2026-02-28","application_urn":"{ACME}","title":"\\udc00x"}}'
    assert import_file(write(row, "tasks.ndjson")).added == 1
    assert (read_tasks(warehouse)[0][2], read_tasks(warehouse)[0][6]) == ("a\ufffd", "\ufffdx")

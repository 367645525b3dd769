"""Which rows of an import become tasks, and why the others do not."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobrecon.applications import Application, Applications
from jobrecon.ingest import ImportResult, import_tasks
from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, BETA, NOW, Row, ago, given, read, read_everything, read_one, task

ROW = {
    "task_urn": "urn-1",
    "external_job_posting_id": "job-1",
    "operation": "CREATE",
    "requested_at": "2026-03-01T10:00:00Z",
    "application_urn": ACME,
    "location": "",
    "title": "",
}
TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def configured(*urns: str) -> Applications:
    return Applications([Application(urn, "client", [], urn) for urn in urns])


def bring_in(
    warehouse: Warehouse, folder: Path, *rows: dict[str, str], urns: tuple[str, ...] = (ACME, BETA), name: str = "tasks.csv"
) -> ImportResult:
    path = folder / name
    if name.endswith(".csv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return import_tasks(warehouse, path, configured(*urns), NOW)


def test_a_good_row_is_a_pending_task(warehouse: Warehouse, tmp_path: Path) -> None:
    result = bring_in(warehouse, tmp_path, ROW | {"title": "Nurse, “Köln”", "location": "Oslo, Norway"})
    assert (result.added, result.known, result.rejected) == (1, 0, 0)
    expected = task("CREATE", None, TEN) | {"task_urn": "urn-1", "title": "Nurse, “Köln”", "location": "Oslo, Norway", "imported_at": NOW}
    row = read_one(warehouse, "job_tasks")
    assert {name: row[name] for name in expected} == expected
    unknown = ("error_message", "job_posting_urn", "first_polled_at", "last_polled_at", "status_changed_at")
    assert [row[name] for name in unknown] == [None] * 5


MOMENTS = [
    # as written                                    what it means
    ("2026-03-01T10:00:00Z", TEN),
    ("2026-03-01T10:00:00z", TEN),
    ("2026-03-01t10:00:00Z", TEN),
    ("2026-03-01T12:00:00+02:00", TEN),
    ("2026-03-01T12:00:00+0200", TEN),
    ("2026-03-01T12:00:00+02", TEN),
    ("2026-03-01T06:30:00-03:30", TEN),
    ("2026-03-01T10:00:00", TEN),
    ("2026-03-01 10:00:00", TEN),
    ("2026-03-01 10:00:00+00", TEN),
    ("  2026-03-01T10:00:00Z\t", TEN),
    ("2026-03-01T10:00", TEN),
    ("2026-03-01T10:00Z", TEN),
    ("2026-03-01T12:00+02:00", TEN),
    ("20260301T100000Z", TEN),
    ("20260301T120000+0200", TEN),
    ("2026-03-01T10:00:00.5Z", TEN + timedelta(milliseconds=500)),
    ("2026-03-01T10:00:00,5Z", TEN + timedelta(milliseconds=500)),
    ("2026-03-01T10:00:00.123456789+00:00", TEN + timedelta(microseconds=123456)),
    ("2026-03-01", TEN.replace(hour=0)),
    ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
    ("2026-02-29", None),
    ("2026-13-01", None),
    ("2026-02-30T10:00:00Z", None),
    ("2026-03-01T25:00:00Z", None),
    ("2026-03-01T10:61:00Z", None),
    ("2026-03-01T10:00:00+99:00", None),
    ("2026-03-01T10:00:00Z tomorrow", None),
    ("2026-03-01 (BC)", None),
    ("0000-01-01", None),
    ("9999-12-31T23:59:59-10:00", None),
    ("infinity", None),
    ("-infinity", None),
    ("epoch", None),
    ("now", None),
    ("today", None),
    ("yesterday", None),
    ("01.03.2026", TEN.replace(hour=0)),
    ("01.03.2026 10:00", TEN),
    ("01.13.2026", None),
    ("03/01/2026", None),
    ("1772359200", TEN),
    ("1772359200000", TEN),
    ("1772359200000000", TEN),
    ("1772359200000000000", TEN),
    ("177235920", None),
    ("-1772359200", None),
    ("null", None),
]


def test_a_moment_is_iso_8601_and_utc_where_it_names_no_offset(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [ROW | {"task_urn": f"urn-{number:02}", "requested_at": text} for number, (text, _) in enumerate(MOMENTS)]
    bring_in(warehouse, tmp_path, *rows)
    tasks = {row["task_urn"]: row["requested_at"] for row in read(warehouse, "select * from job_tasks")}
    assert [(text, tasks.get(f"urn-{number:02}")) for number, (text, _) in enumerate(MOMENTS)] == MOMENTS
    refused = read(warehouse, "select line, reason from rejected_rows order by line")
    assert [row["line"] for row in refused] == [line for line, (_, moment) in enumerate(MOMENTS, start=2) if moment is None]
    assert {row["reason"] for row in refused} == {
        "requested_at is no ISO 8601 date; name how it is written with --date-format",
        "requested_at is before the year 2000",
        "requested_at is more than a day ahead of the clock",
    }


LIMITS = [
    # requested_at, whether it is a task (the clock stands at NOW)
    ("0001-01-01T00:00:00Z", False),
    ("1601-01-01", False),
    ("1970-01-01T00:00:00Z", False),
    ("1999-12-31T23:59:59Z", False),
    ("2000-01-01T00:00:00Z", True),
    ((NOW + timedelta(days=1)).isoformat(), True),
    ((NOW + timedelta(days=1, seconds=1)).isoformat(), False),
    ("9999-12-31", False),
]


@pytest.mark.parametrize(("text", "is_task"), LIMITS)
def test_a_moment_that_no_request_can_have_is_refused(warehouse: Warehouse, tmp_path: Path, text: str, is_task: bool) -> None:
    result = bring_in(warehouse, tmp_path, ROW | {"requested_at": text})
    assert (result.added, result.rejected) == (int(is_task), int(not is_task))


CASES = [
    # what is different                             reason, or None where it is good
    ({}, None),
    ({"task_urn": ""}, "task_urn is empty"),
    ({"task_urn": " \t "}, "task_urn is empty"),
    ({"task_urn": "not an urn at all"}, None),
    ({"external_job_posting_id": ""}, "external_job_posting_id is empty"),
    ({"external_job_posting_id": "任意 | 'the\" job' %3A"}, None),
    ({"operation": ""}, "operation is empty"),
    ({"operation": "UPGRADE"}, None),
    ({"operation": "close"}, None),
    ({"requested_at": ""}, "requested_at is empty"),
    ({"application_urn": ""}, "application_urn is empty, and more or less than one application is configured"),
    (
        {"application_urn": "urn:li:developerApplication:9"},
        "application_urn is of no configured application: urn:li:developerApplication:9",
    ),
    ({"application_urn": BETA}, None),
]


@pytest.mark.parametrize("name", ["tasks.csv", "tasks.ndjson"])
@pytest.mark.parametrize(("change", "reason"), CASES)
def test_a_bad_row_is_kept_with_its_line_and_reason_and_the_good_ones_go_in(
    warehouse: Warehouse, tmp_path: Path, change: dict[str, str], reason: str | None, name: str
) -> None:
    good = ROW | {"task_urn": "urn-0"}
    result = bring_in(warehouse, tmp_path, good, ROW | change, name=name)
    assert (result.added, result.rejected) == ((2, 0) if reason is None else (1, 1))
    refused = read(warehouse, "select * from rejected_rows")
    line = 3 if name.endswith(".csv") else 2
    assert [(row["source"], row["line"], row["reason"], row["rejected_at"]) for row in refused] == (
        [] if reason is None else [(str(tmp_path / name), line, reason, NOW)]
    )
    assert all(row["row"] for row in refused)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("CREATE", "CREATE"), ("create", "CREATE"), (" Close ", "CLOSE"), ("UPGRADE", "UPGRADE"), ("Downgrade", "DOWNGRADE")],
)
def test_an_operation_is_known_in_any_case_and_an_unknown_one_kept(warehouse: Warehouse, tmp_path: Path, written: str, kept: str) -> None:
    result = bring_in(warehouse, tmp_path, ROW | {"operation": written})
    assert read_one(warehouse, "job_tasks")["operation"] == kept
    assert len(result.notes) == (kept not in ("CREATE", "CLOSE"))


@pytest.mark.parametrize(("urns", "expected"), [((ACME,), ACME), ((BETA,), BETA), ((ACME, BETA), None), ((), None)])
def test_the_application_is_optional_where_one_is_configured(
    warehouse: Warehouse, tmp_path: Path, urns: tuple[str, ...], expected: str | None
) -> None:
    row = {name: value for name, value in ROW.items() if name in ("task_urn", "external_job_posting_id", "operation", "requested_at")}
    result = bring_in(warehouse, tmp_path, row, urns=urns)
    assert (result.added, result.rejected) == ((1, 0) if expected else (0, 1))
    assert read(warehouse, "select application_urn from job_tasks") == ([{"application_urn": expected}] if expected else [])


def test_of_several_rows_about_one_task_the_first_counts(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [ROW, ROW | {"operation": "CLOSE"}, ROW | {"task_urn": "urn-2"}, ROW | {"operation": "RENEW"}]
    result = bring_in(warehouse, tmp_path, *rows)
    assert (result.added, result.known, result.rejected) == (2, 2, 0)
    tasks = read(warehouse, "select task_urn, operation from job_tasks order by task_urn")
    assert [tuple(row.values()) for row in tasks] == [("urn-1", "CREATE"), ("urn-2", "CREATE")]


def test_a_bad_row_does_not_stand_in_the_way_of_a_good_one_about_the_same_task(warehouse: Warehouse, tmp_path: Path) -> None:
    result = bring_in(warehouse, tmp_path, ROW | {"requested_at": "?"}, ROW)
    assert (result.added, result.known, result.rejected) == (1, 0, 1)


def test_the_same_file_again_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [ROW, ROW | {"task_urn": "urn-2", "requested_at": "2026-13-01"}, ROW | {"task_urn": ""}]
    first = bring_in(warehouse, tmp_path, *rows)
    before = read_everything(warehouse)
    again = bring_in(warehouse, tmp_path, *rows)
    assert read_everything(warehouse) == before
    assert (first.added, first.known, first.rejected) == (1, 0, 2)
    assert (again.added, again.known, again.rejected) == (0, 1, 2)


def test_what_is_known_of_a_task_is_not_changed_by_an_import(warehouse: Warehouse, tmp_path: Path) -> None:
    given(warehouse, [task("UPDATE", "SUCCEEDED", ago(days=20), task_urn="urn-1", title="Nurse")])
    before = read_everything(warehouse)
    result = bring_in(warehouse, tmp_path, ROW | {"title": "Head nurse"})
    assert (result.added, result.known) == (0, 1)
    assert read_everything(warehouse) == before


def test_columns_of_ones_own_are_ignored(warehouse: Warehouse, tmp_path: Path) -> None:
    assert bring_in(warehouse, tmp_path, ROW | {"recruiter": "Kim", "state": "SETTLED", "status": "FAILED"}).added == 1
    row: Row = read_one(warehouse, "job_tasks")
    assert (row["state"], row["status"]) == ("PENDING", None)

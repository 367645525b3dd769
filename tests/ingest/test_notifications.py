"""Notification bodies landed elsewhere: both forms of a line, bad lines, and the same file again."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobrecon.errors import InputError
from jobrecon.ingest import ReadOptions, import_notifications
from jobrecon.warehouse import Warehouse
from tests.ingest.conftest import ACME, NOW, Write, read, read_rejects


def body(status: str, job: object = "job-1", **more: object) -> dict[str, object]:
    return {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME, "externalJobPostingId": job, "listingStatus": status} | more


def lines(*values: object) -> str:
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)


def read_notifications(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return read(
        warehouse,
        "select external_job_posting_id, received_at, listing_status, deliveries from notifications order by received_at, arrival",
    )


def test_a_line_is_a_body_or_a_body_with_its_time_of_receipt(warehouse: Warehouse, write: Write) -> None:
    path = write(
        lines(
            {"received_at": "2026-02-28T22:00:00+01:00", "body": body("IN_PROGRESS")},
            {"received_at": "2026-02-28T22:00:00", "body": json.dumps(body("LISTED"))},
            body("NOT_LISTED", developerApplicationUrn=1001),
            "",
            {"received_at": None, "body": body("LISTED", job=17)},
        ),
        "bodies.ndjson",
    )
    result = import_notifications(warehouse, path, NOW)
    assert (result.added, result.known, result.rejected) == (4, 0, 0)
    assert read_notifications(warehouse) == [
        ("job-1", datetime(2026, 2, 28, 21, tzinfo=UTC), "IN_PROGRESS", 1),
        ("job-1", datetime(2026, 2, 28, 22, tzinfo=UTC), "LISTED", 1),
        ("job-1", NOW, "NOT_LISTED", 1),
        ("17", NOW, "LISTED", 1),
    ]
    assert read(warehouse, "select distinct application_urn from notifications") == [(ACME,)]


@pytest.mark.parametrize("name", ["bodies.ndjson", "renamed.ndjson"])
def test_an_import_again_adds_nothing(warehouse: Warehouse, write: Write, name: str) -> None:
    content = lines({"received_at": "2026-02-28T22:00:00Z", "body": body("LISTED")}, "{broken")
    assert import_notifications(warehouse, write(content, "bodies.ndjson"), NOW).added == 1
    before = read(warehouse, "from notifications"), read(warehouse, "from notification_deliveries")
    again = import_notifications(warehouse, write(content, name), NOW + timedelta(hours=1))
    assert (again.added, again.known, again.rejected) == (0, 1, 1)
    assert (read(warehouse, "from notifications"), read(warehouse, "from notification_deliveries")) == before


def test_bare_bodies_imported_again_from_the_same_file_add_nothing(warehouse: Warehouse, write: Write) -> None:
    path = write(lines(body("LISTED"), body("NOT_LISTED"), body("LISTED")), "bodies.ndjson")
    assert import_notifications(warehouse, path, NOW).added == 3
    again = import_notifications(warehouse, path, NOW + timedelta(hours=1))
    assert (again.added, again.known) == (0, 3)
    assert [row[2] for row in read_notifications(warehouse)] == ["LISTED", "NOT_LISTED", "LISTED"]


def test_equal_bodies_in_a_row_are_one_notification(warehouse: Warehouse, write: Write) -> None:
    times = ["2026-02-28T22:00:00Z", "2026-02-28T22:05:00Z"]
    import_notifications(warehouse, write(lines(*({"received_at": time, "body": body("LISTED")} for time in times))), NOW)
    assert read_notifications(warehouse) == [("job-1", datetime(2026, 2, 28, 22, tzinfo=UTC), "LISTED", 2)]


def test_what_is_said_again_within_one_moment_is_not_lost(warehouse: Warehouse, write: Write) -> None:
    times = {"received_at": "2026-02-28T22:00:00Z"}
    path = write(lines(*(times | {"body": body(status)} for status in ("LISTED", "NOT_LISTED", "LISTED"))), "bodies.ndjson")
    assert import_notifications(warehouse, path, NOW).added == 3
    assert [row[2] for row in read_notifications(warehouse)] == ["LISTED", "NOT_LISTED", "LISTED"]
    again = import_notifications(warehouse, path, NOW)
    assert (again.added, again.known) == (0, 3)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1601-01-01", "9999-12-31T23:59:59Z", "2026-03-02T06:00:01Z"])
def test_a_time_of_receipt_that_cannot_be_is_refused(warehouse: Warehouse, write: Write, text: str) -> None:
    result = import_notifications(warehouse, write(lines({"received_at": text, "body": body("LISTED")})), NOW)
    assert (result.added, result.rejected) == (0, 1)


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 22), ("Europe/Berlin", 21)])
def test_a_time_of_receipt_without_an_offset_is_in_the_zone_that_is_named(warehouse: Warehouse, write: Write, zone: str, hour: int) -> None:
    path = write(gzip.compress(lines({"received_at": "2026-02-28T22:00:00", "body": body("LISTED")}).encode()), "bodies.ndjson.gz")
    assert import_notifications(warehouse, path, NOW, options=ReadOptions(timezone=zone)).added == 1
    assert read_notifications(warehouse)[0][1] == datetime(2026, 2, 28, hour, tzinfo=UTC)


BAD_LINES = [
    ("{broken", "not JSON"),
    ("[]", "not a JSON object"),
    ("17", "not a JSON object"),
    (lines({"type": "JOB_POSTING_STATUS", "externalJobPostingId": "1"}).strip(), "developerApplicationUrn"),
    (lines({"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME}).strip(), "externalJobPostingId"),
    (lines({"received_at": "soon", "body": body("LISTED")}).strip(), "received_at"),
    (lines({"received_at": "2026-02-28T22:00:00Z", "body": "{broken"}).strip(), "not JSON"),
    (lines({"received_at": "2026-02-28T22:00:00Z", "body": None}).strip(), "not a JSON object"),
    ("[" * 5000, "nested deeper"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES, ids=[reason for _, reason in BAD_LINES])
def test_a_bad_line_is_kept_with_its_reason_and_the_others_go_in(warehouse: Warehouse, write: Write, line: str, reason: str) -> None:
    path = write(lines(body("LISTED"), line, body("NOT_LISTED")))
    result = import_notifications(warehouse, path, NOW)
    assert (result.added, result.rejected) == (2, 1)
    ((source, number, said, kept),) = read_rejects(warehouse)
    assert (source, number, kept) == (str(path), 2, line)
    assert reason in said
    assert [reason.examples[0][0] for reason in result.reasons.values()] == [2]


def test_a_line_that_is_not_utf_8_is_refused(warehouse: Warehouse, write: Write) -> None:
    result = import_notifications(warehouse, write(b'{"type": "caf\xe9"}\n'), NOW)
    assert (result.added, result.rejected) == (0, 1)


def test_a_file_that_cannot_be_read_is_an_error_that_says_so(warehouse: Warehouse, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.ndjson"):
        with pytest.raises(InputError, match="cannot be read"):
            import_notifications(warehouse, path, NOW)


def test_an_hour_without_notifications_is_an_empty_file_and_fine(warehouse: Warehouse, write: Write) -> None:
    result = import_notifications(warehouse, write(""), NOW)
    assert (result.added, result.known, result.rejected) == (0, 0, 0)

"""Notifications: imported from files, one body a line, and merged from the landing database, challenges too."""

import codecs
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine

from jobrecon.applications import UNSHARDED, Applications
from jobrecon.ingest.files import STDIN, ReadOptions, open_input
from jobrecon.ingest.result import ImportResult
from jobrecon.ingest.staging import CHUNK_ROWS, MAX_ROW_LENGTH
from jobrecon.ingest.tasks import discard_changes
from jobrecon.ingest.text_files import decode_lines, split_lines
from jobrecon.landing.webhook_health import read_challenges
from jobrecon.warehouse.connection import Warehouse, stage
from jobrecon.webhook.parsing import RESYNC_JOBS, InvalidNotification, parse_import_line

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def import_notifications(
    warehouse: Warehouse,
    path: Path,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
    options: ReadOptions | None = None,
    *,
    applications: Applications = UNSHARDED,
    is_dry_run: bool = False,
) -> ImportResult:
    """Add the notifications of an NDJSON file, `-` for standard input. Doing it again adds nothing.

    A line is a body, or `{"received_at": …, "body": {…}}`; without a time it counts as received `now`. Invalid lines go
    to `rejected_rows`. Raises `InputError` for a file that cannot be read. A dry run changes nothing.
    """
    options = options or ReadOptions()
    source = "stdin" if path == STDIN else str(path)
    result = ImportResult(source)
    with open_input(path) as file, discard_changes(warehouse) if is_dry_run else nullcontext():
        lines = _read_file(source, file, options, now)
        while part := list(islice(lines, CHUNK_ROWS)):
            deliveries, rejects = [], []
            for line in part:
                is_own = applications.is_default_shard if isinstance(line, _RejectedLine) else applications.owns(line["application_urn"])
                if not is_own:
                    result.skipped += 1
                elif isinstance(line, _RejectedLine):
                    rejects.append({"source": source, "line": line.number, "reason": line.reason, "row": line.text[:MAX_ROW_LENGTH]})
                    result.reject(line.reason, 1, [(line.number, line.text[:80])])
                else:
                    deliveries.append(line | {"received_at": line["received_at"] or now})
            added = merge_deliveries(warehouse, deliveries, rejects, now, is_open=is_dry_run)
            result.added += added
            result.known += len(deliveries) - added
            advance(len(part))
    return result


class _RejectedLine(NamedTuple):
    number: int
    text: str
    reason: str


def _read_file(source: str, path: Path, options: ReadOptions, now: datetime) -> Iterator[dict[str, Any] | _RejectedLine]:
    """The delivery of each line that is not blank, `received_at` null where the line names none."""
    seen: Counter[tuple[str, str]] = Counter()
    is_utf8 = codecs.lookup(options.encoding).name == "utf-8"
    decoded = (line.encode() for lines in decode_lines(source, path, options.encoding) for line in lines)
    for number, line in enumerate(split_lines(path) if is_utf8 else decoded, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            received_at, parsed = parse_import_line(text, options.zone)
        except InvalidNotification as error:
            yield _RejectedLine(number, text.decode(errors="replace"), str(error))
            continue
        if received_at and not EARLIEST <= received_at <= now + timedelta(days=1):
            yield _RejectedLine(number, text.decode(), "received_at is before the year 2000 or more than a day ahead of the clock")
            continue
        # The same line gets the same id: by its time or its file, and by its place among equal ones.
        moment = received_at.isoformat() if received_at else ""
        seen[moment, parsed.body_hash] += 1
        place = f"#{seen[moment, parsed.body_hash]}"
        origin = moment + (place if place != "#1" else "") if moment else Path(source).name + place
        yield {
            "delivery_id": hashlib.sha256(f"{origin}|{parsed.body_hash}".encode()).hexdigest()[:32],
            "application_urn": parsed.application_urn,
            "external_job_posting_id": parsed.external_job_posting_id,
            "type": parsed.type,
            "received_at": received_at,
            "arrival": number,
            "body_hash": parsed.body_hash,
            "payload": parsed.payload,
        }


def merge_deliveries(
    warehouse: Warehouse,
    deliveries: list[dict[str, Any]],
    rejects: list[dict[str, Any]],
    now: datetime,
    *,
    merge: dict[str, Any] | None = None,
    is_open: bool = False,
) -> int:
    """Merge deliveries and derive the notifications of their jobs again; returns how many were not known yet.

    `merge` is the row of `notification_merges` that is committed with them.
    """
    staged = stage("staged_deliveries", deliveries)
    with nullcontext() if is_open else warehouse.transaction():
        if rejects:
            warehouse.run("tasks/insert_rejected_rows", stage("staged_rejects", rejects), rejected_at=now)
        if merge:
            warehouse.run("notifications/insert_notification_merges", **merge)
        added = warehouse.change("notifications/insert_deliveries", staged) if deliveries else 0
        if added:
            warehouse.touch("touched/insert_delivered_jobs", staged)
            warehouse.run("notifications/create_delivered_jobs", staged)
            warehouse.run("notifications/delete_delivered_notifications")
            define_status_fields(warehouse)
            warehouse.run("notifications/insert_notifications")
            if any(row["type"] == RESYNC_JOBS for row in deliveries):
                warehouse.run("notifications/delete_delivered_resync_requests")
                warehouse.run("notifications/insert_resync_requests")
                warehouse.touch("touched/insert_resync_jobs")
    return added


def define_status_fields(warehouse: Warehouse) -> None:
    """Define the macro `status_fields`: what a notification's body or a check's record says of a job."""
    for macro in ("notifications/create_stated", "notifications/create_stated_moment", "notifications/create_status_fields"):
        warehouse.run(macro)


def merge_challenges(warehouse: Warehouse, engine: Engine, up_to: datetime) -> int:
    """Merge the times of LinkedIn's challenges; returns how many were new. Raises `LandingUnavailable`."""
    last = warehouse.read("notifications/select_last_challenge")[0]["last_challenged_at"]
    rows = read_challenges(engine, last, up_to)
    return warehouse.change("notifications/insert_webhook_challenges", stage("staged_challenges", rows)) if rows else 0

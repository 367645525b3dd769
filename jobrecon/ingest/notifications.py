"""Importing notification bodies that were landed elsewhere: one a line, with or without the time of receipt."""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from jobrecon.errors import InputError
from jobrecon.ingest.files import ImportResult
from jobrecon.ingest.staging import CHUNK_ROWS, MAX_ROW_LENGTH
from jobrecon.landing.challenges import read_challenges
from jobrecon.warehouse.connection import Warehouse, stage
from jobrecon.webhook.parsing import RESYNC_JOBS, InvalidNotification, parse_import_line


def import_notifications(warehouse: Warehouse, path: Path, now: datetime, advance: Callable[[int], None] = lambda _: None) -> ImportResult:
    """Add the notifications of an NDJSON file. Doing it again adds nothing.

    A line is a body, or `{"received_at": …, "body": {…}}`; without a time it counts as received `now`. Invalid lines go
    to `rejected_rows`. Raises `InputError` for a file that cannot be read.
    """
    result = ImportResult(str(path))
    seen: Counter[str] = Counter()
    deliveries: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []

    def merge() -> None:
        result.added += merge_deliveries(warehouse, deliveries, rejects, now)
        result.known = sum(seen.values()) - result.added
        advance(len(deliveries) + len(rejects))
        deliveries.clear()
        rejects.clear()

    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if not text:
                    continue
                try:
                    received_at, read = parse_import_line(text)
                except InvalidNotification as error:
                    rejects.append(
                        {"source": str(path), "line": number, "reason": str(error), "row": text.decode(errors="replace")[:MAX_ROW_LENGTH]}
                    )
                    result.rejected += 1
                    reason = f"{error} (first in line {number})"
                    result.reasons[reason] = result.reasons.get(reason, 0) + 1
                    continue
                seen[read.body_hash] += 1
                # The same line gives the same id: by its time, or by its place among equal bodies of this file.
                origin = received_at.isoformat() if received_at else f"{path.name}#{seen[read.body_hash]}"
                deliveries.append(
                    {
                        "delivery_id": hashlib.sha256(f"{origin}|{read.body_hash}".encode()).hexdigest()[:32],
                        "application_urn": read.application_urn,
                        "external_job_posting_id": read.external_job_posting_id,
                        "type": read.type,
                        "received_at": received_at or now,
                        "arrival": number,
                        "body_hash": read.body_hash,
                        "payload": read.payload,
                    }
                )
                if len(deliveries) + len(rejects) >= CHUNK_ROWS:
                    merge()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. What was imported of it is not added twice.") from error
    merge()
    return result


def merge_deliveries(warehouse: Warehouse, deliveries: list[dict[str, Any]], rejects: list[dict[str, Any]], now: datetime) -> int:
    """Merge deliveries and derive the notifications of their jobs again; returns how many were not known yet."""
    staged = stage("staged_deliveries", deliveries)
    with warehouse.transaction():
        if rejects:
            warehouse.run("tasks/insert_rejected_rows", stage("staged_rejects", rejects), rejected_at=now)
        added = warehouse.count("notifications/insert_deliveries", staged) if deliveries else 0
        if added:
            warehouse.run("notifications/create_touched_jobs", staged)
            warehouse.run("notifications/delete_touched_notifications")
            warehouse.run("notifications/insert_notifications")
            if any(row["type"] == RESYNC_JOBS for row in deliveries):
                warehouse.run("notifications/delete_touched_resync_requests")
                warehouse.run("notifications/insert_resync_requests")
    return added


def merge_challenges(warehouse: Warehouse, engine: Engine, up_to: datetime) -> int:
    """Merge the times of LinkedIn's challenges; returns how many were new. Raises `LandingUnavailable`."""
    last = warehouse.read("notifications/select_last_challenge")[0]["last_challenged_at"]
    rows = read_challenges(engine, last, up_to)
    return warehouse.count("notifications/insert_webhook_challenges", stage("staged_challenges", rows)) if rows else 0

"""The landing database in the long run: what was not understood is tried again, what has served its time is deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, delete, select

from jobrecon.landing.database import explain_landing_errors
from jobrecon.landing.rows import insert_deliveries
from jobrecon.webhook.parsing import InvalidNotification, ParsedNotification, read_body
from models.inbox import ChallengeTime, InboxItem, QuarantinedBody

CHUNK_ROWS = 2_000

_inbox: Any = InboxItem.__table__  # type: ignore[attr-defined]
_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]
_times: Any = ChallengeTime.__table__  # type: ignore[attr-defined]


@dataclass
class Redriven:
    """What became of the quarantined bodies: understood now, or still not, by reason."""

    landed: int
    still_not: dict[str, int]


def redrive_quarantine(engine: Engine, understand: Callable[[bytes], ParsedNotification] = read_body) -> Redriven:
    """Try every quarantined body again; what is understood now lands as received then, and leaves the quarantine.

    Each moves in a transaction of its own, so that breaking off or running twice loses and doubles nothing. Raises
    `LandingUnavailable`.
    """
    result = Redriven(0, {})
    last_id = 0
    while True:
        with explain_landing_errors(engine), engine.connect() as connection:
            query = select(_quarantine).where(_quarantine.c.quarantine_id > last_id).order_by(_quarantine.c.quarantine_id)
            rows = connection.execute(query.limit(CHUNK_ROWS)).all()
        if not rows:
            return result
        last_id = rows[-1].quarantine_id
        for row in rows:
            try:
                read = understand(row.body)
            except InvalidNotification as refusal:
                result.still_not[refusal.reason] = result.still_not.get(refusal.reason, 0) + 1
                continue
            with explain_landing_errors(engine), engine.begin() as connection:
                # Who deletes it lands it: two that redrive at once do not both.
                if connection.execute(delete(_quarantine).where(_quarantine.c.quarantine_id == row.quarantine_id)).rowcount:
                    job, type_ = read.external_job_posting_id, read.type
                    told = (uuid4().hex, row.received_at, read.application_urn, job, type_, read.body_hash, read.payload)
                    insert_deliveries(connection, [(*told, row.body, row.signed_by)])
                    result.landed += 1


def prune_landing(engine: Engine, now: datetime, retention_days: float) -> int:
    """Delete merged deliveries, quarantined bodies and times of challenges older than `retention_days`; returns how many.

    What is not merged stays, however old. In chunks from the oldest on: landing never waits long, and looking costs one
    chunk where there is nothing to delete. Raises `LandingUnavailable`.
    """
    cutoff = now - timedelta(days=retention_days)
    deleted = _delete_oldest(engine, _inbox.c.inbox_id, _inbox.c.received_at, cutoff, _inbox.c.merged_at.is_not(None))
    deleted += _delete_oldest(engine, _quarantine.c.quarantine_id, _quarantine.c.received_at, cutoff)
    with explain_landing_errors(engine), engine.begin() as connection:
        deleted += connection.execute(delete(_times).where(_times.c.challenged_at < cutoff)).rowcount
    return deleted


def _delete_oldest(engine: Engine, key: Any, moment: Any, cutoff: datetime, *conditions: Any) -> int:
    deleted, last_key = 0, 0
    while True:
        with explain_landing_errors(engine), engine.begin() as connection:
            ids = list(connection.scalars(select(key).where(key > last_key).order_by(key).limit(CHUNK_ROWS)))
            if not ids:
                return deleted
            gone = connection.execute(delete(key.table).where(key.in_(ids), moment < cutoff, *conditions)).rowcount
        deleted += gone
        last_key = ids[-1]
        if not gone:
            return deleted

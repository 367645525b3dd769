"""Retention of the landing database: what is merged and old is deleted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select

from jobrecon.landing.database import explain_landing_errors
from models.inbox import ChallengeTime, InboxItem, QuarantinedBody

CHUNK_ROWS = 2_000

_inbox: Any = InboxItem.__table__  # type: ignore[attr-defined]
_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]
_times: Any = ChallengeTime.__table__  # type: ignore[attr-defined]


def prune_landing(engine: Engine, now: datetime, retention_days: float) -> int:
    """Delete merged deliveries, quarantined bodies and times of challenges older than `retention_days`; returns how many.

    What is not merged stays, however old. In chunks from the oldest on, so that landing never waits long and a run with nothing
    to delete costs one chunk. Raises `LandingUnavailable`.
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

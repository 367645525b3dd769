"""Retention of the landing database: what is merged and old is deleted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select

from jobrecon.landing.database import explain_landing_errors
from models.base import table_of
from models.inbox import ChallengeTime, InboxItem, InboxMerge, QuarantinedBody, ReceivedBody

CHUNK_ROWS = 2_000

_inbox = table_of(InboxItem)
_bodies = table_of(ReceivedBody)
_merges = table_of(InboxMerge)
_quarantine = table_of(QuarantinedBody)
_times = table_of(ChallengeTime)


def prune_landing(engine: Engine, now: datetime, retention_days: float) -> int:
    """Delete merged deliveries, quarantined bodies and times of challenges older than `retention_days`; returns how many.

    What is not merged stays, however old. In chunks from the oldest on, so that landing never waits long and a run with nothing
    to delete costs one chunk. Raises `LandingUnavailable`.
    """
    cutoff = now - timedelta(days=retention_days)
    deleted = _delete_oldest(engine, _inbox.c.inbox_id, _inbox.c.received_at, cutoff, _inbox.c.merged_at.is_not(None))
    deleted += _delete_oldest(engine, _quarantine.c.quarantine_id, _quarantine.c.received_at, cutoff)
    _delete_unused_bodies(engine, cutoff)
    with explain_landing_errors(engine), engine.begin() as connection:
        deleted += connection.execute(delete(_times).where(_times.c.challenged_at < cutoff)).rowcount
        connection.execute(delete(_merges).where(_merges.c.merged_at < cutoff))
    return deleted


def _delete_unused_bodies(engine: Engine, cutoff: datetime) -> None:
    """Bodies that were not received since: their deliveries are deleted, but for those that are not merged."""
    waiting = select(_inbox.c.raw_hash).where(_inbox.c.merged_at.is_(None), _inbox.c.received_at < cutoff)
    unused = select(_bodies.c.raw_hash).where(_bodies.c.last_received_at < cutoff, _bodies.c.raw_hash.not_in(waiting)).limit(CHUNK_ROWS)
    while True:
        with explain_landing_errors(engine), engine.begin() as connection:
            hashes = list(connection.scalars(unused))
            # Compared again: it may have been received in the meantime.
            connection.execute(delete(_bodies).where(_bodies.c.raw_hash.in_(hashes), _bodies.c.last_received_at < cutoff))
        if len(hashes) < CHUNK_ROWS:
            return


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

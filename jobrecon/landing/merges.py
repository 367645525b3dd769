"""Which deliveries a warehouse has committed, and which of them a warehouse has lost."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, delete, insert, select, update

from jobrecon.landing.database import explain_landing_errors
from models.base import table_of
from models.inbox import InboxItem, InboxMerge

CHUNK_ROWS = 5_000

_inbox = table_of(InboxItem)
_merges = table_of(InboxMerge)


def mark_merged(engine: Engine, inbox_ids: Sequence[int], at: datetime, *, merge_id: str, run_id: str, shard: str = "") -> None:
    """Note that the warehouse has committed these deliveries as one merge. Marking one twice changes nothing."""
    with explain_landing_errors(engine), engine.begin() as connection:
        connection.execute(insert(_merges).values(merge_id=merge_id, shard=shard, run_id=run_id, merged_at=at))
    for start in range(0, len(inbox_ids), CHUNK_ROWS):
        chosen = _inbox.c.inbox_id.in_(inbox_ids[start : start + CHUNK_ROWS])
        # A transaction for each chunk: on SQLite nothing can land while one is open.
        with explain_landing_errors(engine), engine.begin() as connection:
            connection.execute(update(_inbox).where(chosen, _inbox.c.merged_at.is_(None)).values(merged_at=at, merge_id=merge_id))


def read_merge_ids(engine: Engine, shard: str = "") -> list[str]:
    """The merges of this shard whose deliveries are still in the inbox. Raises `LandingUnavailable`."""
    with explain_landing_errors(engine), engine.connect() as connection:
        return list(connection.scalars(select(_merges.c.merge_id).where(_merges.c.shard == shard)))


def undo_merges(engine: Engine, merge_ids: Sequence[str]) -> int:
    """Have the deliveries of these merges merged again; returns how many they are. Raises `LandingUnavailable`."""
    undone = 0
    for start in range(0, len(merge_ids), CHUNK_ROWS):
        chosen = merge_ids[start : start + CHUNK_ROWS]
        with explain_landing_errors(engine), engine.begin() as connection:
            rows = update(_inbox).where(_inbox.c.merge_id.in_(chosen)).values(merged_at=None, merge_id=None)
            undone += connection.execute(rows).rowcount
            connection.execute(delete(_merges).where(_merges.c.merge_id.in_(chosen)))
    return undone

"""Reading the inbox: for the reconciliation, the metrics and the doctor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, select, update

from jobrecon.landing.database import explain_landing_errors
from models.inbox import Challenge, InboxItem, QuarantinedBody, Silence

MARK_LIMIT = 5_000

_inbox: Any = InboxItem.__table__  # type: ignore[attr-defined]
_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]
_challenges: Any = Challenge.__table__  # type: ignore[attr-defined]
_silences: Any = Silence.__table__  # type: ignore[attr-defined]


class UnmergedRow(NamedTuple):
    """The columns of a delivery that a run merges."""

    inbox_id: int
    delivery_id: str
    received_at: datetime
    application_urn: str
    external_job_posting_id: str | None
    type: str
    body_hash: str
    payload: str


@dataclass(frozen=True)
class InboxState:
    """The state of the inbox, for the metrics and the doctor."""

    unmerged_count: int
    last_received_at: datetime | None
    last_challenged_at: datetime | None
    oldest_unmerged_at: datetime | None = None
    quarantined_count: int = 0
    silences: dict[str, datetime] = field(default_factory=dict)
    """Since when LinkedIn is silent by the last run, by application; '' for challenges."""


def read_unmerged(engine: Engine, up_to: datetime, batch_size: int = 10_000) -> Iterator[list[UnmergedRow]]:
    """Deliveries received by `up_to` that are not merged, in order of (`received_at`, `inbox_id`), in batches.

    All batches are of one snapshot: what lands or is marked in the meantime changes nothing in them. Raises
    `LandingUnavailable`.
    """
    query = (
        select(*(_inbox.c[name] for name in UnmergedRow._fields))
        .where(_inbox.c.merged_at.is_(None), _inbox.c.received_at <= up_to)
        .order_by(_inbox.c.received_at, _inbox.c.inbox_id)
    )
    with explain_landing_errors(engine), engine.connect() as connection:
        result = connection.execution_options(yield_per=batch_size).execute(query)
        for batch in result.partitions():
            yield [UnmergedRow._make(row) for row in batch]


def mark_merged(engine: Engine, inbox_ids: Iterable[int], at: datetime) -> None:
    """Note that the warehouse has committed these deliveries. Marking one twice changes nothing."""
    ids = list(inbox_ids)
    for start in range(0, len(ids), MARK_LIMIT):
        chosen = _inbox.c.inbox_id.in_(ids[start : start + MARK_LIMIT])
        # A transaction for each chunk: on SQLite nothing can land while one is open.
        with explain_landing_errors(engine), engine.begin() as connection:
            connection.execute(update(_inbox).where(chosen, _inbox.c.merged_at.is_(None)).values(merged_at=at))


def read_state(engine: Engine) -> InboxState:
    """How many deliveries wait to be merged, and when LinkedIn last sent anything. Raises `LandingUnavailable`."""
    with explain_landing_errors(engine), engine.connect() as connection:
        waiting = _inbox.c.merged_at.is_(None)
        return InboxState(
            unmerged_count=connection.scalar(select(func.count()).select_from(_inbox).where(waiting)) or 0,
            oldest_unmerged_at=connection.scalar(
                select(_inbox.c.received_at).where(waiting).order_by(_inbox.c.received_at, _inbox.c.inbox_id).limit(1)
            ),
            quarantined_count=connection.scalar(select(func.count()).select_from(_quarantine)) or 0,
            silences={row.application_urn: row.since for row in connection.execute(select(_silences))},
            last_received_at=connection.scalar(select(_inbox.c.received_at).order_by(_inbox.c.inbox_id.desc()).limit(1)),
            last_challenged_at=connection.scalar(select(func.max(_challenges.c.challenged_at))),
        )


def read_quarantine(engine: Engine, row_limit: int) -> list[dict[str, Any]]:
    """Signed bodies that were not understood, the newest first, as text. Raises `LandingUnavailable`."""
    columns = (_quarantine.c.quarantine_id, _quarantine.c.received_at, _quarantine.c.reason, _quarantine.c.body)
    with explain_landing_errors(engine), engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(_quarantine.c.quarantine_id.desc()).limit(row_limit)).mappings()
        return [{**row, "body": row["body"].decode(errors="replace")} for row in rows]

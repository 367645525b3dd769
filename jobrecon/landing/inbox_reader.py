"""Reading the inbox: for the reconciliation, the metrics and the doctor."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, select

from jobrecon.applications import UNSHARDED, Applications
from jobrecon.landing.database import explain_landing_errors
from models.base import table_of
from models.inbox import Challenge, InboxItem, QuarantinedBody, ReceivedBody, Silence

MAX_PARAMETERS = 5_000
MAX_BATCH_BYTES = 64 * 1024 * 1024

_inbox = table_of(InboxItem)
_bodies = table_of(ReceivedBody)
_quarantine = table_of(QuarantinedBody)
_challenges = table_of(Challenge)
_silences = table_of(Silence)


class UnmergedRow(NamedTuple):
    """A delivery as a run merges it."""

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


def read_unmerged(
    engine: Engine, up_to: datetime, batch_size: int = 10_000, applications: Applications = UNSHARDED
) -> Generator[list[UnmergedRow], None, None]:
    """Deliveries of these applications, received by `up_to`, that are not merged, in order of (`received_at`, `inbox_id`), in batches.

    All batches are of one snapshot: what lands or is marked in the meantime changes nothing in them. A batch is cut short where
    its payloads take `MAX_BATCH_BYTES`. Raises `LandingUnavailable`.
    """
    query = (
        select(*(_inbox.c[name] for name in UnmergedRow._fields[:-1]), _inbox.c.raw_hash, func.length(_bodies.c.body).label("size"))
        .join(_bodies, _bodies.c.raw_hash == _inbox.c.raw_hash)
        .where(_inbox.c.merged_at.is_(None), _inbox.c.received_at <= up_to, _is_owned(applications))
        .order_by(_inbox.c.received_at, _inbox.c.inbox_id)
    )
    with explain_landing_errors(engine), engine.connect() as connection:
        batch: list[Any] = []
        size = 0
        for row in connection.execution_options(yield_per=batch_size).execute(query):
            if batch and (len(batch) == batch_size or size + row.size > MAX_BATCH_BYTES):
                yield _add_payloads(connection, batch)
                batch, size = [], 0
            batch.append(row)
            size += row.size
        if batch:
            yield _add_payloads(connection, batch)


def _add_payloads(connection: Connection, rows: list[Any]) -> list[UnmergedRow]:
    hashes = sorted({row.raw_hash for row in rows})
    payloads: dict[str, str] = {}
    for start in range(0, len(hashes), MAX_PARAMETERS):
        chosen = _bodies.c.raw_hash.in_(hashes[start : start + MAX_PARAMETERS])
        payloads |= {row.raw_hash: row.payload for row in connection.execute(select(_bodies.c.raw_hash, _bodies.c.payload).where(chosen))}
    return [UnmergedRow._make([*row[:-2], payloads[row.raw_hash]]) for row in rows]


def _is_owned(applications: Applications) -> Any:
    if applications.is_default_shard:
        return _inbox.c.application_urn.not_in(applications.others)
    return _inbox.c.application_urn.in_([application.urn for application in applications])


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

"""Writing to the inbox: deliveries, quarantined bodies and challenges of a batch in one commit."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Connection, Engine, delete, insert
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError, StatementError

from jobrecon.landing.database import explain_landing_errors, insert_or
from jobrecon.landing.file_watch import confirm_file
from jobrecon.landing.webhook_health import ReceivedChallenge, record_challenges
from models.base import table_of
from models.inbox import InboxItem, QuarantinedBody, ReceivedBody

_inbox = table_of(InboxItem)
_quarantine = table_of(QuarantinedBody)
_bodies = table_of(ReceivedBody)

_DELIVERY_COLUMNS = (
    "delivery_id", "received_at", "application_urn", "external_job_posting_id", "type", "body_hash", "raw_hash", "signed_by",
)  # fmt: skip


def make_delivery_id() -> str:
    """A unique id that rises, as an index of random ones would be written all over. Nothing of it is shared with a forked process."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Delivery:
    """One receipt of a notification: a row of `inbox`, and of `bodies` where its body is new."""

    received_at: datetime
    application_urn: str
    external_job_posting_id: str | None
    type: str
    body_hash: str
    payload: str
    body: bytes
    signed_by: str
    delivery_id: str = field(default_factory=make_delivery_id)

    @cached_property
    def raw_hash(self) -> str:
        return hash_body(self.body)


@dataclass(frozen=True)
class InvalidBody:
    """A signed body that is no notification; a row of `quarantine`."""

    received_at: datetime
    reason: str
    body: bytes
    signed_by: str


@dataclass(frozen=True)
class ReadinessProbe:
    """A delivery that is written and deleted in the same commit: what can be done for it can be done for a notification."""


InboxWrite = Delivery | InvalidBody | ReceivedChallenge | ReadinessProbe


def write_inbox(engine: Engine, batch: Sequence[InboxWrite]) -> None:
    """Write a batch in one commit, all of it or nothing, into the file that is still there afterwards.

    Raises `LandingUnavailable` where the database cannot be used, and the database's own error where it refuses a row.
    """
    with _explaining_unless_a_row_is_at_fault(engine), engine.connect() as connection:
        with connection.begin():
            if deliveries := [item for item in batch if isinstance(item, Delivery)]:
                insert_deliveries(connection, deliveries)
            if invalid := [item for item in batch if isinstance(item, InvalidBody)]:
                _insert_invalid(connection, invalid)
            if challenges := [item for item in batch if isinstance(item, ReceivedChallenge)]:
                record_challenges(connection, challenges)
            if any(isinstance(item, ReadinessProbe) for item in batch):
                _probe(connection)
        confirm_file(connection)


@contextmanager
def _explaining_unless_a_row_is_at_fault(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        if isinstance(error, DataError | IntegrityError) or type(error) is StatementError:
            raise
        with explain_landing_errors(engine):
            raise


def insert_deliveries(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Insert deliveries in order of arrival. A body that came before is counted, and its bytes are not stored again."""
    insert_body = insert_or(connection, _bodies)
    counted = insert_body.on_conflict_do_update(
        index_elements=["raw_hash"],
        set_={"receipts": _bodies.c.receipts + 1, "last_received_at": insert_body.excluded.last_received_at},
    )
    bodies = [
        {"raw_hash": item.raw_hash, "last_received_at": item.received_at, "receipts": 1, "payload": item.payload, "body": item.body}
        # In one order everywhere: two receivers that insert the same two bodies must not wait for each other.
        for item in sorted(deliveries, key=lambda item: item.raw_hash)
    ]
    connection.execute(counted, bodies)
    connection.execute(insert(_inbox), [{name: getattr(item, name) for name in _DELIVERY_COLUMNS} for item in deliveries])


def _insert_invalid(connection: Connection, invalid: Sequence[InvalidBody]) -> None:
    rows = [{**vars(item), "raw_hash": hash_body(item.body), "receipts": 1} for item in invalid]
    counted = insert_or(connection, _quarantine).on_conflict_do_update(
        index_elements=["raw_hash"], set_={"receipts": _quarantine.c.receipts + 1}
    )
    connection.execute(counted, sorted(rows, key=lambda row: row["raw_hash"]))


def _probe(connection: Connection) -> None:
    probe = Delivery(datetime.now(UTC), "", None, "PROBE", "", "{}", make_delivery_id().encode(), "")
    insert_deliveries(connection, [probe])
    connection.execute(delete(_inbox).where(_inbox.c.delivery_id == probe.delivery_id))
    connection.execute(delete(_bodies).where(_bodies.c.raw_hash == probe.raw_hash))


def hash_body(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()

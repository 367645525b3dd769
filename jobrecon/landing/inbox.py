"""Writing to the inbox: deliveries, quarantined bodies and challenges of a batch in one commit."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError, StatementError

from jobrecon.landing.challenges import ReceivedChallenge, record_challenges
from jobrecon.landing.database import explain_landing_errors
from models.inbox import Challenge, InboxItem, QuarantinedBody

_inbox: Any = InboxItem.__table__  # type: ignore[attr-defined]
_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]
_challenges: Any = Challenge.__table__  # type: ignore[attr-defined]

_PROCESS = uuid4().hex[:16]
_numbers = itertools.count(1)


def make_delivery_id() -> str:
    """A unique id that rises: an index of random ones would be written all over."""
    return f"{_PROCESS}{next(_numbers):016x}"


@dataclass(frozen=True)
class Delivery:
    """One receipt of a notification; a row of `inbox`."""

    received_at: datetime
    application_urn: str
    external_job_posting_id: str | None
    type: str
    body_hash: str
    payload: str
    body: bytes
    signed_by: str
    delivery_id: str = field(default_factory=make_delivery_id)


@dataclass(frozen=True)
class InvalidBody:
    """A signed body that is no notification; a row of `quarantine`."""

    received_at: datetime
    reason: str
    body: bytes
    signed_by: str


@dataclass(frozen=True)
class Probe:
    """A write that changes nothing, but takes the whole way."""


InboxWrite = Delivery | InvalidBody | ReceivedChallenge | Probe


def write_inbox(engine: Engine, batch: Sequence[InboxWrite]) -> None:
    """Write a batch in one commit: all of it or nothing.

    Raises `LandingUnavailable` where the database cannot be used, and the database's own error where it refuses a row.
    """
    with _explaining_unless_a_row_is_at_fault(engine), engine.begin() as connection:
        if deliveries := [vars(item) for item in batch if isinstance(item, Delivery)]:
            insert_deliveries(connection, deliveries)
        if invalid := [vars(item) for item in batch if isinstance(item, InvalidBody)]:
            connection.execute(insert(_quarantine), invalid)
        if challenges := [item for item in batch if isinstance(item, ReceivedChallenge)]:
            record_challenges(connection, challenges)
        if all(isinstance(item, Probe) for item in batch):
            connection.execute(update(_challenges).where(_challenges.c.challenge_count < 0).values(challenge_count=0))


@contextmanager
def _explaining_unless_a_row_is_at_fault(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        if isinstance(error, DataError | IntegrityError) or type(error) is StatementError:
            raise
        with explain_landing_errors(engine):
            raise


def insert_deliveries(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the fields of `Delivery`, in order of arrival."""
    connection.execute(insert(_inbox), rows)

"""Parsing quarantined bodies again after a fix."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, delete, select

from jobrecon.landing.database import explain_landing_errors
from jobrecon.landing.inbox import insert_deliveries
from jobrecon.webhook.notifications import make_delivery
from jobrecon.webhook.parsing import InvalidNotification, ParsedNotification, parse_body
from models.inbox import QuarantinedBody

CHUNK_ROWS = 2_000

_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]


@dataclass
class RedriveResult:
    """How many quarantined bodies are notifications now, and how many are still invalid, by reason."""

    landed: int = 0
    invalid: dict[str, int] = field(default_factory=dict)


def redrive_quarantine(engine: Engine, parse: Callable[[bytes], ParsedNotification] = parse_body) -> RedriveResult:
    """Parse every quarantined body again; a valid one lands with its first time of receipt, and leaves the quarantine.

    Each moves in a transaction of its own, so that an interruption or a second run loses and duplicates nothing. Raises
    `LandingUnavailable`.
    """
    result = RedriveResult()
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
                parsed = parse(row.body)
            except InvalidNotification as error:
                result.invalid[error.reason] = result.invalid.get(error.reason, 0) + 1
                continue
            delivery = make_delivery(parsed, row.body, row.received_at, row.signed_by)
            with explain_landing_errors(engine), engine.begin() as connection:
                # Whoever deletes it lands it: of two concurrent redrives only one does.
                if connection.execute(delete(_quarantine).where(_quarantine.c.quarantine_id == row.quarantine_id)).rowcount:
                    insert_deliveries(connection, [delivery])
                    result.landed += 1

"""Challenges in the landing database: recorded by the receiver, read by a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, select

from jobrecon.landing.database import explain_landing_errors, insert_or
from models.inbox import Challenge, ChallengeTime

# Receivers on several machines commit out of order: what is known already is read again for so long.
OVERLAP = timedelta(days=1)

_last: Any = Challenge.__table__  # type: ignore[attr-defined]
_times: Any = ChallengeTime.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class ReceivedChallenge:
    """When LinkedIn challenged an application ('' for the parent, or none named)."""

    application_urn: str
    challenged_at: datetime


def record_challenges(connection: Connection, challenges: Sequence[ReceivedChallenge]) -> None:
    """Count challenges, with the last of each application and the seconds in which they came."""
    # In one order everywhere: two receivers that record the same two challenges must not wait for each other.
    for item in sorted(challenges, key=lambda item: (item.application_urn, item.challenged_at)):
        statement = insert_or(connection, _last).values(**vars(item), challenge_count=1)
        newest, known = statement.excluded.challenged_at, _last.c.challenged_at
        later = case((newest > known, newest), else_=known)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["application_urn"], set_={"challenged_at": later, "challenge_count": _last.c.challenge_count + 1}
            )
        )
        second = {"application_urn": item.application_urn, "challenged_at": item.challenged_at.replace(microsecond=0)}
        connection.execute(insert_or(connection, _times).values(second).on_conflict_do_nothing())


def read_challenges(engine: Engine, last: datetime | None, up_to: datetime) -> list[dict[str, Any]]:
    """Challenges by application and second up to a moment, from shortly before the last one known. Raises `LandingUnavailable`."""
    found: set[tuple[str, datetime]] = set()
    with explain_landing_errors(engine), engine.connect() as connection:
        for table in (_times, _last):
            query = select(table.c.application_urn, table.c.challenged_at).where(table.c.challenged_at <= up_to)
            if last is not None:
                query = query.where(table.c.challenged_at >= last - OVERLAP)
            found |= {(row.application_urn, row.challenged_at.replace(microsecond=0)) for row in connection.execute(query)}
    return [{"application_urn": urn, "challenged_at": at} for urn, at in sorted(found)]

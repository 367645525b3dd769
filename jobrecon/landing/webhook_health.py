"""Webhook health: LinkedIn's challenges, and what the last run found missing of challenges and notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, insert, select

from jobrecon.applications import UNSHARDED, Applications
from jobrecon.landing.database import explain_landing_errors, insert_or
from models.base import table_of
from models.inbox import Challenge, ChallengeTime, Silence

# Receivers on several machines commit out of order: what is known already is read again for so long.
OVERLAP = timedelta(days=1)

_last = table_of(Challenge)
_times = table_of(ChallengeTime)


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


_silences = table_of(Silence)


def describe_silences(silences: Mapping[str, datetime], *, is_blocked: bool = False) -> str:
    """The warning at the top of the report."""
    parts = []
    for application_urn, since in silences.items():
        who = f"sent no notification about the jobs of {application_urn}" if application_urn else "not challenged the webhook"
        if is_blocked and not application_urn:
            who = "blocked the webhook"
        parts.append(f"has {who} since {since:%Y-%m-%d %H:%M} UTC")
    return f"LinkedIn {', and '.join(parts)}: changes may have gone unnoticed. `jobrecon doctor` says what to check."


def write_silences(engine: Engine, silences: Mapping[str, datetime], applications: Applications = UNSHARDED) -> None:
    """Replace the silences of these applications that receivers and the doctor report. Raises `LandingUnavailable`."""
    rows = [{"application_urn": urn, "since": since} for urn, since in silences.items()]
    with explain_landing_errors(engine), engine.connect() as connection:
        rows_known = connection.execute(select(_silences)).all()
    known = {row.application_urn: row.since for row in rows_known if applications.owns(row.application_urn)}
    if known == dict(silences):
        return
    with explain_landing_errors(engine), engine.begin() as connection:
        connection.execute(delete(_silences).where(_silences.c.application_urn.in_(known)))
        if rows:
            connection.execute(insert(_silences), rows)

"""LinkedIn's silence: signs of life go from the landing database to the warehouse, and what it makes of them comes back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from jobrecon.landing.database import explain_landing_errors
from jobrecon.warehouse.connection import Warehouse, stage
from models.inbox import Challenge, ChallengeTime, Silence

# Receivers on several machines commit out of order: what was known the last time is looked at again for so long.
OVERLAP = timedelta(days=1)

_last: Any = Challenge.__table__  # type: ignore[attr-defined]
_times: Any = ChallengeTime.__table__  # type: ignore[attr-defined]
_silences: Any = Silence.__table__  # type: ignore[attr-defined]


def merge_challenges(warehouse: Warehouse, engine: Engine, up_to: datetime) -> int:
    """Merge the times of challenges into the warehouse; returns how many were new. Raises `LandingUnavailable`."""
    last = warehouse.read("notifications/select_last_challenge")[0]["last_challenged_at"]
    found: set[tuple[str, datetime]] = set()
    with explain_landing_errors(engine), engine.connect() as connection:
        for table in (_times, _last):
            query = select(table.c.application_urn, table.c.challenged_at).where(table.c.challenged_at <= up_to)
            if last is not None:
                query = query.where(table.c.challenged_at >= last - OVERLAP)
            found |= {(row.application_urn, row.challenged_at.replace(microsecond=0)) for row in connection.execute(query)}
    if not found:
        return 0
    rows = [{"application_urn": urn, "challenged_at": at} for urn, at in sorted(found)]
    return warehouse.count("notifications/insert_webhook_challenges", stage("staged_challenges", rows))


def describe_silences(silences: Mapping[str, datetime]) -> str:
    """What the report says above everything else."""
    parts = []
    for application_urn, since in silences.items():
        who = f"sent no notification about the jobs of {application_urn}" if application_urn else "not challenged the webhook"
        parts.append(f"has {who} since {since:%Y-%m-%d %H:%M} UTC")
    return f"LinkedIn {', and '.join(parts)}: changes may have gone unnoticed. `jobrecon doctor` says what to check."


def write_silences(engine: Engine, silences: Mapping[str, datetime]) -> None:
    """Replace what receivers and the doctor know of silences. Raises `LandingUnavailable`."""
    rows = [{"application_urn": urn, "since": since} for urn, since in silences.items()]
    with explain_landing_errors(engine), engine.connect() as connection:
        known = {row.application_urn: row.since for row in connection.execute(select(_silences))}
    if known == dict(silences):
        return
    with explain_landing_errors(engine), engine.begin() as connection:
        connection.execute(delete(_silences))
        if rows:
            connection.execute(insert(_silences), rows)

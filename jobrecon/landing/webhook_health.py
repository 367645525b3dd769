"""Webhook health: what the last run found missing of LinkedIn's challenges and notifications, for receivers and the doctor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from jobrecon.applications import NO_SHARDS, Applications
from jobrecon.landing.database import explain_landing_errors
from models.inbox import Silence

_silences: Any = Silence.__table__  # type: ignore[attr-defined]


def describe_silences(silences: Mapping[str, datetime], *, is_blocked: bool = False) -> str:
    """The warning at the top of the report."""
    parts = []
    for application_urn, since in silences.items():
        who = f"sent no notification about the jobs of {application_urn}" if application_urn else "not challenged the webhook"
        if is_blocked and not application_urn:
            who = "blocked the webhook"
        parts.append(f"has {who} since {since:%Y-%m-%d %H:%M} UTC")
    return f"LinkedIn {', and '.join(parts)}: changes may have gone unnoticed. `jobrecon doctor` says what to check."


def write_silences(engine: Engine, silences: Mapping[str, datetime], applications: Applications = NO_SHARDS) -> None:
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

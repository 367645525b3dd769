"""The day's calls as a person reads them: used and left, by application and resource."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, select

from jobrecon.applications import Application
from jobrecon.landing.database import explain_landing_errors
from jobrecon.linkedin.ledger import HOURS, POSTING_STATUS, TASKS, read_ledger


def read_hours(engine: Engine, day: dt.date) -> dict[tuple[str, str], list[int]]:
    """Calls of each application to each resource in each of the 24 hours of a UTC day."""
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    hours: dict[tuple[str, str], list[int]] = {}
    with explain_landing_errors(engine), engine.connect() as connection:
        chosen = select(HOURS.c.application_urn, HOURS.c.resource, HOURS.c.utc_hour, HOURS.c.calls_used).where(
            HOURS.c.utc_hour >= start, HOURS.c.utc_hour < start + dt.timedelta(days=1)
        )
        for urn, resource, hour, count in connection.execute(chosen):
            hours.setdefault((urn, resource), [0] * 24)[hour.hour] = max(0, count)
    return hours


def describe_budget(
    engine: Engine, applications: Iterable[Application], now: dt.datetime, check_limit: int | None = None
) -> list[dict[str, Any]]:
    """Calls used and left on the day of `now`, by application and resource: every configured application, and any other that called.

    Lines for `jobPostingStatus` come where `check_limit` is given, and where it was called.
    """
    entries = {(row["application_urn"], row["resource"]): row for row in read_ledger(engine, now.date()) if row["utc_date"] == now.date()}
    hours = read_hours(engine, now.date())
    configured = {application.urn: application for application in applications}
    resources = [TASKS, POSTING_STATUS] if check_limit is not None else [TASKS]
    keys = [(urn, resource) for urn in configured for resource in resources]
    described = []
    for urn, resource in [*keys, *(key for key in entries if key not in keys)]:
        entry, application = entries.get((urn, resource)), configured.get(urn)
        limit = entry["call_limit"] if entry else 0
        if resource == POSTING_STATUS and check_limit is not None:
            limit = check_limit
        elif resource == TASKS and application:
            limit = application.daily_call_limit
        used = entry["calls_used"] if entry else 0
        exhausted_at = entry["exhausted_at"] if entry and entry["call_limit"] >= limit else None
        throttled_until = entry["throttled_until"] if entry else None
        described.append(
            {
                "application_urn": urn,
                "customer": application.customer if application else None,
                "resource": resource,
                "call_limit": limit,
                "calls_used": used,
                "calls_left": 0 if exhausted_at else max(0, limit - used),
                "exhausted_at": exhausted_at,
                "throttled_until": throttled_until if throttled_until and throttled_until > now else None,
                "calls_by_hour": hours.get((urn, resource), [0] * 24),
            }
        )
    return described

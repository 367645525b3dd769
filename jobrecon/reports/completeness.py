"""How far the data of a day can be trusted. A report that could not see everything says so before anything else."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jobrecon.reports.day import ReportDay
from jobrecon.reports.formatting import describe_age, describe_moment
from models import RunState


def explain_gaps(run: Mapping[str, Any] | None, day: ReportDay, now: dt.datetime, stale_after_seconds: int) -> list[str]:
    """Why the report of `day` is incomplete, in plain sentences; empty: it is complete.

    `run` is the last finished run before the end of the day, `now` the moment the report is made.
    """
    if run is None:
        return ["No run has finished by the end of this day, so nothing was looked at."]
    is_lasting = now < day.end
    reasons = []
    if run["as_of"] < day.start:
        moment = describe_moment(run["as_of"], day.zone, with_date=True)
        reasons.append(f"No run has looked at this day{' so far' if is_lasting else ''}: the last one before it was at {moment}.")
    elif run["state"] != RunState.COMPLETED:
        reasons += _quote_run(run, day)
    age = now - (run["seen_as_of"] or run["as_of"])
    if is_lasting and age > dt.timedelta(seconds=stale_after_seconds):
        reasons.append(f"The data is {describe_age(age)} old: no run has looked since.")
    return reasons


def _quote_run(run: Mapping[str, Any], day: ReportDay) -> list[str]:
    told = [line.strip() for line in (run["incomplete_reasons"] or "").splitlines() if line.strip()]
    if run["state"] != RunState.FAILED:
        return told or ["The last run could not see everything, and does not say why."]
    failed = f"The last run, at {describe_moment(run['as_of'], day.zone, with_date=False)}, failed before its end."
    return [failed, *told]

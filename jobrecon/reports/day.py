"""The day a report covers, from one local midnight to the next, and how far its data can be trusted."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from jobrecon.errors import ReportError
from jobrecon.reports.formatting import describe_age, describe_moment
from models import RunState


@dataclass(frozen=True)
class ReportDay:
    """[start, end) in UTC. Neighbouring days meet without a gap, also where the clocks change."""

    date: dt.date
    zone: ZoneInfo
    start: dt.datetime
    end: dt.datetime


FIRST_YEAR = 1970


def find_day(date: dt.date, zone: ZoneInfo) -> ReportDay:
    """The day `date` in `zone`: 23 or 25 hours long where the clocks change."""
    try:
        if date.year < FIRST_YEAR:
            raise OverflowError
        return ReportDay(date, zone, _find_midnight(date, zone), _find_midnight(date + dt.timedelta(days=1), zone))
    except OverflowError as error:
        raise ReportError(
            f"There is no report for {date}: the date is out of range. Nothing was changed. Give a date such as 2026-11-20."
        ) from error


def _find_midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def explain_gaps(
    runs: Sequence[Mapping[str, Any]], day: ReportDay, now: dt.datetime, stale_after_seconds: int, shards: Sequence[str] = ("",)
) -> list[str]:
    """Why the report of `day` is incomplete, in plain sentences; empty: it is complete.

    `runs` are the last finished runs before the end of the day, one for each shard, `now` the moment the report is made.
    """
    known = {run["shard"]: run for run in runs}
    if not any(known[shard]["as_of"] for shard in shards if shard in known):
        return ["No run has finished by the end of this day, so nothing was checked."]
    reasons = []
    for shard in shards:
        prefix = f"Shard {shard or 'default'}: " if len(shards) > 1 else ""
        if shard not in known:
            reasons.append(f"{prefix}No run of it is in the published copy.")
        elif known[shard]["as_of"]:
            reasons += [prefix + reason for reason in _explain_run(known[shard], day, now, stale_after_seconds)]
    return reasons


def _explain_run(run: Mapping[str, Any], day: ReportDay, now: dt.datetime, stale_after_seconds: int) -> list[str]:
    is_ongoing = now < day.end
    reasons = []
    if run["as_of"] < day.start:
        moment = describe_moment(run["as_of"], day.zone, with_date=True)
        reasons.append(f"No run has covered this day{' so far' if is_ongoing else ''}: the last one before it was at {moment}.")
    elif run["state"] != RunState.COMPLETED:
        reasons += _quote_run(run, day)
    age = now - (run["seen_as_of"] or run["as_of"])
    if is_ongoing and age > dt.timedelta(seconds=stale_after_seconds):
        reasons.append(f"The data is {describe_age(age)} old: no run has finished since.")
    return reasons


APPLICATION = re.compile(r"urn:li:developerApplication:[\w-]+")
SYSTEM_CODE = re.compile(r"\[Errno -?\d+\] ?")


def group_reasons(reasons: Iterable[str], customers: Mapping[str, str], max_names: int = 4) -> list[str]:
    """`reasons` for people: what several customers have in common is one reason that names them, without numbers of errors."""
    named: dict[str, list[str]] = {}
    for reason in reasons:
        found = APPLICATION.search(reason)
        name = customers.get(found[0], found[0]) if found else ""
        # A reason that names the customer as well does so in brackets.
        words = APPLICATION.sub("\0", SYSTEM_CODE.sub("", reason)).replace(f"\0 ({name})", "\0")
        named.setdefault(words, []).append(name)
    return [words.replace("\0", _list_names(names, max_names)) for words, names in named.items()]


def _list_names(names: list[str], max_names: int) -> str:
    if len(names) == 1:
        return names[0]
    # One more name is no longer than "and 1 more".
    shown = len(names) if len(names) <= max_names + 1 else max_names
    rest = len(names) - shown
    listed = ", ".join(names[:shown]) + (f" and {rest:,} more" if rest else "")
    return f"{len(names):,} customers ({listed})"


def _quote_run(run: Mapping[str, Any], day: ReportDay) -> list[str]:
    reasons = [line.strip() for line in (run["incomplete_reasons"] or "").splitlines() if line.strip()]
    if run["state"] != RunState.FAILED:
        return reasons or ["The last run could not check everything, and does not say why."]
    failed = f"The last run, at {describe_moment(run['as_of'], day.zone, with_date=False)}, failed before its end."
    return [failed, *reasons]

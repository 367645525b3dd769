"""The day a report covers: from one local midnight to the next."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from jobrecon.errors import ReportError


@dataclass(frozen=True)
class ReportDay:
    """[start, end) in UTC. Neighbouring days meet without a gap, also where the clocks change."""

    date: dt.date
    zone: ZoneInfo
    start: dt.datetime
    end: dt.datetime


def find_day(date: dt.date, zone: ZoneInfo) -> ReportDay:
    """The day `date` in `zone`: 23 or 25 hours long where the clocks change."""
    try:
        return ReportDay(date, zone, _find_midnight(date, zone), _find_midnight(date + dt.timedelta(days=1), zone))
    except OverflowError as error:
        raise ReportError(
            f"There is no report for {date}: the date is out of range. Nothing was changed. Give a date such as 2026-11-20."
        ) from error


def _find_midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), tzinfo=zone).astimezone(dt.UTC)

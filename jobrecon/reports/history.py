"""The last fourteen days: how many findings were open, new and ended on each, and how long requests took to settle."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from jobrecon.reports.day import FIRST_YEAR, ReportDay, find_day
from jobrecon.warehouse import Warehouse

DAYS = 14
SETTLE_BANDS = ("under 15 min", "15–60 min", "1–4 h", "4–24 h", "1–3 days", "over 3 days")
SETTLE_BAND_STARTS_SECONDS = (0, 900, 3_600, 14_400, 86_400, 259_200)


class TrendDay(NamedTuple):
    """How the number of findings changed in a day. `is_complete`: the last run of the day could check everything."""

    date: dt.date
    open_count: int
    new_count: int
    ended_count: int
    has_run: bool
    is_complete: bool


@dataclass(frozen=True)
class SettleTimes:
    """How many requests settled in each of `SETTLE_BANDS`; half took at most the median."""

    task_count: int
    median: dt.timedelta
    ninth_decile: dt.timedelta
    band_counts: tuple[int, ...]


def read_trend(warehouse: Warehouse, day: ReportDay) -> pd.DataFrame:
    """The days up to `day`: `has_run`, `is_complete`, and the counts of each account manager that had a finding."""
    dates = (day.date - dt.timedelta(days=back) for back in reversed(range(DAYS)))
    days = [find_day(date, day.zone) for date in dates if date.year >= FIRST_YEAR]
    values: dict[str, Any] = {
        "dates": [each.date for each in days],
        "day_starts": [each.start for each in days],
        "day_ends": [each.end for each in days],
    }
    return warehouse.frame("reports/select_trend", **values)


def select_trend(trends: pd.DataFrame, account_manager: str | None) -> list[TrendDay]:
    """One account manager's days, or those of all (None), the oldest first."""
    days = trends.groupby("date")[["has_run", "is_complete"]].first()
    own = trends if account_manager is None else trends[trends["account_manager"] == account_manager]
    counts = own.groupby("date")[["open_count", "new_count", "ended_count"]].sum().reindex(days.index, fill_value=0)
    return [TrendDay(*day) for day in counts.join(days).astype(object).itertuples(name=None)]


def read_settle_times(warehouse: Warehouse, day: ReportDay) -> pd.DataFrame:
    """`seconds` from the request until its outcome was seen, and the account manager, of each task that settled in the days."""
    return warehouse.frame("reports/select_settle_times", period_start=day.end - dt.timedelta(days=DAYS), day_end=day.end)


def summarise_settle_times(settle_times: pd.DataFrame, account_manager: str | None) -> SettleTimes | None:
    """Those of one account manager's jobs, or of all (None); None where nothing settled."""
    own = settle_times if account_manager is None else settle_times[settle_times["account_manager"] == account_manager]
    if own.empty:
        return None
    seconds = own["seconds"]
    bands = pd.cut(seconds, [*SETTLE_BAND_STARTS_SECONDS, float("inf")], right=False, labels=SETTLE_BANDS)
    median, ninth_decile = seconds.quantile([0.5, 0.9], interpolation="lower")
    return SettleTimes(
        len(own), dt.timedelta(seconds=median), dt.timedelta(seconds=ninth_decile), tuple(bands.value_counts(sort=False).astype(int))
    )

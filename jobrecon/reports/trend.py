"""The last fourteen days: what was open at the end of each, what came and what went."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobrecon.reports.day import ReportDay, find_day
from jobrecon.warehouse import Warehouse

DAYS = 14


@dataclass(frozen=True)
class TrendDay:
    """A day's movement. `is_looked_at`: a run saw something that day; `is_complete`: its last one saw everything."""

    date: dt.date
    open_count: int = 0
    new_count: int = 0
    ended_count: int = 0
    is_looked_at: bool = False
    is_complete: bool = False


Trend = tuple[TrendDay, ...]


def read_trends(warehouse: Warehouse, day: ReportDay, no_manager: str) -> dict[str | None, Trend]:
    """The trend up to `day` of each account manager that had a finding, and of all (None), the oldest day first."""
    days = [find_day(day.date - dt.timedelta(days=back), day.zone) for back in reversed(range(DAYS)) if day.date.toordinal() > back + 1]
    bounds: dict[str, Any] = {"day_starts": [each.start for each in days], "day_ends": [each.end for each in days]}
    looked = {row["day_start"]: bool(row["is_complete"]) for row in warehouse.read("reports/select_looked_days", **bounds)}
    counts: dict[str | None, dict[dt.datetime, tuple[int, int, int]]] = defaultdict(dict)
    for row in warehouse.read("reports/select_trend", **bounds, no_manager=no_manager):
        own = (row["open_count"], row["new_count"], row["ended_count"])
        counts[row["account_manager"]][row["day_start"]] = own
        before = counts[None].get(row["day_start"], (0, 0, 0))
        counts[None][row["day_start"]] = (before[0] + own[0], before[1] + own[1], before[2] + own[2])
    return {manager: _make_trend(days, counts[manager], looked) for manager in [None, *(name for name in counts if name)]}


def _make_trend(days: list[ReportDay], counts: Mapping[dt.datetime, tuple[int, int, int]], looked: Mapping[dt.datetime, bool]) -> Trend:
    return tuple(
        TrendDay(
            each.date, *counts.get(each.start, (0, 0, 0)), is_looked_at=each.start in looked, is_complete=looked.get(each.start, False)
        )
        for each in days
    )

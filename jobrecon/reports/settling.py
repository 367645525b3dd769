"""How long LinkedIn's answers took, from the request until we saw them."""

import datetime as dt
from dataclasses import dataclass

from jobrecon.reports.day import ReportDay
from jobrecon.warehouse import Warehouse

DAYS = 14
BANDS = ("under 15 min", "15–60 min", "1–4 h", "4–24 h", "1–3 days", "over 3 days")


@dataclass(frozen=True)
class Settling:
    """The answers of the last fourteen days: how many in each of `BANDS`; half took at most the median."""

    answer_count: int
    median: dt.timedelta
    ninth_decile: dt.timedelta
    band_counts: tuple[int, ...]


def read_settling(warehouse: Warehouse, day: ReportDay, no_manager: str) -> dict[str | None, Settling]:
    """The answers for each account manager's jobs that got any, and for all (None)."""
    period_start = day.end - dt.timedelta(days=DAYS)
    rows = warehouse.read("reports/select_settling", period_start=period_start, day_end=day.end, no_manager=no_manager)
    return {
        row["account_manager"]: Settling(
            row["answer_count"],
            dt.timedelta(seconds=row["median_seconds"]),
            dt.timedelta(seconds=row["ninth_decile_seconds"]),
            tuple(row["band_counts"]),
        )
        for row in rows
        if row["answer_count"]
    }

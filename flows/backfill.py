"""The flow `backfill`: writes the reports of past days again."""

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.run_policy import fail_cleanly
from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError
from jobrecon.reports.report import write_report
from jobrecon.settings import load_settings

MAX_DAYS = 366


@flow(name="backfill", log_prints=False)
@fail_cleanly
async def backfill(first: dt.date, last: dt.date | None = None) -> State[Any]:
    """Write the reports of the days from `first` to `last` (default: the same day) again, as of the end of each day.

    Sends nothing. Idempotent: the reports are replaced.

    Args:
        first: The first day whose report is written again, such as 2026-01-01.
        last: The last day, at most a year later. Default: the same day as `first`.
    """
    last = last or first
    if not first <= last < first + dt.timedelta(days=MAX_DAYS):
        raise ConfigurationError(f"From {first} to {last} is not a span of 1 to {MAX_DAYS} days. Nothing was changed.")
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    incomplete = [day for day in days if not write_day(day)]
    message = f"{len(days)} reports written, from {first} to {last}; {len(incomplete)} of them incomplete."
    return Completed(name="Completed", message=message)


@task(cache_policy=NO_CACHE)
def write_day(day: dt.date) -> bool:
    """Write one day's report; returns whether it is complete."""
    result = write_report(load_settings(), day, utc_now())
    get_run_logger().info("%s: %s", day, result.summary["verdict"])
    return bool(result.summary["complete"])

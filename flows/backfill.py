"""The flow `backfill`: the reports of past days, made again from history."""

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.run_policy import in_plain_words
from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError
from jobrecon.reports import write_report
from jobrecon.settings import load_settings

MOST_DAYS = 366


@flow(name="backfill", log_prints=False)
@in_plain_words
async def backfill(first: dt.date, last: dt.date | None = None) -> State[Any]:
    """Write the reports of the days from `first` to `last` (default: the same day) again, as they stood at each day's end.

    Sends nothing. Safe to run twice: the same days are replaced whole.
    """
    last = last or first
    if not first <= last < first + dt.timedelta(days=MOST_DAYS):
        raise ConfigurationError(f"From {first} to {last} is no span of 1 to {MOST_DAYS} days. Nothing was changed.")
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    incomplete = [day for day in days if not write_day(day)]
    message = f"{len(days)} reports written, from {first} to {last}; {len(incomplete)} of them incomplete."
    return Completed(name="Completed", message=message)


@task(cache_policy=NO_CACHE)
def write_day(day: dt.date) -> bool:
    """One day's report; tells whether it is complete."""
    result = write_report(load_settings(), day, utc_now())
    get_run_logger().info("%s: %s", day, result.summary["verdict"])
    return bool(result.summary["complete"])

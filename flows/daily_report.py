"""The flow `daily-report`: what account managers open in the morning."""

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE

from flows.artifacts import show_report
from jobrecon.clock import utc_now
from jobrecon.reports import ReportResult, write_report
from jobrecon.settings import load_settings


@flow(name="daily-report", log_prints=False)
async def daily_report(date: dt.date | None = None) -> dict[str, Any]:
    """Write the report of a day (default: the day the run was scheduled for) and show where it lies.

    Safe to run twice: the same day's report is replaced whole.
    """
    settings = load_settings()
    # A scheduled run may start a moment before its time, on the day before.
    scheduled = runtime.flow_run.scheduled_start_time
    moment = max(utc_now(), scheduled) if scheduled else utc_now()
    result = write(date or moment.astimezone(settings.zone).date(), moment)
    await show_report(result.folder / "index.html", result.summary["verdict"])
    return result.summary


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20])
def write(date: dt.date, moment: dt.datetime) -> ReportResult:
    """Page, workbook, CSV and summary, from the published copy."""
    result = write_report(load_settings(), date, moment)
    get_run_logger().info("%s %s", result.summary["verdict"], result.folder / "index.html")
    return result

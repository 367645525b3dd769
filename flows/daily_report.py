"""The flow `daily-report`: what account managers open in the morning."""

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.artifacts import show_report
from flows.run_policy import in_plain_words, is_unreachable
from jobrecon.clock import utc_now
from jobrecon.delivery.deliver import deliver_report
from jobrecon.reports import ReportResult, write_report
from jobrecon.settings import load_settings


@flow(name="daily-report", log_prints=False)
@in_plain_words
async def daily_report(date: dt.date | None = None) -> State[Any]:
    """Write the report of a day (default: the day the run was scheduled for) and show where it lies.

    Safe to run twice: the same day's report is replaced whole, and what was sent is not sent again. The report of another
    day than that of the schedule is not sent. Ends as *Incomplete* where the report says that something
    could not be seen.
    """
    # A scheduled run may start a moment before its time, on the day before, or long after it, on another day.
    scheduled = runtime.flow_run.scheduled_start_time
    day = date or scheduled.astimezone(load_settings().zone).date()
    result = write(day, max(utc_now(), scheduled))
    verdict = str(result.summary.get("verdict") or f"The report of {day}.")
    await show_report(result.folder / "index.html", verdict, result.facts)
    if day == scheduled.astimezone(load_settings().zone).date():
        deliver(result)
    return Completed(name="Completed" if result.summary["complete"] else "Incomplete", message=verdict, data=result.summary)


@task(cache_policy=NO_CACHE)
def write(day: dt.date, now: dt.datetime) -> ReportResult:
    """Pages, workbook, CSV and summary, from the published copy."""
    result = write_report(load_settings(), day, now)
    get_run_logger().info("Wrote %s.", result.folder)
    return result


@task(cache_policy=NO_CACHE, retries=3, retry_delay_seconds=[10, 60, 300], retry_condition_fn=is_unreachable)
def deliver(result: ReportResult) -> None:
    """Mails and chat message, each once however often this is tried; without a mail server the mails are left as files."""
    delivery = deliver_report(load_settings(), result, utc_now())
    get_run_logger().info("Messages: %s.", delivery.sentence)

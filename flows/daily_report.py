"""The flow `daily-report`: writes the day's report and sends it."""

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.artifacts import show_report
from flows.gather import join_shards
from flows.run_policy import fail_cleanly, is_unreachable
from jobrecon.clock import utc_now
from jobrecon.delivery.deliver import deliver_report
from jobrecon.reports.report import ReportResult, write_report
from jobrecon.settings import load_settings


@flow(name="daily-report", log_prints=False)
@fail_cleanly
async def daily_report(date: dt.date | None = None, follow_up: bool = False) -> State[Any]:
    """Write the report of a day (default: the day the run was scheduled for), link it and send it.

    What several shards published is gathered first.

    Idempotent: the report is replaced, and messages that were sent are not sent again. A report of another day than the
    scheduled one is not sent. Ends as *Incomplete* where the report is incomplete, and fails as such where a message was not sent.

    Args:
        date: The day, such as 2026-01-31. Default: the day that the run is scheduled for, in JOBRECON_TIMEZONE.
        follow_up: Send only to those who got the day's report as incomplete, once it is complete. The automation that comes with
            this deployment sets it: the day's first message is sent by the schedule, whenever a run was incomplete before.
    """
    # A scheduled run may start just before its time, on the day before, or long after it, on another day.
    scheduled = runtime.flow_run.scheduled_start_time
    day = date or scheduled.astimezone(load_settings().zone).date()
    if len(load_settings().load_applications().shards) > 1:
        join_shards()
    result = write(day, max(utc_now(), scheduled))
    verdict = str(result.summary.get("verdict") or f"The report of {day}.")
    await show_report(result.folder / "index.html", verdict, result.facts, load_settings())
    if day == scheduled.astimezone(load_settings().zone).date() and (problems := deliver(result, follow_up)):
        return Failed(name="Incomplete", message=f"{verdict} Not everybody has the report: {' '.join(problems)}", data=result.summary)
    return Completed(name="Completed" if result.summary["complete"] else "Incomplete", message=verdict, data=result.summary)


@task(cache_policy=NO_CACHE)
def write(day: dt.date, now: dt.datetime) -> ReportResult:
    """Pages, workbook, CSV and summary, from the published copy."""
    result = write_report(load_settings(), day, now)
    get_run_logger().info("Wrote %s.", result.folder)
    return result


@task(cache_policy=NO_CACHE, retries=3, retry_delay_seconds=[10, 60, 300], retry_condition_fn=is_unreachable)
def deliver(result: ReportResult, follow_up: bool) -> list[str]:
    """Send mails and chat message, each once however often this is retried; returns who did not get theirs, and why."""
    delivery = deliver_report(load_settings(), result, utc_now(), follow_up=follow_up)
    get_run_logger().info("Messages: %s.", delivery.sentence)
    return delivery.problems

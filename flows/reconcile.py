"""The flow `reconcile`: ask, listen, compare, publish."""

import time
from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.artifacts import Progress, show_findings, show_summary
from flows.events import tell_events
from flows.run_policy import in_plain_words, is_transient
from jobrecon.clock import utc_now
from jobrecon.reconcile.run import Reconciliation, open_reconciliation
from jobrecon.settings import load_settings
from models import RunState

PROGRESS_SECONDS = 15


@flow(name="reconcile", log_prints=False)
@in_plain_words
async def reconcile(as_of: datetime | None = None) -> State[Any]:
    """Ask, listen, compare, publish: one reconciliation as of a moment (default: now; without an offset: UTC).

    Safe to run twice: a second run at the same moment changes nothing but its own row, polls and the ledger. Ends as
    *Incomplete* where something could not be seen; the reasons stand in the log, the summary artifact and the table `runs`.
    """
    settings = load_settings()
    moment = as_of or utc_now()
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    with open_reconciliation(settings, moment, flow_run_id=runtime.flow_run.id) as run:
        pull(run)
        # Before polling: a notification about a job means that its tasks are looked at now.
        listen(run)
        await poll(run)
        find(run)
        publish(run)
    summary = run.summary
    await show_summary(summary, settings)
    await show_findings(settings)
    tell_events(summary, settings)
    return Completed(name="Completed" if summary.state == RunState.COMPLETED else "Incomplete", message=summary.sentence, data=summary)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def pull(run: Reconciliation) -> None:
    """Customers and new tasks come in; tasks that outlived their life expire."""
    run.pull()
    get_run_logger().info("%s tasks are pending.", f"{run.summary.tasks_pending:,}")


@task(cache_policy=NO_CACHE)
async def poll(run: Reconciliation) -> None:
    """Due tasks are asked about, within each application's budget. Calls are tried again one by one, inside."""
    logger = get_run_logger()
    progress = Progress()
    await progress.tell(0)
    told_at = time.monotonic()

    def advance(done: int, due: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= PROGRESS_SECONDS:
            told_at = time.monotonic()
            logger.info("Asked about %s of %s due tasks.", f"{done:,}", f"{due:,}")
            progress.advance(done / due)

    result = await run.poll(advance)
    await progress.end()
    logger.info(
        "Asked about %s of %s due tasks; %s settled.", f"{result.tasks_polled:,}", f"{result.tasks_due:,}", f"{result.tasks_settled:,}"
    )
    logger.info("%s.", run.summary.polling_sentence)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def listen(run: Reconciliation) -> None:
    """What the webhook receiver landed is merged."""
    run.ingest_notifications()
    get_run_logger().info("%s notifications merged.", f"{run.summary.notifications_merged:,}")


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def find(run: Reconciliation) -> None:
    """What should be is compared with what is."""
    run.update_findings()


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def publish(run: Reconciliation) -> None:
    """Analysts get the new copy."""
    run.publish()
    get_run_logger().info("Published %s.", run.settings.published)

"""The flow `reconcile`: pull, ingest, poll, check, update findings, publish."""

import time
from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.artifacts import Progress, show_findings, show_summary
from flows.events import emit_events
from flows.run_policy import fail_cleanly, is_transient
from jobrecon.clock import utc_now
from jobrecon.delivery.addresses import warn_of_invalid_addresses
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.run import Reconciliation
from jobrecon.reports.day import group_reasons
from jobrecon.settings import load_settings

PROGRESS_SECONDS = 15


@flow(name="reconcile", log_prints=False)
@fail_cleanly
async def reconcile(as_of: datetime | None = None, shard: str | None = None) -> State[Any]:
    """Poll, ingest webhooks, compare, publish: one reconciliation as of a given time.

    Idempotent: a second run at the same time changes nothing but its own row, polls and the ledger. Ends as *Incomplete*, of type
    FAILED, where something could not be read; of type COMPLETED where only the day's calls were used up or a webhook is silent.

    Args:
        as_of: The time that the run speaks about, not before that of the last run; without an offset it is UTC. Default: now.
        shard: The shard whose applications it is for. Default: JOBRECON_SHARD.
    """
    settings = load_settings(shard=shard)
    as_of = as_of or utc_now()
    as_of = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    warn_of_invalid_addresses(settings)
    with open_reconciliation(settings, as_of, flow_run_id=runtime.flow_run.id) as run:
        pull(run)
        # Before polling: the tasks of a job with a new notification are polled first.
        ingest_notifications(run)
        await poll(run)
        await check(run)
        update_findings(run)
        publish(run)
    # The shard's own published copy.
    summary, settings = run.summary, run.settings
    for reason in summary.incomplete_reasons:
        get_run_logger().warning("Incomplete: %s", reason)
    names = {item.urn: f"{item.customer} ({item.urn})" for item in run.applications if item.customer != item.urn}
    reasons = group_reasons(summary.incomplete_reasons, names)
    await show_summary(summary, reasons, settings)
    await show_findings(settings)
    emit_events(summary, reasons, settings, is_sharded=run.applications.is_sharded)
    if summary.failures:
        # As the command line ends with 1 by them. No data: a caller gets the message as the error.
        return Failed(name="Incomplete", message=" ".join(group_reasons(summary.failures, names)))
    return Completed(name="Completed" if summary.is_complete else "Incomplete", message=summary.sentence, data=summary)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def pull(run: Reconciliation) -> None:
    """Update customers, pull new tasks, expire old ones."""
    run.pull()
    get_run_logger().info("%s tasks are pending.", f"{run.summary.tasks_pending:,}")


@task(cache_policy=NO_CACHE)
async def poll(run: Reconciliation) -> None:
    """Poll due tasks within each application's budget. Single calls are retried inside."""
    logger = get_run_logger()
    progress = Progress(run.settings.shard)
    await progress.update(0)
    logged_at = time.monotonic()

    def advance(done: int, due: int) -> None:
        nonlocal logged_at
        if time.monotonic() - logged_at >= PROGRESS_SECONDS:
            logged_at = time.monotonic()
            logger.info("Polled %s of %s due tasks.", f"{done:,}", f"{due:,}")
            progress.advance(done / due)

    result = await run.poll(advance)
    await progress.end()
    logger.info("Polled %s of %s due tasks; %s settled.", f"{result.tasks_polled:,}", f"{result.tasks_due:,}", f"{result.tasks_settled:,}")
    logger.info("%s.", run.summary.polling_sentence)


@task(cache_policy=NO_CACHE)
async def check(run: Reconciliation) -> None:
    """Check suspicious jobs by jobPostingStatus, and listed jobs now and then."""
    await run.check()
    logger = get_run_logger()
    logger.info("%s jobs checked with %s calls.", f"{run.summary.jobs_checked:,}", f"{run.summary.checks_used:,}")
    for note in run.summary.notes:
        logger.info("%s", note)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def ingest_notifications(run: Reconciliation) -> None:
    """Merge landed notifications."""
    run.ingest_notifications()
    get_run_logger().info("%s notifications merged.", f"{run.summary.notifications_merged:,}")


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def update_findings(run: Reconciliation) -> None:
    """Compare the expected with the reported state of each job."""
    run.update_findings()


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def publish(run: Reconciliation) -> None:
    """Replace the published copy."""
    run.publish()
    get_run_logger().info("Published.")

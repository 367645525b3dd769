"""The flow `reconcile`: ask, listen, compare, publish."""

from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, State

from flows.artifacts import show_findings, show_summary
from jobrecon.clock import utc_now
from jobrecon.reconciliation import Reconciliation, RunSummary, open_reconciliation
from jobrecon.settings import load_settings
from models import RunState


@flow(name="reconcile", log_prints=False, validate_parameters=True)
async def reconcile(as_of: datetime | None = None) -> State[Any]:
    """Ask, listen, compare, publish: one reconciliation as of a moment (default: now).

    Safe to run twice: a second run at the same moment changes nothing but its own row, polls and the ledger. Ends as
    *Incomplete* where something could not be seen; the reasons stand in the log, the summary artifact and the table `runs`.
    """
    settings = load_settings()
    with open_reconciliation(settings, as_of or utc_now(), flow_run_id=str(runtime.flow_run.id or "") or None) as run:
        pull(run)
        await poll(run)
        listen(run)
        find(run)
        publish(run)
    summary = run.summary
    await show_summary(summary)
    await show_findings(settings)
    return Completed(name="Completed" if summary.state == RunState.COMPLETED else "Incomplete", message=summary.sentence, data=summary)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20])
def pull(run: Reconciliation) -> None:
    """Customers and new tasks come in; tasks that outlived their life expire."""
    run.pull()
    get_run_logger().info("%s tasks are pending.", f"{run.summary.tasks_pending:,}")


@task(cache_policy=NO_CACHE)
async def poll(run: Reconciliation) -> None:
    """Due tasks are asked about, within each application's budget. Calls are retried one by one, inside."""
    logger = get_run_logger()
    told = 0

    def advance(done: int, due: int) -> None:
        nonlocal told
        if due and done * 10 // due > told:
            told = done * 10 // due
            logger.info("Asked about %s of %s due tasks.", f"{done:,}", f"{due:,}")

    result = await run.poll(advance)
    for reason in result.unseen.values():
        logger.error("%s", reason)
    for urn in result.exhausted:
        logger.warning("%s has used up its calls for the day.", urn)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20])
def listen(run: Reconciliation) -> None:
    """What the webhook receiver landed is merged."""
    run.listen()
    get_run_logger().info("%s notifications merged.", f"{run.summary.notifications_merged:,}")


@task(cache_policy=NO_CACHE)
def find(run: Reconciliation) -> None:
    """What should be is compared with what is."""
    run.find()


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20])
def publish(run: Reconciliation) -> None:
    """Analysts get the new copy."""
    run.publish()
    summary: RunSummary = run.summary
    get_run_logger().info("%s: %s.", summary.state, summary.sentence)

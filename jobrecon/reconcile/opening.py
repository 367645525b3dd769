"""Opening the one run that a warehouse has at a time; and a whole run without Prefect."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from jobrecon.clock import Clock, utc_now
from jobrecon.demo.guard import refuse_ended_demo
from jobrecon.errors import ConfigurationError, LandingUnavailable, RunTooOld, WarehouseInvalidated
from jobrecon.landing.database import get_landing_id, open_landing
from jobrecon.reconcile.catalog import load_catalog
from jobrecon.reconcile.restored import charge_known_calls
from jobrecon.reconcile.run import Reconciliation
from jobrecon.reconcile.summary import RunSummary, write_run
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import open_warehouse
from models import RunState

MAX_AHEAD = timedelta(minutes=5)
"""How far `as_of` may lie ahead of the clock."""


@contextmanager
def open_reconciliation(
    settings: Settings,
    as_of: datetime | None = None,
    flow_run_id: str | None = None,
    clock: Clock = utc_now,
    *,
    allow_future: bool = False,
    is_landing_new: bool = False,
) -> Iterator[Reconciliation]:
    """A run as of a given time (default: now), with the warehouse open for writing until the block ends.

    Raises `ConfigurationError` where no application is configured or `as_of` lies more than
    `MAX_AHEAD` ahead of the clock without `allow_future`, `RunTooOld` for an `as_of`
    before the last run's. A run that fails is recorded as FAILED; what it committed stays and the next run continues from there.
    The landing database must be the one that the last run used, unless `is_landing_new`.
    """
    refuse_ended_demo(settings.home, settings.api_url)
    now = clock()
    if as_of and as_of > now + MAX_AHEAD and not allow_future:
        raise ConfigurationError(
            f"{as_of.isoformat()} lies ahead of this machine's clock ({now.isoformat(timespec='seconds')}). Nothing was changed. Later "
            "runs could not go back before it; --allow-future runs as of it all the same."
        )
    applications, settings = settings.load_shard(), settings.for_shard()
    if not len(applications) and not applications.others:
        raise ConfigurationError(
            f"No application is configured: {settings.applications} does not exist or names none, and JOBRECON_CLIENT_ID is not set. "
            "Nothing was changed. docs/settings.md shows an example."
        )
    engine, landing_error = None, ""
    try:
        with open_warehouse(settings) as warehouse:
            # Waiting for the lock may have taken minutes.
            as_of = as_of or clock()
            last_as_of, last_pulled_at = warehouse.run("runs/select_last_as_of")[0]
            if last_as_of and as_of < last_as_of:
                raise RunTooOld(
                    f"A run as of {as_of.isoformat()} is older than the last one, as of {last_as_of.isoformat()}. Nothing was changed. "
                    "Findings already recorded are not rewritten: run as of that time or later.",
                    last_as_of=last_as_of,
                )
            landing_id = warehouse.run("runs/select_last_landing_id")[0][0]
            try:
                engine = open_landing(settings.landing_url, None if is_landing_new else landing_id)
                landing_id = get_landing_id(engine)
                charge_known_calls(warehouse, engine, clock().date())
            except LandingUnavailable as error:
                landing_error = str(error)
            load_catalog(warehouse)
            # Of rows from a version that did not keep the last receipt.
            warehouse.run("notifications/update_missing_receipts")
            summary = RunSummary(
                run_id=uuid.uuid4().hex,
                as_of=as_of,
                started_at=clock(),
                flow_run_id=flow_run_id,
                landing_id=landing_id,
                shard=settings.shard or None,
            )
            warehouse.run("runs/update_interrupted_runs", now=summary.started_at)
            write_run(warehouse, summary)
            run = Reconciliation(warehouse, settings, applications, engine, summary, clock)
            run.last_pulled_at = last_pulled_at
            if last_as_of:
                run.since_last_run = max(run.since_last_run, as_of - last_as_of)
            if landing_error:
                run.failures["landing"] = landing_error
            try:
                # Status changes that a run which was killed while polling has not recorded.
                warehouse.run("tasks/insert_status_changes", run_id=summary.run_id)
                yield run
            except WarehouseInvalidated:
                # The next run records it as failed.
                raise
            except BaseException as error:
                run.failures["run"] = str(error) or type(error).__name__
                run.finish(RunState.FAILED)
                raise
    finally:
        if engine is not None:
            engine.dispose()


def reconcile(
    settings: Settings,
    as_of: datetime | None = None,
    advance: Callable[[int, int], None] = lambda _done, _due: None,
    job: str | None = None,
    *,
    allow_future: bool = False,
    is_landing_new: bool = False,
) -> RunSummary:
    """All stages in order, without Prefect; with `job`, only that job's tasks are polled."""
    with open_reconciliation(settings, as_of, allow_future=allow_future, is_landing_new=is_landing_new) as run:
        run.pull()
        # Before polling: the tasks of a job with a new notification are polled first.
        run.ingest_notifications()
        asyncio.run(run.poll(advance, job))
        asyncio.run(run.check(job))
        run.update_findings()
        run.publish()
        return run.summary

"""One reconciliation, stage by stage: pull, ingest, poll, check, update findings, publish. Flows and command line run these."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from jobrecon.applications import Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import ConfigurationError, JobreconError, LandingUnavailable, RunTooOld, WarehouseInvalidated
from jobrecon.ingest import pull_tasks, retry_rejected
from jobrecon.ingest.notifications import merge_challenges, merge_deliveries
from jobrecon.ingest.tasks import expire_tasks, merge_customers
from jobrecon.landing.database import get_landing_id, open_landing
from jobrecon.landing.inbox_reader import read_unmerged
from jobrecon.landing.merges import mark_merged
from jobrecon.landing.retention import prune_landing
from jobrecon.landing.webhook_health import describe_silences, write_silences
from jobrecon.linkedin.ledger import read_ledger
from jobrecon.reconcile.blocked_webhook import look_up_blocked_webhook
from jobrecon.reconcile.catalog import load_catalog
from jobrecon.reconcile.checks import Checker
from jobrecon.reconcile.findings import find_suspicious, update_findings
from jobrecon.reconcile.polling import PollResult, poll_due_tasks
from jobrecon.reconcile.restored import charge_known_calls, undo_lost_merges
from jobrecon.reconcile.summary import RunSummary, write_run
from jobrecon.reconcile.touched import SLICE_JOBS, Examination
from jobrecon.settings import Settings, refuse_ended_demo
from jobrecon.warehouse.connection import Warehouse, open_warehouse, stage
from jobrecon.warehouse.parquet import export_parquet
from models import RunState

log = logging.getLogger(__name__)

INBOX_ROWS = 20_000
MAX_AHEAD = timedelta(minutes=5)
"""How far `as_of` may lie ahead of the clock."""
INBOX_FACETS = ("LISTING", "APPLY", "PROMOTION", "WEBHOOK")
"""Facets known only from notifications."""


class Reconciliation:
    """An open run. Every stage is idempotent."""

    def __init__(
        self, warehouse: Warehouse, settings: Settings, applications: Applications, engine: Engine | None, summary: RunSummary, clock: Clock
    ) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.applications = applications
        self.engine = engine
        self.summary = summary
        self.clock = clock
        self.unseen_applications: dict[str, str] = {}
        self.unseen_facets: set[str] = set()
        self.failures: dict[str, str] = {}
        """What could not be read, by stage or application. Findings about it are not resolved."""
        self.limits: dict[str, str] = {}
        """What else keeps the run from being complete, though nothing failed: calls used up, a silent webhook."""
        self.last_pulled_at: datetime | None = None
        self.slice_jobs = SLICE_JOBS
        self.derived: Examination | None = None
        self.since_last_run = timedelta(seconds=settings.tick_seconds)
        """How long the last run lies back, at least a tick."""

    @property
    def as_of(self) -> datetime:
        return self.summary.as_of

    def pull(self) -> None:
        """Update customers, pull new tasks and expire tasks older than their lifespan."""
        customers = stage("staged_customers", [item.to_customer() for item in self.applications])
        merge_customers(self.warehouse, customers)
        self.summary.pulled_at = self.last_pulled_at
        retried = retry_rejected(self.warehouse, self.applications, self.as_of)
        if retried.added:
            log.info("%s tasks that were refused before are imported, as their application is configured now.", f"{retried.added:,}")
        try:
            pulled = pull_tasks(self.warehouse, self.settings, self.applications, self.last_pulled_at, self.as_of)
            if pulled:
                self.summary.pulled_at = self.as_of
                log.info("Pulled %s new tasks from the task source, %s refused.", f"{pulled.added:,}", f"{pulled.rejected:,}")
                for note in pulled.notes:
                    log.warning("Task source: %s.", note)
            self.failures.pop("pull", None)
        except ConfigurationError:
            raise
        except JobreconError as error:
            self.failures["pull"] = str(error)
        expire_tasks(self.warehouse, self.settings, self.as_of)
        self.summary.tasks_pending = self.warehouse.count("tasks/select_pending_count", as_of=self.as_of)
        self.summary.tasks_young = self.warehouse.count(
            "tasks/select_young_count", as_of=self.as_of, first_check_after=self.settings.first_check_after
        )
        for urn, count in self.warehouse.run("runs/select_unconfigured_applications", customers):
            if self.applications.owns(urn):
                self.failures[urn] = (
                    f"{urn} is not configured, but {count:,} of its tasks are pending: nobody polls them. Add it to applications.toml, "
                    "or mark it as retired there."
                )

    async def poll(self, advance: Callable[[int, int], None] = lambda _done, _due: None, job: str | None = None) -> PollResult:
        """Poll due tasks, or only those of `job`. An error of one application is recorded and stops no other."""
        if self.engine is None:
            # Without the ledger no call may be sent.
            result = PollResult(unseen={item.urn: self.failures["landing"] for item in self.applications.active})
        else:
            result = await poll_due_tasks(
                self.warehouse, self.settings, self.applications, self.engine, self.as_of, self.summary.run_id, self.clock, advance, job
            )
        self.summary.tasks_due += max(0, result.tasks_due - self.summary.tasks_left)
        self.summary.tasks_left = result.tasks_left
        self.summary.tasks_polled += result.tasks_polled
        self.summary.tasks_settled += result.tasks_settled
        self.summary.calls_used += result.calls_used
        self.summary.calls_left = result.calls_left
        self.summary.detection_delay_mean_seconds = result.delay_mean_seconds
        self.summary.detection_delay_p95_seconds = result.delay_p95_seconds
        self.summary.delay_bound_seconds = result.delay_bound_seconds
        self.unseen_applications = result.unseen
        self.summary.failed_applications = sorted(result.unseen)
        for urn in result.exhausted:
            self.limits[urn] = f"{urn} used up its calls for the day before all due tasks were polled."
        self.failures |= result.unseen
        return result

    async def check(self, job: str | None = None) -> None:
        """Check by jobPostingStatus the jobs about which findings would open, and listed jobs now and then (docs/polling.md).

        Without the ledger, where checks are off, and where no application has access, findings rest on what else is known.
        """
        self.summary.notes = []
        self.derived = None
        if self.engine is None:
            return
        # The webhook is that of the parent application: the default shard looks after it.
        parent = self.applications.parent if self.applications.is_default else None
        webhook = await look_up_blocked_webhook(self.warehouse, self.settings, parent, self.engine, self.as_of, self.clock)
        self.summary.notes += [webhook] if webhook else []
        if not self.settings.checks:
            return
        checker = Checker(self.warehouse, self.settings, self.engine, self.as_of, self.clock)
        try:
            applications = checker.list_accessible(self.applications.active)
            if applications:
                derived = find_suspicious(self.warehouse, self.settings, self.as_of, self.unseen_facets, self.slice_jobs)
                await checker.check(applications, self.since_last_run, job)
                self.derived = None if checker.jobs_checked else derived
        except LandingUnavailable as error:
            checker.notes["landing"] = str(error)
        self.summary.jobs_checked += checker.jobs_checked
        self.summary.checks_used += checker.calls_used
        self.summary.checks_left = checker.calls_left
        self.summary.notes += dict.fromkeys(checker.notes.values())

    def ingest_notifications(self) -> None:
        """Merge landed notifications; a row is marked merged only after the warehouse has committed it."""
        if self.engine is None:
            self.unseen_facets = set(INBOX_FACETS)
            return
        try:
            undo_lost_merges(self.warehouse, self.engine, self.settings.shard)
            for rows in read_unmerged(self.engine, self.as_of, INBOX_ROWS, self.applications):
                deliveries = [{**row._asdict(), "arrival": row.inbox_id} for row in rows]
                merge = {"merge_id": uuid.uuid4().hex, "run_id": self.summary.run_id}
                self.summary.notifications_merged += merge_deliveries(
                    self.warehouse, deliveries, [], self.as_of, merge=merge | {"merged_at": self.as_of}
                )
                mark_merged(self.engine, [row.inbox_id for row in rows], self.as_of, **merge, shard=self.settings.shard)
            if self.applications.is_default:
                merge_challenges(self.warehouse, self.engine, self.as_of)
            prune_landing(self.engine, min(self.as_of, self.clock()), self.settings.inbox_retention_days)
            self.unseen_facets = set()
            self.failures.pop("inbox", None)
        except LandingUnavailable as error:
            self.unseen_facets = set(INBOX_FACETS)
            self.failures["inbox"] = str(error)

    def update_findings(self) -> None:
        """Compare the expected with the reported state of each job; open, update and resolve findings."""
        derived, self.derived = self.derived, None  # Once only: a stage that is retried derives anew.
        unseen = self.unseen_applications, self.unseen_facets
        for result in update_findings(self.warehouse, self.settings, self.as_of, *unseen, self.slice_jobs, derived):
            # Committed: of a stage that is retried the slices before count too.
            self.summary.add_slice(*result)
        self.summary.findings_open = self.warehouse.count("findings/select_open_count")
        self.report_silences()

    def report_silences(self) -> None:
        """Add silent webhooks to the incomplete reasons, and pass them to the receivers' metrics."""
        rows = self.warehouse.read("notifications/select_silences")
        silences = {row["application_urn"]: row["last_received_at"] for row in rows}
        self.limits.pop("webhook", None)
        if silences:
            self.limits["webhook"] = describe_silences(silences, is_blocked=any(row["is_blocked"] for row in rows))
        if self.engine is not None and "WEBHOOK" not in self.unseen_facets:
            try:
                write_silences(self.engine, silences, self.applications)
            except LandingUnavailable as error:
                log.warning("%s", error)

    def publish(self) -> None:
        """Finish the run and publish the new copy."""
        try:
            if self.engine is not None:
                ledger = read_ledger(self.engine, since=self.clock().date() - timedelta(days=31))
                own = [row for row in ledger if self.applications.owns(row["application_urn"])]
                self.warehouse.run("runs/merge_call_budget", stage("staged_budget", own))
        except LandingUnavailable as error:
            self.failures["ledger"] = str(error)
        self.finish(RunState.INCOMPLETE if self.failures or self.limits else RunState.COMPLETED)
        if self.settings.parquet and not self.applications.is_sharded:
            export_parquet(self.warehouse, Path(self.settings.parquet))
        if not (self.settings.is_lake and self.applications.is_sharded):
            # Of a lake with several shards `gather` reads the tagged snapshots.
            self.warehouse.publish()

    def finish(self, state: RunState) -> None:
        """Write the row of the finished run."""
        summary = self.summary
        summary.state, summary.finished_at = state, self.clock()
        summary.failures = list(dict.fromkeys(self.failures.values()))
        summary.incomplete_reasons = list(dict.fromkeys([*summary.failures, *self.limits.values()]))
        summary.unseen_facets = sorted(self.unseen_facets)
        summary.tasks_overlooked = self.warehouse.count("runs/select_overlooked_count", as_of=summary.as_of)
        with self.warehouse.transaction():
            write_run(self.warehouse, summary)
            if state != RunState.FAILED:
                self.warehouse.tag_snapshot(summary.run_id)


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

    Raises `ConfigurationError` where no application is configured or `as_of` lies ahead of the clock, `RunTooOld` for an `as_of`
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
            warehouse.run("notifications/update_missing_receipts")
            summary = RunSummary(run_id=uuid.uuid4().hex, as_of=as_of, started_at=clock(), flow_run_id=flow_run_id, landing_id=landing_id)
            summary.shard = settings.shard or None
            warehouse.run("runs/update_interrupted_runs", now=summary.started_at)
            write_run(warehouse, summary)
            run = Reconciliation(warehouse, settings, applications, engine, summary, clock)
            run.last_pulled_at = last_pulled_at
            if last_as_of:
                run.since_last_run = max(run.since_last_run, as_of - last_as_of)
            if landing_error:
                run.failures["landing"] = landing_error
            try:
                # Those of a run that was killed while polling.
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
        # Before polling: a notification about a job makes its tasks due now.
        run.ingest_notifications()
        asyncio.run(run.poll(advance, job))
        asyncio.run(run.check(job))
        run.update_findings()
        run.publish()
        return run.summary

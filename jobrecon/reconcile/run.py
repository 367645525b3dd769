"""One reconciliation, stage by stage: pull, ingest, poll, check, update findings, publish. Flows and command line run these."""

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from jobrecon.applications import Applications
from jobrecon.clock import Clock
from jobrecon.errors import ConfigurationError, JobreconError, LandingUnavailable
from jobrecon.ingest import pull_tasks, retry_rejected
from jobrecon.ingest.notifications import merge_challenges, merge_deliveries
from jobrecon.ingest.tasks import expire_tasks, merge_customers
from jobrecon.landing.inbox_reader import UnmergedRow, read_unmerged
from jobrecon.landing.merges import mark_merged
from jobrecon.landing.retention import prune_landing
from jobrecon.landing.webhook_health import describe_silences, write_silences
from jobrecon.linkedin.ledger import read_ledger
from jobrecon.reconcile.blocked_webhook import look_up_blocked_webhook
from jobrecon.reconcile.checks import Checker
from jobrecon.reconcile.findings import find_suspicious, update_findings
from jobrecon.reconcile.polling import PollResult, poll_due_tasks
from jobrecon.reconcile.restored import undo_lost_merges
from jobrecon.reconcile.summary import RunSummary, write_run
from jobrecon.reconcile.touched import SLICE_JOBS, Examination
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage
from jobrecon.warehouse.parquet import export_parquet
from models import RunState

log = logging.getLogger(__name__)

INBOX_ROWS = 20_000
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
        parent = self.applications.parent if self.applications.is_default_shard else None
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
            batches = read_unmerged(self.engine, self.as_of, INBOX_ROWS, self.applications)
            try:
                for rows in batches:
                    self._merge(rows, self.engine)
            finally:
                # Here, where its database may be gone, rather than when Python collects it; what went wrong before is what counts.
                with suppress(LandingUnavailable):
                    batches.close()
            if self.applications.is_default_shard:
                merge_challenges(self.warehouse, self.engine, self.as_of)
            prune_landing(self.engine, min(self.as_of, self.clock()), self.settings.inbox_retention_days)
            self.unseen_facets = set()
            self.failures.pop("inbox", None)
        except LandingUnavailable as error:
            self.unseen_facets = set(INBOX_FACETS)
            self.failures["inbox"] = str(error)

    def _merge(self, rows: list[UnmergedRow], engine: Engine) -> None:
        deliveries = [{**row._asdict(), "arrival": row.inbox_id} for row in rows]
        merge = {"merge_id": uuid.uuid4().hex, "run_id": self.summary.run_id}
        self.summary.notifications_merged += merge_deliveries(
            self.warehouse, deliveries, [], self.as_of, merge=merge | {"merged_at": self.as_of}
        )
        mark_merged(engine, [row.inbox_id for row in rows], self.as_of, **merge, shard=self.settings.shard)

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

"""One reconciliation, stage by stage: pull, ingest, poll, update findings, publish. Flows and command line run these."""

import asyncio
import logging
import math
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from jobrecon.applications import Application, Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.demo.marker import refuse_ended_demo
from jobrecon.errors import ConfigurationError, JobreconError, LandingUnavailable, RunTooOld, WarehouseInvalidated
from jobrecon.ingest import pull_tasks, retry_rejected
from jobrecon.ingest.notifications import merge_challenges, merge_deliveries
from jobrecon.landing.database import get_landing_id, open_landing
from jobrecon.landing.inbox_reader import read_unmerged
from jobrecon.landing.merges import mark_merged
from jobrecon.landing.retention import prune_landing
from jobrecon.landing.webhook_health import describe_silences, write_silences
from jobrecon.linkedin.ledger import read_ledger
from jobrecon.reconcile.catalog import load_catalog, stage_kinds
from jobrecon.reconcile.polling import PollResult, poll_due_tasks
from jobrecon.reconcile.restored import charge_known_calls, undo_lost_merges
from jobrecon.reconcile.summary import RunSummary
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, open_warehouse, stage
from jobrecon.warehouse.parquet import export_parquet
from jobrecon.warehouse.statements import list_findings
from models import RunState

log = logging.getLogger(__name__)

INBOX_ROWS = 20_000
SLICE_TASKS = 1_000_000
"""`job_postings` is updated in slices of about so many tasks, so that memory does not grow with their number. With smaller slices
DuckDB would rewrite half of the inserted rows at the next checkpoint, to fill up its row groups."""
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
        self.reasons: dict[str, str] = {}
        """What could not be read, by stage or application. Findings about it are not resolved."""
        self.last_pulled_at: datetime | None = None

    @property
    def as_of(self) -> datetime:
        return self.summary.as_of

    @property
    def lifespan_seconds(self) -> float:
        return self.settings.task_lifespan_days * 86_400

    def pull(self) -> None:
        """Update customers, pull new tasks and expire tasks older than their lifespan."""
        self.warehouse.run("postings/merge_customers", stage("staged_customers", [_describe_customer(item) for item in self.applications]))
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
            self.reasons.pop("pull", None)
        except ConfigurationError:
            raise
        except JobreconError as error:
            log.warning("%s", error)
            self.reasons["pull"] = str(error)
        self.warehouse.run("tasks/update_expired_tasks", as_of=self.as_of, lifespan_seconds=self.lifespan_seconds)
        self.summary.tasks_pending = self.warehouse.count("tasks/select_pending_count", as_of=self.as_of)
        self.summary.tasks_young = self.warehouse.count(
            "tasks/select_young_count", as_of=self.as_of, first_check_after=self.settings.first_check_after
        )

    async def poll(self, advance: Callable[[int, int], None] = lambda _done, _due: None, job: str | None = None) -> PollResult:
        """Poll due tasks, or only those of `job`. An error of one application is recorded and stops no other."""
        if self.engine is None:
            # Without the ledger no call may be sent.
            result = PollResult(unseen={item.urn: self.reasons["landing"] for item in self.applications})
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
            self.reasons[urn] = f"{urn} used up its calls for the day before all due tasks were polled."
        self.reasons.update(result.unseen)
        return result

    def ingest_notifications(self) -> None:
        """Merge landed notifications; a row is marked merged only after the warehouse has committed it."""
        if self.engine is None:
            self.unseen_facets = set(INBOX_FACETS)
            return
        try:
            undo_lost_merges(self.warehouse, self.engine)
            for rows in read_unmerged(self.engine, self.as_of, INBOX_ROWS):
                deliveries = [{**row._asdict(), "arrival": row.inbox_id} for row in rows]
                merge = {"merge_id": uuid.uuid4().hex, "run_id": self.summary.run_id}
                self.summary.notifications_merged += merge_deliveries(
                    self.warehouse, deliveries, [], self.as_of, merge=merge | {"merged_at": self.as_of}
                )
                mark_merged(self.engine, [row.inbox_id for row in rows], self.as_of, **merge)
            merge_challenges(self.warehouse, self.engine, self.as_of)
            prune_landing(self.engine, min(self.as_of, self.clock()), self.settings.inbox_retention_days)
            self.unseen_facets = set()
            self.reasons.pop("inbox", None)
        except LandingUnavailable as error:
            log.warning("%s", error)
            self.unseen_facets = set(INBOX_FACETS)
            self.reasons["inbox"] = str(error)

    def update_findings(self) -> None:
        """Compare the expected with the reported state of each job; open, update and resolve findings."""
        as_of = self.as_of
        # Results of polling are read with less memory once they are checkpointed.
        self.warehouse.checkpoint()
        self.warehouse.run("tasks/create_latest_tasks", as_of=as_of)
        self.warehouse.run("postings/create_statements", as_of=as_of)
        self.warehouse.run("postings/create_latest_facets")
        self.warehouse.run("postings/create_latest_expiries")
        self.warehouse.run("notifications/create_silences", as_of=as_of, is_inbox_seen="WEBHOOK" not in self.unseen_facets)
        self.report_silences()
        derive_postings(self.warehouse, as_of)
        kinds = stage_kinds()
        self.warehouse.run("findings/create_current_findings")
        self.warehouse.run("findings/create_matched_messages", as_of=as_of)
        for name in list_findings():
            self.warehouse.collect_findings(
                name,
                as_of=as_of,
                stuck_after=self.settings.stuck_after,
                unconfirmed_after=self.settings.unconfirmed_after,
                lifespan_seconds=self.lifespan_seconds,
                expiring_within=self.settings.expiring_within,
            )
        self.warehouse.run("findings/create_explained_findings", kinds, as_of=as_of)
        unseen: dict[str, Any] = {"unseen_applications": list(self.unseen_applications), "unseen_facets": sorted(self.unseen_facets)}
        with self.warehouse.transaction():
            self.summary.findings_resolved += self.warehouse.count("findings/update_resolved_findings", kinds, as_of=as_of, **unseen)
            self.warehouse.run("findings/update_seen_findings", as_of=as_of)
            self.summary.findings_opened += self.warehouse.count("findings/insert_opened_findings", as_of=as_of)
        self.summary.findings_open = self.warehouse.count("findings/select_open_count")

    def report_silences(self) -> None:
        """Add silent webhooks to the incomplete reasons, and pass them to the receivers' metrics."""
        silences = {row["application_urn"]: row["last_received_at"] for row in self.warehouse.read("notifications/select_silences")}
        self.reasons.pop("webhook", None)
        if silences:
            self.reasons["webhook"] = describe_silences(silences)
        if self.engine is not None and "WEBHOOK" not in self.unseen_facets:
            try:
                write_silences(self.engine, silences)
            except LandingUnavailable as error:
                log.warning("%s", error)

    def publish(self) -> None:
        """Finish the run and publish the new copy."""
        try:
            if self.engine is not None:
                ledger = read_ledger(self.engine, since=self.clock().date() - timedelta(days=31))
                self.warehouse.run("runs/merge_call_budget", stage("staged_budget", ledger))
        except LandingUnavailable as error:
            self.reasons["ledger"] = str(error)
        self.finish(RunState.INCOMPLETE if self.reasons else RunState.COMPLETED)
        if self.settings.parquet:
            export_parquet(self.warehouse, Path(self.settings.parquet))
        self.warehouse.publish()

    def finish(self, state: RunState) -> None:
        """Write the row of the finished run."""
        summary = self.summary
        summary.state = state
        summary.finished_at = self.clock()
        summary.incomplete_reasons = list(dict.fromkeys(self.reasons.values()))
        summary.tasks_overlooked = self.warehouse.count("runs/select_overlooked_count", as_of=summary.as_of)
        write_run(self.warehouse, summary)


def write_run(warehouse: Warehouse, summary: RunSummary) -> None:
    """Insert or replace the run's row in `runs`."""
    warehouse.run("runs/merge_run", stage("staged_run", [summary.to_row()]))


def derive_postings(warehouse: Warehouse, as_of: datetime, slice_tasks: int = SLICE_TASKS) -> int:
    """Update `job_postings` in slices, to bound memory. Returns how many rows are new or changed; the others are not written."""
    slices = max(1, math.ceil(warehouse.count("tasks/select_task_count") / slice_tasks))
    warehouse.run("postings/create_postings_at")
    name = "postings/merge_job_postings" if warehouse.count("postings/select_posting_count") else "postings/insert_job_postings"
    return sum(warehouse.count(name, as_of=as_of, slices=slices, slice=number) for number in range(slices))


@contextmanager
def open_reconciliation(
    settings: Settings,
    as_of: datetime | None = None,
    flow_run_id: str | None = None,
    clock: Clock = utc_now,
    *,
    is_landing_new: bool = False,
) -> Iterator[Reconciliation]:
    """A run as of a given time (default: now), with the warehouse open for writing until the block ends.

    Raises `ConfigurationError` where no application is configured, `RunTooOld` for an `as_of` before the last run's. A run that
    fails is recorded as FAILED; what it committed stays and the next run continues from there. The landing database must be the
    one that the last run used, unless `is_landing_new`.
    """
    refuse_ended_demo(settings.home, settings.api_url)
    applications = settings.load_applications()
    if not len(applications):
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
                log.warning("%s", error)
                landing_error = str(error)
            load_catalog(warehouse)
            warehouse.run("notifications/update_missing_receipts")
            summary = RunSummary(run_id=uuid.uuid4().hex, as_of=as_of, started_at=clock(), flow_run_id=flow_run_id, landing_id=landing_id)
            warehouse.run("runs/update_interrupted_runs", now=summary.started_at)
            write_run(warehouse, summary)
            run = Reconciliation(warehouse, settings, applications, engine, summary, clock)
            run.last_pulled_at = last_pulled_at
            if landing_error:
                run.reasons["landing"] = landing_error
            try:
                # Those of a run that was killed while polling.
                warehouse.run("tasks/insert_status_changes", run_id=summary.run_id)
                yield run
            except WarehouseInvalidated:
                # The next run records it as failed.
                raise
            except BaseException as error:
                run.reasons["run"] = str(error) or type(error).__name__
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
    is_landing_new: bool = False,
) -> RunSummary:
    """All stages in order, without Prefect; with `job`, only that job's tasks are polled."""
    with open_reconciliation(settings, as_of, is_landing_new=is_landing_new) as run:
        run.pull()
        # Before polling: a notification about a job makes its tasks due now.
        run.ingest_notifications()
        asyncio.run(run.poll(advance, job))
        run.update_findings()
        run.publish()
        return run.summary


def _describe_customer(application: Application) -> dict[str, Any]:
    return {
        "application_urn": application.urn,
        "customer": application.customer,
        "account_manager": application.account_manager,
        "account_manager_email": application.account_manager_email,
        "daily_call_limit": application.daily_call_limit,
    }

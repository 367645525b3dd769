"""Maintenance: delete old landed bodies, refused rows and reports; checkpoint and verify the warehouse."""

import datetime as dt
import logging
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobrecon.landing.database import using_landing
from jobrecon.landing.retention import prune_landing
from jobrecon.reconcile.verify import compare, read_finished_run
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.warehouse.lake import maintain_lake

log = logging.getLogger(__name__)


@dataclass
class MaintenanceResult:
    """How much was deleted."""

    landed: int = 0
    rejected_rows: int = 0
    reports: int = 0
    snapshots: int = 0
    files: int = 0
    """Snapshots and files of a lake."""
    verification: str = ""
    """Which derived rows are wrong, in a sentence; empty where all agree."""

    @property
    def sentence(self) -> str:
        lake = (
            f"; {self.snapshots:,} snapshots of the lake expired, {self.files:,} files were deleted" if self.snapshots or self.files else ""
        )
        return (
            f"{self.landed:,} landed bodies, {self.rejected_rows:,} refused rows and {self.reports:,} reports were deleted; the warehouse is "
            f"checkpointed{lake}."
            + (f" An error of jobrecon: {self.verification} `jobrecon verify --repair` puts them right." if self.verification else "")
        )


def maintain(settings: Settings, now: dt.datetime) -> MaintenanceResult:
    """Verify the derived tables, delete what is older than its retention, checkpoint the warehouse. Idempotent.

    Merged bodies are kept for `inbox_retention_days`, refused rows and report folders for `retention_days` (0: for ever). Tasks,
    notifications, findings and runs stay: the reports of past days are made from them.
    """
    result = MaintenanceResult()
    with using_landing(settings.landing_url) as engine:
        result.landed = prune_landing(engine, now, settings.inbox_retention_days)
    before = now - dt.timedelta(days=settings.retention_days)
    with open_warehouse(settings) as warehouse:
        run = read_finished_run(warehouse)
        if run and (verification := compare(warehouse, run)).differences:
            result.verification = verification.sentence
            log.error("An error of jobrecon: %s %s", verification.sentence, "; ".join(verification.lines))
        if settings.retention_days:
            result.rejected_rows = warehouse.change("tasks/delete_old_rejected_rows", before=before)
            result.reports = _remove_reports(settings.reports, before.date())
        if warehouse.lake:
            result.snapshots, result.files = maintain_lake(warehouse.connection, now, settings.snapshot_days)
        else:
            warehouse.checkpoint()
    return result


def _remove_reports(folder: Path, before: dt.date) -> int:
    removed = 0
    for report in folder.glob("????-??-??"):
        with suppress(ValueError, OSError):
            if dt.date.fromisoformat(report.name) < before and (report / "summary.json").is_file():
                shutil.rmtree(report)
                removed += 1
    return removed

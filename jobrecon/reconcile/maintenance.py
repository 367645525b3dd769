"""MaintenanceResult of what grows: refused rows, old reports, the warehouse's file."""

import datetime as dt
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobrecon.landing.database import open_landing
from jobrecon.landing.retention import prune_landing
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse


@dataclass
class MaintenanceResult:
    """What was cleared away."""

    landed: int = 0
    rejected_rows: int = 0
    reports: int = 0

    @property
    def sentence(self) -> str:
        return f"{self.landed:,} landed bodies, {self.rejected_rows:,} refused rows and {self.reports:,} reports were cleared away; the warehouse is checkpointed."


def maintain(settings: Settings, now: dt.datetime) -> MaintenanceResult:
    """Clear away what is older than its time, and write the warehouse's log into its file.

    Merged bodies go after `inbox_retention_days`; refused rows and report folders after `retention_days` (0: never). Tasks,
    notifications, findings and runs stay: the reports of past days are made from them. Done twice it changes nothing more.
    """
    done = MaintenanceResult()
    engine = open_landing(settings.landing_url)
    try:
        done.landed = prune_landing(engine, now, settings.inbox_retention_days)
    finally:
        engine.dispose()
    before = now - dt.timedelta(days=settings.retention_days)
    with open_warehouse(settings) as warehouse:
        if settings.retention_days:
            done.rejected_rows = warehouse.count("tasks/delete_old_rejected_rows", before=before)
            done.reports = _remove_reports(settings.reports, before.date())
        warehouse.connection.execute("checkpoint")
    return done


def _remove_reports(folder: Path, before: dt.date) -> int:
    removed = 0
    for report in folder.glob("????-??-??"):
        with suppress(ValueError, OSError):
            if dt.date.fromisoformat(report.name) < before and (report / "summary.json").is_file():
                shutil.rmtree(report)
                removed += 1
    return removed

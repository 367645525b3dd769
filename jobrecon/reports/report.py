"""The daily report, from the published copy to a folder of files."""

import datetime as dt
import errno
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from jobrecon.errors import ReportError, WarehouseError
from jobrecon.reports.facts import Facts
from jobrecon.reports.findings_csv import write_csv, write_findings_csv
from jobrecon.reports.folder import replace_folder
from jobrecon.reports.page import MAX_FIXED, name_pages, write_pages
from jobrecon.reports.reading import read_day
from jobrecon.reports.timeline import MAX_EVENTS, Job, Timelines, read_timelines
from jobrecon.reports.verdict import judge
from jobrecon.reports.workbook import find_workbook, write_workbook
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published

REMEDIES = {
    errno.ENOSPC: "Make room on that disk and run `jobrecon report` again.",
    errno.EFBIG: "Make room on that disk and run `jobrecon report` again.",
    errno.EDQUOT: "Make room on that disk and run `jobrecon report` again.",
    errno.EACCES: "Allow this user to write there, or set JOBRECON_REPORTS to another folder, and run `jobrecon report` again.",
    errno.EPERM: "Allow this user to write there, or set JOBRECON_REPORTS to another folder, and run `jobrecon report` again.",
    errno.EROFS: "Set JOBRECON_REPORTS to a folder that can be written and run `jobrecon report` again.",
    errno.ENOTDIR: "There is a file where the folder should be: move it away and run `jobrecon report` again.",
}

MAX_TIMELINES = 5_000
"""Open findings whose timelines are read, the worst; the pages take of them what fits."""


@dataclass(frozen=True)
class ReportResult:
    """A report that was written: where it lies and what it says. `summary` is the content of `summary.json`."""

    folder: Path
    facts: Facts
    summary: dict[str, Any]
    files: list[Path]


def write_report(settings: Settings, date: dt.date | None, now: dt.datetime) -> ReportResult:
    """Write the report of `date` (None: today in `JOBRECON_TIMEZONE`) below `settings.reports` and say where.

    Reads the published copy only. Writing it again with the same data gives the same report. Raises `WarehouseError` where there
    is nothing to read and `ReportError` where the report cannot be made; the earlier report is then unharmed.
    """
    facts, timelines = read_facts(settings, date, now)
    folder = settings.reports / facts.date.isoformat()
    summary = facts.summarise(judge(facts).sentence)
    try:
        with replace_folder(folder) as fresh:
            write_findings_csv(facts.open_findings, fresh / "findings.csv")
            write_csv(facts.remedies, fresh / "remedies.csv")
            for manager, page in name_pages(list(facts.by_account_manager)).items():
                write_workbook(facts.select_manager(manager), find_workbook(fresh, page.removesuffix(".html")))
            write_workbook(facts, find_workbook(fresh, "index"))
            write_pages(facts, settings, fresh, timelines)
            (fresh / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            names = sorted(path.name for path in fresh.iterdir())
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, "Repair the folder and run `jobrecon report` again.")
        raise ReportError(
            f"The report in {folder} cannot be written: {error.strerror or error}. "
            f"The warehouse and the earlier report are unharmed. {remedy}"
        ) from error
    return ReportResult(folder, facts, summary, [folder / name for name in names])


def was_incomplete(settings: Settings, date: dt.date) -> bool:
    """Whether the report of `date` that was written last was incomplete; False where there is none."""
    try:
        summary = json.loads((settings.reports / date.isoformat() / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and summary.get("complete") is False


def read_facts(settings: Settings, date: dt.date | None, now: dt.datetime) -> tuple[Facts, Timelines]:
    """The facts of `date` (None: today) from the published copy, and the timelines that the pages show. Raises as `write_report` does."""
    date = date or now.astimezone(settings.zone).date()
    with open_published(settings) as warehouse:
        try:
            last_as_of = warehouse.read("runs/select_last_as_of")[0]["last_as_of"]
            today = max(now, last_as_of or now).astimezone(settings.zone).date()
            if date > today:
                raise ReportError(
                    f"There is no report for {date} yet: in {settings.timezone} it is {today}. "
                    "Nothing was changed. Give that date or an earlier one."
                )
            facts = read_day(warehouse, date, settings.zone, now, settings.stale_after, settings.load_applications().shards)
            worst = [facts.open_findings[:MAX_TIMELINES], facts.resolved_findings[:MAX_FIXED]]
            jobs = [Job(*ids) for frame in worst for ids in zip(frame["application_urn"], frame["external_job_posting_id"], strict=True)]
            return facts, read_timelines(warehouse, jobs, facts.day.end, MAX_EVENTS)
        except (duckdb.Error, WarehouseError) as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0].rstrip(".")
            raise WarehouseError(
                f"The published copy {settings.published} cannot be read: {reason}. "
                "Nothing was changed. Run `jobrecon run`: it makes a new copy."
            ) from error

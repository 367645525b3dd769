"""The daily report, from the published copy to a folder of files."""

import datetime as dt
import errno
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from jobrecon.errors import ReportError, WarehouseError
from jobrecon.reports.columns import tabulate
from jobrecon.reports.facts import Facts, gather_facts
from jobrecon.reports.folder import replace_folder
from jobrecon.reports.listing import write_listing
from jobrecon.reports.page import MOST_FIXED, write_pages
from jobrecon.reports.stories import Stories, gather_stories
from jobrecon.reports.summary import summarise
from jobrecon.reports.workbook import write_workbook
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published

REMEDIES = {
    errno.ENOSPC: "Make room on that disk and run `jobrecon report` again.",
    errno.EDQUOT: "Make room on that disk and run `jobrecon report` again.",
    errno.EACCES: "Allow this user to write there, or set JOBRECON_REPORTS to another folder, and run `jobrecon report` again.",
    errno.EPERM: "Allow this user to write there, or set JOBRECON_REPORTS to another folder, and run `jobrecon report` again.",
    errno.EROFS: "Set JOBRECON_REPORTS to a folder that can be written and run `jobrecon report` again.",
    errno.ENOTDIR: "A file stands where the folder should be: move it away and run `jobrecon report` again.",
}

MOST_TOLD = 5_000
"""Open findings whose stories are asked for, the worst; the pages take of them what fits."""


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
    is nothing to read and `ReportError` where the report cannot be made; the report of before is then unharmed.
    """
    zone = settings.zone
    date = date or now.astimezone(zone).date()
    facts, stories = _read_facts(settings, date, now)
    folder = settings.reports / date.isoformat()
    summary = summarise(facts)
    try:
        with replace_folder(folder) as fresh:
            cells = tabulate(facts.open_findings)
            write_listing(cells, fresh / "findings.csv")
            # Joining and packing the workbook's rows leaves the interpreter free: the pages are rendered meanwhile.
            with ThreadPoolExecutor(1) as beside:
                workbook = beside.submit(write_workbook, facts, cells, fresh / "findings.xlsx")
                write_pages(facts, settings, fresh, stories)
                workbook.result()
            (fresh / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            names = sorted(path.name for path in fresh.iterdir())
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, "Mend the folder and run `jobrecon report` again.")
        raise ReportError(
            f"The report in {folder} cannot be written: {error.strerror or error}. "
            f"The warehouse and the report of before are unharmed. {remedy}"
        ) from error
    return ReportResult(folder, facts, summary, [folder / name for name in names])


def _read_facts(settings: Settings, date: dt.date, now: dt.datetime) -> tuple[Facts, Stories]:
    with open_published(settings) as warehouse:
        try:
            last_as_of = warehouse.read("runs/select_last_as_of")[0]["last_as_of"]
            today = max(now, last_as_of or now).astimezone(settings.zone).date()
            if date > today:
                raise ReportError(
                    f"There is no report for {date} yet: in {settings.timezone} it is {today}. "
                    "Nothing was changed. Give that date or an earlier one."
                )
            facts = gather_facts(warehouse, date, settings.zone, now, settings.stale_after)
            told = [*facts.open_findings[:MOST_TOLD], *facts.resolved_findings[:MOST_FIXED]]
            return facts, gather_stories(warehouse, told, facts.day.end)
        except duckdb.Error as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise WarehouseError(
                f"The published copy {settings.published} cannot be read: {reason}. "
                "Nothing was changed. Run `jobrecon run`: it makes a new copy."
            ) from error

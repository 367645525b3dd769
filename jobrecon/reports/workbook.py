"""`findings.xlsx`: the findings for people who sort and filter; one workbook for all, and one for each account manager's own."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from jobrecon.reports.facts import Facts, Queue, list_values
from jobrecon.reports.findings_csv import COLUMNS, Column, tabulate
from jobrecon.reports.formatting import describe_count, fit_cell
from jobrecon.reports.glossary import SENDINGS
from jobrecon.reports.history import TrendDay

MAX_ROWS = 20_000
"""Findings on a sheet, the worst; a line below says where the others are."""
MAX_FIXED_ROWS = 1_000
FOR_PROGRAMS = {"kind", "facet", "opened_at", "application_urn", "task_urn"}
OPEN_COLUMNS = tuple(column for column in COLUMNS if column.name not in FOR_PROGRAMS)
"""What people sort and filter by; findings.csv has everything."""
FIXED_NAMES = {
    "trouble",
    "customer",
    "account_manager",
    "title",
    "external_job_posting_id",
    "location",
    "reason",
    "job_posting_url",
    "finding_id",
}
FIXED_COLUMNS = (
    Column("resolved_at", "Ended (UTC)", 18),
    Column("ending", "How it ended", 40),
    *(column for column in COLUMNS if column.name in FIXED_NAMES),
)
CHANGE_COLUMNS = (
    Column("changed_at", "When (UTC)", 18),
    Column("customer", "Customer", 22),
    Column("account_manager", "Account manager", 20),
    Column("title", "Job", 36),
    Column("external_job_posting_id", "Job id", 20),
    Column("change", "What changed on LinkedIn", 40),
    Column("cause", "By whom, or why", 50),
    Column("message", "LinkedIn's own text", 60),
    Column("source", "Known from", 16),
    Column("job_posting_url", "On LinkedIn", 42),
)
EXCEL_EPOCH = pd.Timestamp("1899-12-30", tz="UTC")
OPTIONS = {
    "constant_memory": True,
    # Text from outside stays text, whatever it looks like.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def find_workbook(folder: Path, page_name: str) -> Path:
    """Where the workbook that belongs to a page lies: `findings.xlsx` for `index`, else it is named as the page."""
    return folder / ("findings.xlsx" if page_name == "index" else f"{page_name}.xlsx")


def write_workbook(facts: Facts, path: Path, max_rows: int = MAX_ROWS) -> None:
    """Write the sheets Do today, All open, Fixed, Changes and Trend to `path`, at most `max_rows` findings on each."""
    workbook = xlsxwriter.Workbook(path, OPTIONS)
    created = (facts.as_of or facts.day.end).replace(tzinfo=None)
    workbook.set_properties({"title": f"Findings of {facts.date.isoformat()}", "created": created})
    head = workbook.add_format({"bold": True, "bg_color": "#E8ECF1", "bottom": 1, "valign": "top"})
    moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
    today, max_fixed = facts.select_queue(Queue.CUSTOMER), min(max_rows, MAX_FIXED_ROWS)
    for name, columns, cells, row_count in (
        ("Do today", OPEN_COLUMNS, _tabulate_for_people(today[:max_rows]), len(today)),
        ("All open", OPEN_COLUMNS, _tabulate_for_people(facts.open_findings[:max_rows]), len(facts.open_findings)),
        ("Fixed", FIXED_COLUMNS, tabulate(facts.resolved_findings[:max_fixed]), len(facts.resolved_findings)),
        ("Changes", CHANGE_COLUMNS, facts.changes[:max_rows], len(facts.changes)),
    ):
        _write_cells(workbook.add_worksheet(name), cells, columns, row_count, head, moment)
    _write_trend(workbook.add_worksheet("Trend"), facts.trend, head, workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"}))
    workbook.close()


def _tabulate_for_people(findings: pd.DataFrame) -> pd.DataFrame:
    return tabulate(findings).assign(remedy=findings["remedy"].map(SENDINGS).fillna(findings["remedy"]))


def _write_cells(sheet: Worksheet, cells: pd.DataFrame, columns: Sequence[Column], row_count: int, head: Format, moment: Format) -> None:
    shown = cells[[column.name for column in columns]]
    moments = set(shown.select_dtypes("datetimetz").columns)
    for index, column in enumerate(columns):
        sheet.set_column(index, index, column.width, moment if column.name in moments else None)
    _write_head(sheet, [column.heading for column in columns], len(shown), head)
    converted = [_convert(shown[column.name]) for column in columns]
    formats = [moment if column.name in moments else None for column in columns]
    for row, values in enumerate(zip(*converted, strict=True), start=1):
        for index, value in enumerate(values):
            if isinstance(value, str):
                if value:
                    sheet.write_string(row, index, value)
            elif value == value:  # not missing
                sheet.write_number(row, index, value, formats[index])
    left_out = row_count - len(shown)
    if left_out:
        sheet.write_string(
            len(shown) + 1,
            0,
            f"{describe_count(left_out, 'more row')}: see findings.csv for those that are open, the published copy for all.",
        )


def _convert(column: pd.Series) -> Sequence[str | float]:
    """Numbers as numbers, moments as the days that Excel counts, everything else as text."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        days = (column - EXCEL_EPOCH).dt.total_seconds() / 86_400
        # Excel counts no day before 1900.
        return [day if day > 1 or day != day else f"{moment:%Y-%m-%d %H:%M}" for day, moment in zip(days, column, strict=True)]
    if pd.api.types.is_float_dtype(column):
        return list(column)
    return [fit_cell(value) for value in list_values(column)]


def _write_head(sheet: Worksheet, headings: Sequence[str], row_count: int, head: Format) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    for index, heading in enumerate(headings):
        sheet.write_string(0, index, heading, head)
    sheet.autofilter(0, 0, max(row_count, 1), len(headings) - 1)


def _write_trend(sheet: Worksheet, trend: Sequence[TrendDay], head: Format, date: Format) -> None:
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 3, 12)
    sheet.set_column(4, 4, 18)
    _write_head(sheet, ["Day", "Open at its end", "New", "Ended", "Checked"], len(trend), head)
    for row, day in enumerate(trend, start=1):
        sheet.write_datetime(row, 0, dt.datetime.combine(day.date, dt.time()), date)
        for column, number in enumerate((day.open_count, day.new_count, day.ended_count), start=1):
            sheet.write_number(row, column, number)
        sheet.write_string(row, 4, "yes" if day.is_complete else "not completely" if day.has_run else "no")

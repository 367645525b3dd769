"""`findings.xlsx`: the findings for people who sort and filter."""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from jobrecon.errors import ReportError
from jobrecon.reports.causes import Desk, find_desk
from jobrecon.reports.columns import COLUMNS, ENDING_COLUMNS, Column
from jobrecon.reports.facts import Facts, ReportedFinding
from jobrecon.reports.text import fit_cell

MOST_ROWS = 1_048_575
"""Rows of a sheet below its heading."""


def write_workbook(facts: Facts, path: Path) -> None:
    """Write the sheets Do today, All open and Fixed to `path`. No cell is a formula, whatever strangers wrote."""
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    options |= dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    workbook = xlsxwriter.Workbook(path, options)
    try:
        created = (facts.as_of or facts.day.end).replace(tzinfo=None)
        workbook.set_properties({"title": f"Findings of {facts.date.isoformat()}", "created": created})
        head = workbook.add_format({"bold": True, "bg_color": "#E8ECF1", "bottom": 1, "valign": "top"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        sheets: list[tuple[str, Sequence[Column], Iterable[ReportedFinding]]] = [
            ("Do today", COLUMNS, (finding for finding in facts.open_findings if find_desk(finding) == Desk.TODAY)),
            ("All open", COLUMNS, facts.open_findings),
            ("Fixed", ENDING_COLUMNS + COLUMNS, facts.resolved_findings),
        ]
        for name, columns, findings in sheets:
            _write_sheet(workbook.add_worksheet(name), columns, findings, head, moment)
        workbook.close()
    except XlsxWriterException as error:
        raise _unwrap(error, path) from error
    finally:
        # After an error the library leaves its row files open.
        for sheet in workbook.worksheets():
            if sheet.row_data_fh:
                with suppress(OSError):
                    sheet.row_data_fh.close()


def _write_sheet(sheet: Worksheet, columns: Sequence[Column], findings: Iterable[ReportedFinding], head: Format, moment: Format) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    for index, column in enumerate(columns):
        sheet.set_column(index, index, column.width)
        sheet.write_string(0, index, column.heading, head)
    last = 0
    for last, finding in enumerate(findings, start=1):
        if last > MOST_ROWS:
            raise ReportError(
                f"There are more than {MOST_ROWS:,} findings, which is more than a sheet of Excel holds. The report of before is unharmed. "
                "Ask the `findings` table of the published copy instead."
            )
        for index, column in enumerate(columns):
            _write_cell(sheet, last, index, column.read(finding), moment)
    sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)


def _write_cell(sheet: Worksheet, row: int, index: int, value: object, moment: Format) -> None:
    if isinstance(value, dt.datetime):
        # Excel knows no offsets: UTC, as the heading says.
        sheet.write_datetime(row, index, value.astimezone(dt.UTC).replace(tzinfo=None), moment)
    elif isinstance(value, float):
        sheet.write_number(row, index, value)
    elif isinstance(value, str) and value:
        sheet.write_string(row, index, fit_cell(value))


def _unwrap(error: XlsxWriterException, path: Path) -> Exception:
    """The OSError inside, which says more, or a `ReportError`."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, OSError):
        return cause
    return ReportError(f"{path.name} cannot be written: {error}. The report of before is unharmed.")

"""`findings.xlsx`: the findings for people who sort and filter.

The library makes the frame: sheets, headings, formats, filters. The rows of findings are written into it by `sheet_rows`,
because a hundred thousand of them take the library a minute.
"""

import datetime as dt
import re
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from jobrecon.errors import ReportError
from jobrecon.reports.causes import Desk, find_desk
from jobrecon.reports.columns import COLUMNS, ENDING_COLUMNS, MOMENT, Column, tabulate
from jobrecon.reports.facts import Facts
from jobrecon.reports.sheet_rows import escape_cells, write_rows
from jobrecon.reports.trend import Trend, TrendDay

MOST_ROWS = 1_048_575
"""Rows of a sheet below its heading."""
SMALL = 5_000
"""Findings up to which the file is packed as small as can be; beyond, packing would take longer than writing."""

Sheets = Sequence[tuple[str, Sequence[Column], pa.Table]]


def write_workbook(facts: Facts, cells: pa.Table, path: Path) -> None:
    """Write the sheets Do today, All open, Fixed and Trend to `path`; `cells` are those of the open findings.

    No cell is a formula, whatever strangers wrote.
    """
    endings = ENDING_COLUMNS + COLUMNS
    escaped = escape_cells(cells)
    is_today = pa.array([find_desk(finding) == Desk.TODAY for finding in facts.open_findings], pa.bool_())
    sheets: Sheets = [
        ("Do today", COLUMNS, escaped.filter(is_today)),
        ("All open", COLUMNS, escaped),
        ("Fixed", endings, escape_cells(tabulate(facts.resolved_findings, endings))),
    ]
    for _, _, rows in sheets:
        if len(rows) > MOST_ROWS:
            raise ReportError(
                f"There are more than {MOST_ROWS:,} findings, which is more than a sheet of Excel holds. The report of before is unharmed. "
                "Ask the `findings` table of the published copy instead."
            )
    frame = _make_frame(facts, sheets)
    level = 6 if len(facts.open_findings) <= SMALL else 1
    with zipfile.ZipFile(frame) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as packed:
        for part in made.infolist():
            content = made.read(part)
            number = re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", part.filename)
            index = int(number[1]) - 1 if number else len(sheets)
            if index >= len(sheets):
                packed.writestr(part.filename, content)
                continue
            _, columns, rows = sheets[index]
            head, end, tail = content.decode().partition("</sheetData>")
            with packed.open(part.filename, "w", force_zip64=True) as file:
                file.write(re.sub(r'(<dimension ref="A1:[A-Z]+)\d+', rf"\g<1>{len(rows) + 1}", head).encode())
                write_rows(file, rows, [column.type for column in columns], _find_moment_style(head))
                file.write((end + tail).encode())


def _make_frame(facts: Facts, sheets: Sheets) -> BytesIO:
    """The workbook without the findings."""
    frame = BytesIO()
    workbook = xlsxwriter.Workbook(frame, {"in_memory": True})
    created = (facts.as_of or facts.day.end).replace(tzinfo=None)
    workbook.set_properties({"title": f"Findings of {facts.date.isoformat()}", "created": created})
    head = workbook.add_format({"bold": True, "bg_color": "#E8ECF1", "bottom": 1, "valign": "top"})
    moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
    for name, columns, rows in sheets:
        sheet = workbook.add_worksheet(name)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width, moment if column.type == MOMENT else None)
        _finish_sheet(sheet, [column.heading for column in columns], len(rows), head)
    _write_trend(workbook.add_worksheet("Trend"), facts.trend, head, workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"}))
    workbook.close()
    frame.seek(0)
    return frame


def _finish_sheet(sheet: Worksheet, headings: Sequence[str], row_count: int, head: Format) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    for index, heading in enumerate(headings):
        sheet.write_string(0, index, heading, head)
    sheet.autofilter(0, 0, max(row_count, 1), len(headings) - 1)


def _write_trend(sheet: Worksheet, trend: Trend, head: Format, date: Format) -> None:
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 3, 12)
    sheet.set_column(4, 4, 18)
    for row, day in enumerate(trend, start=1):
        sheet.write_datetime(row, 0, dt.datetime.combine(day.date, dt.time()), date)
        for column, number in enumerate((day.open_count, day.new_count, day.ended_count), start=1):
            sheet.write_number(row, column, number)
        sheet.write_string(row, 4, _describe_look(day))
    _finish_sheet(sheet, ["Day", "Open at its end", "New", "Ended", "Looked at"], len(trend), head)


def _describe_look(day: TrendDay) -> str:
    return "yes" if day.is_complete else "not completely" if day.is_looked_at else "no"


def _find_moment_style(head: str) -> int:
    """The number of the moments' format, as the frame gave it to the columns."""
    style = re.search(r'<col [^>]*style="(\d+)"', head)
    assert style, "a sheet of findings has moments"
    return int(style[1])

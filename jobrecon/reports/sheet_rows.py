"""Rows of a sheet as the file format has them (ECMA-376, `row` and `c`), straight to the file: fast, and in constant memory."""

import datetime as dt
from collections.abc import Sequence
from typing import IO

from xlsxwriter.utility import xl_col_to_name

from jobrecon.reports.columns import Column
from jobrecon.reports.facts import ReportedFinding
from jobrecon.reports.text import PLAIN_LIMIT, fit_cell

ROWS_AT_ONCE = 500
EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)


def write_rows(file: IO[bytes], columns: Sequence[Column], findings: Sequence[ReportedFinding], moment_style: int) -> None:
    """Write `findings` below the heading. Text is text, whatever it looks like; moments are numbers shown as such, in UTC."""
    readers = [(xl_col_to_name(index), column.read) for index, column in enumerate(columns)]
    for start in range(0, len(findings), ROWS_AT_ONCE):
        parts: list[str] = []
        for number, finding in enumerate(findings[start : start + ROWS_AT_ONCE], start=start + 2):
            parts.append(f'<row r="{number}">')
            for letters, read in readers:
                value = read(finding)
                if isinstance(value, str):
                    if value:
                        cell = f'<c r="{letters}{number}" t="inlineStr"><is><t xml:space="preserve">{_escape(value)}</t></is></c>'
                        parts.append(cell)
                elif isinstance(value, dt.datetime):
                    days = (value - EPOCH).total_seconds() / 86_400
                    parts.append(f'<c r="{letters}{number}" s="{moment_style}"><v>{days:.10f}</v></c>')
                elif value is not None:
                    parts.append(f'<c r="{letters}{number}"><v>{value}</v></c>')
            parts.append("</row>")
        file.write("".join(parts).encode())


def _escape(value: str) -> str:
    text = value if value.isprintable() and len(value) <= PLAIN_LIMIT else fit_cell(value)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "_x" in text:
        # Excel reads _x0041_ as a character: its underscore is written as one.
        text = text.replace("_x", "_x005F_x")
    return text.replace("\r", "_x000D_") if "\r" in text else text

"""Rows of a sheet as the file format has them (ECMA-376, `row` and `c`), straight to the file: fast, and in constant memory."""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import IO

from xlsxwriter.utility import xl_col_to_name

from jobrecon.reports.columns import Cells
from jobrecon.reports.text import PLAIN_LIMIT, fit_cell

ROWS_AT_ONCE = 500
MOST_REPEATED = 4_096
"""Texts of which the outcome is remembered: reasons, customers and the like are those of thousands of cells."""
EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)


def write_rows(file: IO[bytes], rows: Sequence[Cells], moment_style: int) -> None:
    """Write `rows` below the heading. Text is text, whatever it looks like; moments are numbers shown as such, in UTC."""
    letters_of = [xl_col_to_name(index) for index in range(len(rows[0]))] if rows else []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        parts: list[str] = []
        for number, row in enumerate(rows[start : start + ROWS_AT_ONCE], start=start + 2):
            parts.append(f'<row r="{number}">')
            for letters, value in zip(letters_of, row, strict=True):
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


@lru_cache(MOST_REPEATED)
def _escape(value: str) -> str:
    text = value if value.isprintable() and len(value) <= PLAIN_LIMIT else fit_cell(value)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "_x" in text:
        # Excel reads _x0041_ as a character: its underscore is written as one.
        text = text.replace("_x", "_x005F_x")
    return text.replace("\r", "_x000D_") if "\r" in text else text

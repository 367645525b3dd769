"""`findings.csv`: all open findings, for programs and for Excel."""

import csv
import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from jobrecon.reports.columns import COLUMNS, Cells, Value
from jobrecon.reports.text import disarm_formula


def write_listing(rows: Iterable[Cells], path: Path) -> None:
    """Write the open findings' `rows` to `path`: UTF-8 with a byte order mark, moments in ISO 8601 with offset.

    A cell that a spreadsheet would take for a formula starts with an apostrophe.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column.name for column in COLUMNS)
        writer.writerows([_write_value(value) for value in row] for row in rows)


def _write_value(value: Value) -> str:
    if isinstance(value, str):
        return disarm_formula(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return "" if value is None else str(value)

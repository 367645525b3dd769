"""`findings.csv`: all open findings, for programs and for Excel."""

import codecs
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from jobrecon.reports.columns import MOMENT, TEXT
from jobrecon.reports.text import change_texts, disarm_formula


def write_listing(cells: pa.Table, path: Path) -> None:
    """Write the `cells` of the open findings to `path`: UTF-8 with a byte order mark, moments in ISO 8601 with offset, to the second.

    A cell that a spreadsheet would take for a formula starts with an apostrophe.
    """
    with path.open("wb") as file:
        file.write(codecs.BOM_UTF8)
        pcsv.write_csv(pa.table([_tell(column) for column in cells.columns], names=cells.column_names), file)


def _tell(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type == TEXT:
        return change_texts(column, disarm_formula)
    if column.type == MOMENT:
        return pc.strftime(column.cast(pa.timestamp("s"), safe=False), "%Y-%m-%dT%H:%M:%S+00:00")
    return column

"""Rows of a sheet as the file format has them (ECMA-376, `row` and `c`), a column at a time and in parts: fast, with little memory."""

from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name

from jobrecon.reports.columns import MOMENT, TEXT
from jobrecon.reports.text import change_texts, fit_cell

BYTES_AT_ONCE = 10_000_000
"""Of text, which becomes three times as much on its way into the file."""
MICROSECONDS_PER_DAY = 86_400e6
DAYS_BEFORE_1970 = 25_569.0
"""Excel counts the days from 30 December 1899."""


def escape_cells(cells: pa.Table) -> pa.Table:
    """`cells` as they stand in the file: text that is text, whatever it looks like, and moments as numbers of days, in UTC."""
    return pa.table([_escape_column(column) for column in cells.columns], names=cells.column_names)


def write_rows(file: IO[bytes], escaped: pa.Table, types: list[pa.DataType], moment_style: int) -> None:
    """Write the rows of `escaped` below the heading; `types` are those that its columns had."""
    columns = [(xl_col_to_name(index), *_frame_cell(type_, moment_style)) for index, type_ in enumerate(types)]
    rows_at_once = max(1, BYTES_AT_ONCE * escaped.num_rows // max(1, escaped.nbytes))
    for start in range(0, escaped.num_rows, rows_at_once):
        part = escaped.slice(start, rows_at_once).combine_chunks()
        numbers = pa.array(range(start + 2, start + 2 + part.num_rows)).cast(TEXT)
        # Where there is no value, there is no cell: nothing is joined to it.
        cells = [
            _join(f'<c r="{letters}', numbers, head, column, tail)
            for column, (letters, head, tail) in zip(part.columns, columns, strict=True)
        ]
        for rows in _join('<row r="', numbers, '">', *cells, "</row>", null_handling="replace").chunks:
            whole = pa.LargeListArray.from_arrays([0, len(rows)], rows)
            file.write(pc.binary_join(whole, pa.scalar("", TEXT))[0].as_buffer())


def _join(*parts: str | pa.ChunkedArray, null_handling: str = "emit_null") -> pa.ChunkedArray:
    whole = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in (*parts, "")]
    return pc.binary_join_element_wise(*whole, null_handling=null_handling)


def _frame_cell(type_: pa.DataType, moment_style: int) -> tuple[str, str]:
    """What stands between a cell's place and its value, and behind that."""
    if type_ == TEXT:
        return '" t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
    return f'" s="{moment_style}"><v>' if type_ == MOMENT else '"><v>', "</v></c>"


def _escape_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type == TEXT:
        return change_texts(column, _escape)
    if column.type == MOMENT:
        days = pc.divide(column.cast(pa.int64()).cast(pa.float64()), MICROSECONDS_PER_DAY)
        return pc.add(days, DAYS_BEFORE_1970).cast(TEXT)
    return column.cast(TEXT)


def _escape(value: str) -> str | None:
    text = fit_cell(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Excel reads _x0041_ as a character: its underscore is written as one.
    return text.replace("_x", "_x005F_x").replace("\r", "_x000D_") or None

"""Text that strangers wrote: titles, customers, LinkedIn's messages. Shown, never obeyed."""

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

CELL_LIMIT = 32_767
"""Characters in a cell of Excel, counted as Excel counts them: in UTF-16."""
PLAIN_LIMIT = CELL_LIMIT // 2
"""Characters that fit a cell whatever they are."""

# Marks that reorder what stands around them (a file named "exe.fdp" backwards), and control characters but tab and line ends.
UNSEEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# The last four are the full-width signs, which some spreadsheets take for the plain ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
SUSPECT_STARTS = {*FORMULA_STARTS, " "}
PLAIN = "^[0-9A-Za-z][ !-%'-;=?-^`-~]*$"
"""Most of what comes: text that stands as it is in cells of every kind of file, if it is short enough. (ASCII without &, <, > and _.)"""


def clean_text(text: str | None) -> str:
    """`text` without characters that cannot be seen but change how the rest is read."""
    # What can be printed holds none of them, and is most of what comes.
    return UNSEEN.sub("", text) if text and not text.isprintable() else text or ""


def shorten(text: str | None, limit: int) -> str:
    """Clean `text` in one line, cut to at most `limit` characters."""
    # Only the beginning is looked at: a message can be long.
    line = " ".join(clean_text((text or "")[: limit * 4 + 200]).split())
    is_cut = len(line) > limit or len(text or "") > limit * 4 + 200
    return line[: limit - 1].rstrip() + "…" if is_cut else line


def fit_cell(text: str | None) -> str:
    """Clean `text`, cut to what a cell of Excel holds."""
    if text and len(text) <= PLAIN_LIMIT and text.isprintable():
        return text
    cleaned = clean_text(text)
    units = cleaned.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return cleaned
    # A surrogate pair that is cut through is dropped whole.
    return units[: 2 * (CELL_LIMIT - 1)].decode("utf-16-le", errors="ignore") + "…"


def disarm_formula(text: str | None) -> str:
    """`text` as a cell that no spreadsheet takes for a formula when it opens a CSV file."""
    if text and text.isprintable() and text[0] not in SUSPECT_STARTS and len(text) <= PLAIN_LIMIT:
        return text
    cleaned = clean_text(text)
    return fit_cell("'" + cleaned if cleaned.lstrip(" ").startswith(FORMULA_STARTS) else cleaned)


def change_texts(column: pa.ChunkedArray, change: Callable[[str], str | None]) -> pa.ChunkedArray:
    """`column` with each text as `change` returns it, which leaves short `PLAIN` ones as they are; what is missing stays so."""
    is_plain = pc.and_(pc.match_substring_regex(column, PLAIN), pc.less_equal(pc.binary_length(column), PLAIN_LIMIT))
    if pc.all(is_plain).as_py() is not False:
        return column
    # A text that recurs is changed once.
    encoded = column.combine_chunks().dictionary_encode()
    changed = pa.array([change(text) for text in encoded.dictionary.to_pylist()], column.type)
    return pa.chunked_array([changed.take(encoded.indices)])

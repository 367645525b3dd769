"""Numbers, ages and moments in words, and text from outside made safe for page, mail and cells of spreadsheets."""

import datetime as dt
import re

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

MAX_CELL_UNITS = 32_767
"""Characters in a cell of Excel, counted as Excel counts them: in UTF-16."""

# Marks that reorder what stands around them (a file named "exe.fdp" backwards), and control characters but tab and line ends.
INVISIBLE = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# The last four are the full-width signs, which some spreadsheets take for the plain ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def describe_count(count: int, one: str, many: str = "") -> str:
    """Such as 1 job, 1,234 jobs."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def describe_age(age: dt.timedelta) -> str:
    """Such as 12 min, 47 h, 3 days, to the nearest: hours up to two days, so that nearly two are not called one."""
    seconds = age.total_seconds()
    if seconds < 60:
        return "under 1 min"
    if seconds < 3_600:
        return f"{int(seconds // 60)} min"
    hours = int(seconds / 3_600 + 0.5)
    return f"{hours} h" if hours < 48 else describe_count(int(seconds / 86_400 + 0.5), "day")


def describe_seconds(seconds: float) -> str:
    """A setting in words, such as 1 h, 90 min, 2 days."""
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            whole = int(seconds // size)
            return describe_count(whole, unit) if unit == "day" else f"{whole:,} {unit}"
    return f"{seconds:g} s"


def describe_date(date: dt.date) -> str:
    """Such as Saturday 21 November 2026. English names whatever the machine's language."""
    return f"{WEEKDAYS[date.weekday()]} {date.day} {LONG_MONTHS[date.month - 1]} {date.year}"


def to_zone(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """`moment` in `zone`; at the edges of the calendar, where there is no such time, as it is."""
    try:
        local = moment.astimezone(zone)
        # Those of pandas know no edge; strftime does.
        return local if dt.MINYEAR <= local.year <= dt.MAXYEAR else moment
    except (OverflowError, ValueError):
        return moment


def describe_moment(moment: dt.datetime, zone: dt.tzinfo, *, with_date: bool = True, with_year: bool = False) -> str:
    """Such as 21 Nov 22:54, in `zone`."""
    local = to_zone(moment, zone)
    clock = f"{local:%H:%M}"
    if not with_date:
        return clock
    year = f" {local.year}" if with_year else ""
    return f"{local.day} {MONTHS[local.month - 1]}{year} {clock}"


def clean_text(text: str | None) -> str:
    """`text` without characters that cannot be seen but change how the rest is read."""
    # What can be printed holds none of them, and is most of what comes.
    return INVISIBLE.sub("", text) if text and not text.isprintable() else text or ""


def shorten(text: str | None, limit: int) -> str:
    """Clean `text` in one line, cut to at most `limit` characters."""
    # Only the beginning is read: a message can be long.
    line = " ".join(clean_text((text or "")[: limit * 4 + 200]).split())
    is_cut = len(line) > limit or len(text or "") > limit * 4 + 200
    return line[: limit - 1].rstrip() + "…" if is_cut else line


def fit_cell(text: str | None) -> str:
    """Clean `text`, cut to what a cell of Excel holds."""
    cleaned = clean_text(text)
    # Half as many characters fit whatever they are.
    if len(cleaned) <= MAX_CELL_UNITS // 2:
        return cleaned
    units = cleaned.encode("utf-16-le")
    if len(units) <= 2 * MAX_CELL_UNITS:
        return cleaned
    # A surrogate pair that is cut through is dropped whole.
    return units[: 2 * (MAX_CELL_UNITS - 1)].decode("utf-16-le", errors="ignore") + "…"


def disarm_formula(text: str | None) -> str:
    """`text` as a cell that no spreadsheet takes for a formula when it opens a CSV file: with an apostrophe before it."""
    cleaned = clean_text(text)
    return fit_cell("'" + cleaned if cleaned.lstrip(" ").startswith(FORMULA_STARTS) else cleaned)

"""Plain words for numbers, ages and moments. English month names whatever the machine speaks."""

import datetime as dt

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def describe_count(count: int, one: str, many: str = "") -> str:
    """Such as 1 job, 1,234 jobs."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def describe_age(age: dt.timedelta) -> str:
    """Such as 12 min, 5 h, 3 days: the biggest unit, rounded down."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    return describe_count(minutes // (24 * 60), "day")


def describe_seconds(seconds: float) -> str:
    """A setting in words, such as 1 h, 90 min, 2 days."""
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            whole = int(seconds // size)
            return describe_count(whole, unit) if unit == "day" else f"{whole:,} {unit}"
    return f"{seconds:g} s"


def describe_date(date: dt.date) -> str:
    """Such as Saturday 21 November 2026."""
    return f"{WEEKDAYS[date.weekday()]} {date.day} {LONG_MONTHS[date.month - 1]} {date.year}"


def describe_moment(moment: dt.datetime, zone: dt.tzinfo, *, with_date: bool = True, with_year: bool = False) -> str:
    """Such as 21 Nov 22:54, in `zone`."""
    local = moment.astimezone(zone)
    clock = f"{local:%H:%M}"
    if not with_date:
        return clock
    year = f" {local.year}" if with_year else ""
    return f"{local.day} {MONTHS[local.month - 1]}{year} {clock}"


def join_words(parts: list[str]) -> str:
    """Such as a, a and b, a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)

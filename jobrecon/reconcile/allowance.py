"""The share of a tick: how many of the day's calls one run may take. Pure arithmetic."""

import math
from datetime import datetime

DAY_SECONDS = 86_400


def seconds_until_reset(now: datetime) -> float:
    """Seconds until 00:00 UTC, when LinkedIn counts anew."""
    return DAY_SECONDS - (now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6)


def allow_calls(calls_left: int, call_limit: int, now: datetime, tick_seconds: float, reserve: float = 0.05) -> int:
    """Calls that a run at `now` may take of what the day has left.

    What is left, less a reserve for what cannot wait, is spread evenly over the ticks until 00:00 UTC; the reserve melts away
    towards the day's end, so nothing is wasted. A run that comes late, twice or not at all changes what is left, and with it
    what the next ones take. At least one call while there is any.
    """
    if calls_left <= 0:
        return 0
    seconds_left = seconds_until_reset(now)
    spendable = calls_left - reserve * call_limit * seconds_left / DAY_SECONDS
    ticks_left = max(1, math.ceil(seconds_left / tick_seconds))
    return max(1, min(calls_left, math.ceil(spendable / ticks_left)))

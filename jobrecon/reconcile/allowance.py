"""The allowance of a tick: how many of the day's calls a run started every `tick_seconds` may use. Pure arithmetic."""

import math
from datetime import datetime

DAY_SECONDS = 86_400


def seconds_until_reset(now: datetime) -> float:
    """Seconds until 00:00 UTC, when LinkedIn resets its limits."""
    return DAY_SECONDS - (now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6)


def count_allowed_calls(calls_left: int, call_limit: int, now: datetime, tick_seconds: float, reserve_fraction: float) -> int:
    """Calls that a run at `now` may use of those left today.

    The calls left, less a reserve for urgent tasks (a fraction of the limit), are spread evenly over the ticks until 00:00 UTC; the
    reserve shrinks to nothing towards the end of the day. A run that is late, doubled or missing changes the calls left, and with them the next
    allowances. At least one call while there is any.
    """
    if calls_left <= 0:
        return 0
    seconds_left = seconds_until_reset(now)
    spendable = calls_left - reserve_fraction * call_limit * seconds_left / DAY_SECONDS
    ticks_left = max(1, math.ceil(seconds_left / tick_seconds))
    return max(1, min(calls_left, math.ceil(spendable / ticks_left)))

"""The table of `jobrecon budget`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jobrecon.cli.console import print_table, sparkline

COLUMNS = {
    "application_urn": "application",
    "customer": "customer",
    "resource": "resource",
    "call_limit": "limit",
    "calls_used": "used",
    "calls_left": "left",
    "exhausted_at": "exhausted at",
    "throttled_until": "throttled until",
}


def print_budget(rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """What `describe_budget` gives, a line for each application and resource."""
    print_table(
        f"Calls on {now.date()} (UTC; resets at 00:00 UTC)",
        [*COLUMNS.values(), "by hour, from 00 to 23 UTC"],
        [[*("" if row[name] is None else row[name] for name in COLUMNS), sparkline(row["calls_by_hour"])] for row in rows],
    )

"""What changed on LinkedIn in a day: jobs taken down and back, LinkedIn Apply and promotion on and off, and by whom."""

from typing import Any

import pandas as pd

from jobrecon.reports.formatting import shorten
from jobrecon.warehouse import Warehouse

CHANGES: dict[tuple[str, str], str] = {
    ("LISTING", "NOT_LISTED"): "Taken off LinkedIn",
    ("LISTING", "LISTED"): "Put on LinkedIn",
    ("APPLY", "NOT_ENABLED"): "LinkedIn Apply off",
    ("APPLY", "ENABLED"): "LinkedIn Apply on",
    ("PROMOTION", "NOT_PROMOTED"): "No longer promoted",
    ("PROMOTION", "PROMOTED"): "Promoted",
}
"""In the order in which they are reported."""

CLOSERS = {
    "MEMBER_REPORTED": "by LinkedIn, after members reported it",
    "CUSTOMER_EXCLUDED": "by LinkedIn, for a rule of the customer",
    "UNKNOWN_TO_LINKEDIN": "unknown: LinkedIn no longer knows the job",
    "closed by original poster": "by the person who posted it on LinkedIn",
}
"""Who took a job down, by what LinkedIn's message holds."""


def read_changes(warehouse: Warehouse, **bounds: Any) -> pd.DataFrame:
    """The day's changes, with `change` and `cause` in plain words."""
    changes = warehouse.frame("reports/select_posting_changes", **bounds)
    columns = [changes[name] for name in ("facet", "to_status", "message", "is_requested", "is_run_out")]
    return changes.assign(
        change=[CHANGES[facet, status] for facet, status in zip(changes["facet"], changes["to_status"], strict=True)],
        cause=[_find_cause(*row) for row in zip(*columns, strict=True)],
    )


def count_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """How often each change happened to each customer: a row per customer, a column per change that there is."""
    counts = changes.assign(customer=changes["customer"].fillna("")).groupby(["customer", "change"]).size().unstack("change", fill_value=0)
    return counts[[change for change in CHANGES.values() if change in counts.columns]]


def _find_cause(facet: str, to_status: str, message: str | None, is_requested: bool, is_run_out: bool) -> str:
    """By whom or why, as far as that is known."""
    text = message if isinstance(message, str) else ""
    if (facet, to_status) == ("APPLY", "NOT_ENABLED"):
        return f"candidates apply on the customer’s own site{f' ({shorten(text, 300)})' if text else ''}"
    if (facet, to_status) != ("LISTING", "NOT_LISTED"):
        return shorten(text, 300)
    if closer := next((closer for words, closer in CLOSERS.items() if words.casefold() in text.casefold()), None):
        return closer
    if is_requested:
        return "by your system, which requested CLOSE"
    if is_run_out:
        return "by LinkedIn: the job’s time had run out"
    return f"by LinkedIn: {shorten(text, 300)}" if text else "by LinkedIn, which gives no reason"

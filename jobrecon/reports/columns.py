"""The columns of a finding, told once for the workbook and the CSV file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import pyarrow as pa

from jobrecon.reports.facts import ReportedFinding
from jobrecon.reports.glossary import OWNERS, SEVERITIES, describe_ending, name_trouble

# Messages may be long, and a column of the smaller type ends at 2 GB.
TEXT = pa.large_string()
NUMBER = pa.float64()
MOMENT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class Column:
    """`name`: as in the table, for programs; `heading`: for people; `width` in characters."""

    name: str
    heading: str
    width: int
    read: Callable[[ReportedFinding], Any] | None = None
    """None: the finding's own value of that name."""
    type: pa.DataType = TEXT


COLUMNS: tuple[Column, ...] = (
    Column("severity", "Severity", 10, lambda finding: SEVERITIES.get(finding.severity, finding.severity)),
    Column("trouble", "What is wrong", 20, name_trouble),
    Column("customer", "Customer", 22),
    Column("account_manager", "Account manager", 20),
    Column("title", "Job", 36),
    Column("external_job_posting_id", "Job id", 20),
    Column("location", "Location", 18),
    Column("reason", "What happened", 60),
    Column("next_action", "What to do", 60),
    Column("owner", "Who acts", 10, lambda finding: OWNERS.get(finding.owner, finding.owner)),
    Column("since", "Wrong since (UTC)", 18, type=MOMENT),
    Column("age_hours", "For hours", 10, lambda finding: round(finding.age.total_seconds() / 3600, 1), NUMBER),
    Column("is_new", "New that day", 12, lambda finding: "yes" if finding.is_new else "no"),
    Column("job_posting_url", "On LinkedIn", 42),
    Column("message", "LinkedIn's own text", 60),
    Column("code", "Code", 18),
    Column("kind", "Kind", 16),
    Column("facet", "Facet", 10),
    Column("opened_at", "First seen (UTC)", 18, type=MOMENT),
    Column("application_urn", "Application", 34),
    Column("task_urn", "Task", 34),
    Column("finding_id", "Finding", 34),
)

ENDING_COLUMNS: tuple[Column, ...] = (
    Column("resolved_at", "Ended (UTC)", 18, type=MOMENT),
    Column("ending", "How it ended", 40, describe_ending),
)
"""What a resolved finding has besides."""


def tabulate(findings: Sequence[ReportedFinding], columns: Sequence[Column] = COLUMNS) -> pa.Table:
    """The cells of `findings`: a column for each of `columns`, a row for each finding."""
    cells = [pa.array(map(column.read or attrgetter(column.name), findings), column.type) for column in columns]
    return pa.table(cells, names=[column.name for column in columns])

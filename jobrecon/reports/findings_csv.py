"""`findings.csv`: all open findings, for programs and for Excel; and the columns that the workbook has too."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jobrecon.reports.formatting import disarm_formula
from jobrecon.reports.glossary import EVIDENCES, LIVE, OWNERS, SEVERITIES


class Column(NamedTuple):
    """`name`: in the file, for programs; `heading`: for people; `width` in characters."""

    name: str
    heading: str
    width: int


COLUMNS = (
    Column("severity", "Severity", 10),
    Column("trouble", "What is wrong", 20),
    Column("customer", "Customer", 22),
    Column("account_manager", "Account manager", 20),
    Column("title", "Job", 36),
    Column("external_job_posting_id", "Job id", 20),
    Column("location", "Location", 18),
    Column("reason", "What happened", 60),
    Column("next_action", "What to do", 60),
    Column("owner", "Who acts", 10),
    Column("since", "Wrong since (UTC)", 18),
    Column("age_hours", "For hours", 10),
    Column("is_new", "New that day", 12),
    Column("job_posting_url", "On LinkedIn", 42),
    Column("message", "LinkedIn's own text", 60),
    Column("code", "Code", 18),
    Column("kind", "Kind", 16),
    Column("facet", "Facet", 10),
    Column("opened_at", "First seen (UTC)", 18),
    Column("application_urn", "Application", 34),
    Column("task_urn", "Task", 34),
    Column("finding_id", "Finding", 34),
    Column("remedy", "To LinkedIn", 28),
    Column("is_live", "LinkedIn says", 16),
    Column("evidence", "How we know", 32),
)


def tabulate(findings: pd.DataFrame) -> pd.DataFrame:
    """The cells of `findings`: what `COLUMNS` name, after everything else that they have."""
    return findings.assign(
        severity=findings["severity"].map(SEVERITIES).fillna(findings["severity"]),
        trouble=findings["issue"],
        owner=findings["owner"].map(OWNERS).fillna(findings["owner"]),
        age_hours=(findings["age"].dt.total_seconds() / 3600).round(1),
        is_live=findings["is_live"].map(LIVE),
        evidence=findings["evidence"].map(EVIDENCES),
        is_new=findings["is_new"].map({True: "yes", False: "no"}),
    )


def write_findings_csv(findings: pd.DataFrame, path: Path) -> None:
    """Write all of `findings` to `path`."""
    write_csv(tabulate(findings)[[column.name for column in COLUMNS]], path)


def write_csv(cells: pd.DataFrame, path: Path) -> None:
    """Write `cells` to `path`: UTF-8 with a byte order mark, moments in ISO 8601 with offset, to the second.

    A cell that a spreadsheet would take for a formula starts with an apostrophe.
    """
    texts = cells.select_dtypes(exclude=["number", "datetimetz"])
    safe = cells.assign(**{str(name): column.map(disarm_formula, na_action="ignore") for name, column in texts.items()})
    safe.to_csv(path, index=False, encoding="utf-8-sig", date_format="%Y-%m-%dT%H:%M:%S+00:00", lineterminator="\n")

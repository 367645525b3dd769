"""The error catalog: what LinkedIn's messages mean and what to do, in plain words; versioned with the code."""

import csv
from datetime import timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa

from jobrecon.warehouse.connection import Warehouse, stage
from models.finding_kind import FINDING_KINDS
from models.finding_terms import Later

FOLDER = Path(__file__).parent


@cache
def read_catalog() -> tuple[dict[str, str | int | None], ...]:
    """Known messages, in the order of trying: the first that matches counts."""
    with (FOLDER / "error_catalog.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            {
                **row,
                "code": row["code"] or None,
                "harmless": row["harmless"] == "true",
                "after_days": int(row["after_days"]),
                "position": position,
            }
            for position, row in enumerate(csv.DictReader(file), start=1)
        )


@cache
def stage_kinds() -> dict[str, pa.Table]:
    """The definition of every kind of finding and its endings, as `staged_kinds` and `staged_endings`."""
    endings = [
        {"kind": entry.kind, "facet": entry.facet, "position": position, **ending._asdict()}
        for entry in FINDING_KINDS
        for position, ending in enumerate(entry.endings)
    ]
    words = [
        {
            "kind": entry.kind,
            "facet": entry.facet,
            "after_seconds": later.after.total_seconds(),
            "severity": later.severity or entry.severity,
            "owner": later.owner or entry.owner,
            "reason": entry.reason,
            "next_action": later.next_action or entry.next_action,
            "remedy": later.remedy or entry.remedy,
            "evidence": entry.evidence,
            "else_resolution": entry.else_resolution,
        }
        for entry in FINDING_KINDS
        for later in (Later(timedelta()), *entry.later)
    ]
    return stage("staged_kinds", words) | stage("staged_endings", endings)


def load_catalog(warehouse: Warehouse) -> None:
    """Bring the table `error_catalog` up to this version's; nothing is written where it says the same."""
    known = warehouse.read("findings/select_error_catalog")
    if tuple(known) != read_catalog():
        with warehouse.transaction():
            warehouse.run("findings/delete_error_catalog")
            warehouse.run("findings/insert_error_catalog", stage("staged_catalog", read_catalog()))

"""Verification: the derived tables and the open findings, derived again from nothing and compared with what stands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobrecon.errors import WarehouseError
from jobrecon.ingest.notifications import define_status_fields
from jobrecon.ingest.tasks import discard_changes
from jobrecon.reconcile.findings import derive_findings, derive_postings, explain_findings, merge_findings, write_postings
from jobrecon.reconcile.touched import Examination, create_next_looks, is_derived_by
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, open_warehouse
from models import RunState

STANDING = (
    "verify/create_standing_notifications",
    "verify/create_standing_resync_requests",
    "verify/create_wrong_rows",
    "verify/create_difference",
)
"""What stands before it is derived anew, and how it is compared."""
RECEIVED = {
    "notifications": "verify/select_notifications_differences",
    "resync_requests": "verify/select_resync_requests_differences",
}
"""What is derived from deliveries."""
EXAMINED = {
    "job_postings": "verify/select_job_postings_differences",
    "findings": "verify/select_findings_differences",
    "look_again": "verify/select_look_again_differences",
}
"""What is derived of each job, slice by slice."""
NAMED_ROWS = 20
"""How many wrong rows of a table are named."""


@dataclass
class Verification:
    """Which rows agree with what they are derived from, and which do not."""

    as_of: datetime
    """Of the last finished run."""
    row_counts: dict[str, int]
    differences: dict[str, list[str]]
    """A line per wrong row, by table; no table where all rows agree."""
    unseen: dict[str, list[str]] = field(default_factory=dict)
    """`unseen_applications` and `unseen_facets` of the last run: of them a finding may be open that no longer holds."""
    is_repaired: bool = False

    @property
    def sentence(self) -> str:
        """What agrees, or how many rows do not."""
        left_out = "; findings of what the last run could not read stay open"
        suffix = f", as of {self.as_of.isoformat()}{left_out if any(self.unseen.values()) else ''}."
        if self.differences:
            counts = ", ".join(f"{len(lines):,} of {table}" for table, lines in self.differences.items())
            return f"{'Repaired' if self.is_repaired else 'Wrong'} rows: {counts}{suffix}"
        return "All rows agree: " + ", ".join(f"{count:,} {table}" for table, count in self.row_counts.items()) + suffix

    @property
    def lines(self) -> list[str]:
        """The wrong rows by name, at most `NAMED_ROWS` of a table."""
        lines = []
        for table, wrong in self.differences.items():
            lines += [f"{table}: {line}" for line in wrong[:NAMED_ROWS]]
            if len(wrong) > NAMED_ROWS:
                lines.append(f"{table}: {len(wrong) - NAMED_ROWS:,} more")
        return lines


def verify(settings: Settings, *, is_repaired: bool = False) -> Verification:
    """Verify the warehouse of the shard; with `is_repaired`, wrong rows are replaced in one transaction and published.

    Raises `WarehouseError` where the last run did not finish.
    """
    is_sharded, settings = settings.load_shard().is_sharded, settings.for_shard()
    with open_warehouse(settings) as warehouse:
        run = read_finished_run(warehouse)
        if run is None:
            raise WarehouseError(
                "The last run did not finish, there was none, or settings or rules changed since: what stands cannot be compared. Nothing was "
                "changed. Run `jobrecon run`, then verify again."
            )
        result = compare(warehouse, run)
        if result.differences and is_repaired:
            with warehouse.transaction():
                _derive_notifications(warehouse)
                warehouse.run("verify/delete_repeated_episodes")
                for examination in _examine(warehouse, run, result.unseen, is_written=True):
                    merge_findings(warehouse, run["as_of"], **result.unseen)
                    warehouse.run("verify/delete_examined_looks")
                    examination.settle(settings)
                warehouse.tag_snapshot(run["run_id"])
            result.is_repaired = True
            if not (settings.is_lake and is_sharded):
                warehouse.publish()
    return result


def read_finished_run(warehouse: Warehouse) -> dict[str, Any] | None:
    """The last run; null where it failed, and where the rules are others since: only the next run derives by them."""
    if not is_derived_by(warehouse, warehouse.settings):
        return None
    runs = warehouse.read("runs/select_last_run")
    return runs[0] if runs and runs[0]["state"] in (RunState.COMPLETED, RunState.INCOMPLETE) else None


def compare(warehouse: Warehouse, run: dict[str, Any]) -> Verification:
    """Derive everything as of `run`, the last one, and compare; all is undone. Jobs that were touched since are left to the next run."""
    unseen: dict[str, Any] = {
        "unseen_applications": (run["failed_applications"] or "").splitlines(),
        "unseen_facets": (run["unseen_facets"] or "").splitlines(),
    }
    counts = warehouse.read("verify/select_row_counts")[0]
    differences: dict[str, list[str]] = {}
    with discard_changes(warehouse):
        for name in STANDING:
            warehouse.run(name)
        _derive_notifications(warehouse)
        for table, comparison in RECEIVED.items():
            _add(differences, table, warehouse.run(comparison))
        for _ in _examine(warehouse, run, unseen):
            create_next_looks(warehouse, warehouse.settings, run["as_of"])
            for table, comparison in EXAMINED.items():
                _add(differences, table, warehouse.run(comparison, **(unseen if table == "findings" else {})))
    return Verification(run["as_of"], counts, {table: sorted(lines) for table, lines in differences.items()}, unseen)


def _add(differences: dict[str, list[str]], table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        differences.setdefault(table, []).extend(f"{row} {difference}" for row, difference in rows)


def _derive_notifications(warehouse: Warehouse) -> None:
    """Derive what is received from all deliveries."""
    warehouse.run("verify/create_all_delivered_jobs")
    warehouse.run("notifications/delete_delivered_notifications")
    warehouse.run("notifications/delete_delivered_resync_requests")
    define_status_fields(warehouse)
    warehouse.run("notifications/insert_notifications")
    warehouse.run("notifications/insert_resync_requests")


def _examine(warehouse: Warehouse, run: dict[str, Any], unseen: dict[str, list[str]], *, is_written: bool = False) -> Iterator[Examination]:
    """Derive all jobs from nothing, within a transaction of the caller's; of each slice `current_postings` and `explained_findings`."""
    settings, as_of = warehouse.settings, run["as_of"]
    examination = Examination(warehouse, settings, as_of, is_everything=True)
    examination.touch_heard(is_open=True)
    warehouse.run("notifications/create_silences", as_of=as_of, is_inbox_seen="WEBHOOK" not in unseen["unseen_facets"])
    for _ in examination.slices():
        derive_postings(warehouse, as_of)
        if is_written:
            warehouse.run("verify/delete_examined_postings")
            write_postings(warehouse)
        derive_findings(warehouse, settings, as_of)
        explain_findings(warehouse, as_of)
        yield examination

"""Findings of a run: what is wrong as of it, and the episodes that open, go on and end."""

import math
from collections.abc import Collection
from datetime import datetime

from jobrecon.reconcile.catalog import stage_kinds
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.statements import list_findings

SLICE_TASKS = 1_000_000
"""`job_postings` is updated in slices of about so many tasks, so that memory does not grow with their number. With smaller slices
DuckDB would rewrite half of the inserted rows at the next checkpoint, to fill up its row groups."""


def derive_findings(warehouse: Warehouse, settings: Settings, as_of: datetime, *, is_inbox_seen: bool) -> None:
    """Compare the expected with the reported state of each job: what is wrong is in the temporary table `current_findings`.

    `job_postings` is brought up to date on the way. Idempotent.
    """
    # Results of polling and checks are read with less memory once they are checkpointed.
    warehouse.checkpoint()
    derive_in_transaction(warehouse, settings, as_of, is_inbox_seen=is_inbox_seen)


def derive_in_transaction(warehouse: Warehouse, settings: Settings, as_of: datetime, *, is_inbox_seen: bool) -> None:
    """`derive_findings` within a transaction, where nothing can be checkpointed."""
    warehouse.run("tasks/create_latest_tasks", as_of=as_of)
    warehouse.run("postings/create_statements", as_of=as_of)
    warehouse.run("postings/create_latest_facets")
    warehouse.run("postings/create_latest_expiries")
    warehouse.run("notifications/create_silences", as_of=as_of, is_inbox_seen=is_inbox_seen)
    derive_postings(warehouse, as_of)
    warehouse.run("findings/create_current_findings")
    warehouse.run("findings/create_matched_messages", as_of=as_of)
    for name in list_findings():
        warehouse.collect_findings(
            name,
            as_of=as_of,
            stuck_after=settings.stuck_after,
            unconfirmed_after=settings.unconfirmed_after,
            lifespan_seconds=settings.task_lifespan_days * 86_400,
            expiring_within=settings.expiring_within,
        )


def derive_postings(warehouse: Warehouse, as_of: datetime, slice_tasks: int = SLICE_TASKS) -> int:
    """Update `job_postings` in slices, to bound memory. Returns how many rows are new or changed; the others are not written."""
    slices = max(1, math.ceil(warehouse.count("tasks/select_task_count") / slice_tasks))
    warehouse.run("postings/create_postings_at")
    name = "postings/merge_job_postings" if warehouse.count("postings/select_posting_count") else "postings/insert_job_postings"
    return sum(warehouse.count(name, as_of=as_of, slices=slices, slice=number) for number in range(slices))


def merge_findings(
    warehouse: Warehouse, as_of: datetime, unseen_applications: Collection[str], unseen_facets: Collection[str]
) -> tuple[int, int]:
    """Resolve, update and open findings as `derive_findings` left them; returns how many were resolved and opened.

    No finding about an application or a facet that could not be read is resolved.
    """
    explain_findings(warehouse, as_of)
    with warehouse.transaction():
        return merge_explained(warehouse, as_of, unseen_applications, unseen_facets)


def explain_findings(warehouse: Warehouse, as_of: datetime) -> None:
    """What each current finding means and who has to act: the temporary table `explained_findings`."""
    warehouse.run("findings/create_explained_findings", stage_kinds(), as_of=as_of)


def merge_explained(
    warehouse: Warehouse, as_of: datetime, unseen_applications: Collection[str], unseen_facets: Collection[str]
) -> tuple[int, int]:
    """`merge_findings` within a transaction of the caller's, as `explain_findings` left them."""
    unseen = {"unseen_applications": sorted(unseen_applications), "unseen_facets": sorted(unseen_facets)}
    resolved = warehouse.change("findings/update_resolved_findings", stage_kinds(), as_of=as_of, **unseen)
    warehouse.run("findings/update_seen_findings", as_of=as_of)
    opened = warehouse.change("findings/insert_opened_findings", as_of=as_of)
    return resolved, opened

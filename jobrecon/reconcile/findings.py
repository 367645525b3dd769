"""Findings of a run: what is wrong with the examined jobs as of it, and the episodes that open, go on and end."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from jobrecon.reconcile.catalog import stage_kinds
from jobrecon.reconcile.touched import SLICE_JOBS, Examination
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.statements import list_findings


class SliceResult(NamedTuple):
    """What was done to the jobs of one slice, committed."""

    jobs: int
    resolved: int
    opened: int


def find_suspicious(
    warehouse: Warehouse, settings: Settings, as_of: datetime, unseen_facets: Collection[str] = (), slice_jobs: int = SLICE_JOBS
) -> Examination:
    """Find which jobs make this run check: the temporary table `suspicious_jobs`. `job_postings` is up to date then. Idempotent.

    Where nothing is written of any job afterwards, `update_findings` may go on from the examination that is returned.
    """
    examination = _begin(warehouse, settings, as_of, unseen_facets, slice_jobs)
    warehouse.run("checks/create_checkable_kinds")
    warehouse.run("checks/create_suspicious_jobs")
    for _ in examination.slices():
        derive_postings(warehouse, as_of)
        with warehouse.transaction():
            write_postings(warehouse)
        derive_findings(warehouse, settings, as_of)
        warehouse.run("checks/insert_suspicious_jobs", lifespan_seconds=settings.task_lifespan_days * 86_400)
    return examination


def update_findings(
    warehouse: Warehouse,
    settings: Settings,
    as_of: datetime,
    unseen_applications: Collection[str] = (),
    unseen_facets: Collection[str] = (),
    slice_jobs: int = SLICE_JOBS,
    derived: Examination | None = None,
) -> Iterator[SliceResult]:
    """Resolve, update and open the findings of jobs that were touched or are due, slice by slice; each is committed when it is yielded.

    No finding about an application or a facet that could not be read is resolved. What `find_suspicious` has `derived` of a single
    slice is not derived again.
    """
    is_derived = derived is not None and derived.slice_count == 1
    if derived and is_derived:
        examination, slices = derived, iter([derived.job_count])
    else:
        examination = _begin(warehouse, settings, as_of, unseen_facets, slice_jobs)
        slices = examination.slices()
    for jobs in slices:
        if not is_derived:
            derive_postings(warehouse, as_of)
        with warehouse.transaction():
            if not is_derived:
                write_postings(warehouse)
                derive_findings(warehouse, settings, as_of)
            explain_findings(warehouse, as_of)
            resolved, opened = merge_findings(warehouse, as_of, unseen_applications, unseen_facets)
            examination.settle(settings)
            if examination.is_last:
                warehouse.run("findings/update_unexamined_findings", as_of=as_of)
        yield SliceResult(jobs, resolved, opened)


def _begin(warehouse: Warehouse, settings: Settings, as_of: datetime, unseen_facets: Collection[str], slice_jobs: int) -> Examination:
    # Results of polling and checks are read with less memory once they are checkpointed.
    warehouse.checkpoint()
    examination = Examination(warehouse, settings, as_of, slice_jobs=slice_jobs)
    examination.touch_heard()
    warehouse.run("notifications/create_silences", as_of=as_of, is_inbox_seen="WEBHOOK" not in unseen_facets)
    return examination


def derive_postings(warehouse: Warehouse, as_of: datetime) -> None:
    """What the examined jobs should be on LinkedIn and what it says they are: the temporary table `current_postings`."""
    warehouse.run("tasks/create_examined_tasks", as_of=as_of)
    warehouse.run("postings/create_statements", as_of=as_of)
    warehouse.run("postings/create_latest_facets")
    warehouse.run("postings/create_latest_listings")
    warehouse.run("postings/create_latest_expiries")
    warehouse.run("postings/create_current_postings", as_of=as_of)


def write_postings(warehouse: Warehouse) -> int:
    """Write `current_postings` into `job_postings`; returns how many rows are new or changed. The others are not written."""
    warehouse.run("postings/delete_changed_postings")
    return warehouse.change("postings/insert_changed_postings")


def derive_findings(warehouse: Warehouse, settings: Settings, as_of: datetime) -> None:
    """Compare the expected with the reported state of each examined job: what is wrong is in the temporary table `current_findings`."""
    warehouse.run("tasks/create_latest_tasks")
    warehouse.run("findings/create_current_findings")
    warehouse.run("findings/create_matched_messages")
    for name in list_findings():
        warehouse.collect_findings(
            name,
            as_of=as_of,
            stuck_after=settings.stuck_after,
            unconfirmed_after=settings.unconfirmed_after,
            lifespan_seconds=settings.task_lifespan_days * 86_400,
            expiring_within=settings.expiring_within,
        )


def explain_findings(warehouse: Warehouse, as_of: datetime) -> None:
    """What each current finding means and who has to act: the temporary table `explained_findings`."""
    warehouse.run("findings/create_explained_findings", stage_kinds(), as_of=as_of)


def merge_findings(
    warehouse: Warehouse, as_of: datetime, unseen_applications: Collection[str], unseen_facets: Collection[str]
) -> tuple[int, int]:
    """Resolve, update and open findings of the examined jobs as `explain_findings` left them; returns how many were resolved and opened."""
    unseen = {"unseen_applications": sorted(unseen_applications), "unseen_facets": sorted(unseen_facets)}
    resolved = warehouse.change("findings/update_resolved_findings", stage_kinds(), as_of=as_of, **unseen)
    warehouse.run("findings/update_seen_findings", as_of=as_of)
    opened = warehouse.change("findings/insert_opened_findings", as_of=as_of)
    return resolved, opened

"""Which jobs a run examines: those that were touched and those that are due to be looked at again, or all where the rules changed."""

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from jobrecon.reconcile.catalog import read_catalog, stage_kinds
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage
from jobrecon.warehouse.statements import load_statements

SLICE_JOBS = 1_000_000
"""Jobs examined at once, so that memory does not grow with their number. Each slice reads the tables again: smaller ones take longer."""
RULES = ("findings/", "postings/", "touched/", "tasks/create_examined_tasks", "tasks/create_latest_tasks")
"""Statements that decide what is derived of a job."""


def describe_rules(settings: Settings) -> str:
    """A fingerprint of everything but the data that decides what is found: SQL, kinds of findings, error catalog, settings."""
    rules = {
        "statements": {name: text for name, text in load_statements().items() if name.startswith(RULES)},
        "kinds": {name: table.to_pylist() for name, table in stage_kinds().items()},
        "catalog": read_catalog(),
        "settings": [settings.stuck_after, settings.unconfirmed_after, settings.task_lifespan_days, settings.expiring_within],
    }
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def is_derived_by(warehouse: Warehouse, settings: Settings) -> bool:
    """Whether all that is derived was derived by today's rules."""
    return warehouse.run("touched/select_rules") == [(describe_rules(settings),)]


class Examination:
    """The jobs of one stage, as the temporary table `examined_jobs`, slice by slice.

    Where the rules are other than those by which the findings that stand were derived, and with `is_everything`, these are all jobs;
    from its first slice on no rules count as known, so that a run that is killed in between begins anew.
    """

    def __init__(
        self, warehouse: Warehouse, settings: Settings, as_of: datetime, *, is_everything: bool = False, slice_jobs: int = SLICE_JOBS
    ) -> None:
        self.warehouse = warehouse
        self.as_of = as_of
        self.slice_jobs = slice_jobs
        self.rules = describe_rules(settings)
        self.is_everything = is_everything or not is_derived_by(warehouse, settings)
        if self.is_everything:
            warehouse.run("touched/delete_rules")
        self.slice_count = 0
        self.job_count = 0
        """Of the slice that `examined_jobs` holds."""
        self.is_last = False

    def touch_heard(self, *, is_open: bool = False) -> None:
        """Touch the jobs of applications of which LinkedIn says something for the first time."""
        self.warehouse.run("touched/create_heard_applications", as_of=self.as_of)
        with nullcontext() if is_open else self.warehouse.transaction():
            self.warehouse.touch("touched/insert_heard_jobs")
            self.warehouse.run("runs/insert_heard_applications", as_of=self.as_of)

    def slices(self) -> Iterator[int]:
        """Fill `examined_jobs` with each slice in turn; yields how many jobs are in it. The last one has what is about no single job."""
        values: dict[str, Any] = {}
        if self.is_everything:
            name, count = "touched/create_examined_slice", self.warehouse.count("touched/select_job_count")
        else:
            values["as_of"] = self.as_of
            name, count = "touched/create_examined_jobs", self.warehouse.count("touched/select_wanted_count", as_of=self.as_of)
        self.slice_count = max(1, math.ceil(count / self.slice_jobs))
        for number in range(self.slice_count):
            self.warehouse.run(name, slices=self.slice_count, slice=number, **values)
            self.job_count = self.warehouse.count("touched/select_examined_count")
            self.is_last = number == self.slice_count - 1
            if self.is_last:
                self.warehouse.run("findings/insert_jobless_keys")
            yield self.job_count

    def settle(self, settings: Settings) -> None:
        """Within the transaction that merges findings: the examined jobs are no longer touched, but for findings that could not be seen."""
        self.warehouse.run("touched/delete_examined_jobs")
        self.warehouse.run("touched/insert_unseen_jobs")
        create_next_looks(self.warehouse, settings, self.as_of)
        self.warehouse.run("touched/delete_changed_looks")
        self.warehouse.run("touched/insert_look_again")
        if self.is_last and self.is_everything:
            self.warehouse.run("runs/merge_warehouse_info", stage("staged_info", [{"name": "rules", "value": self.rules}]))


def create_next_looks(warehouse: Warehouse, settings: Settings, as_of: datetime) -> None:
    """When each examined job is to be looked at again: the temporary table `next_looks`."""
    warehouse.run(
        "touched/create_next_looks",
        stage_kinds(),
        as_of=as_of,
        stuck_after=settings.stuck_after,
        unconfirmed_after=settings.unconfirmed_after,
        expiring_within=settings.expiring_within,
    )

"""The plan of a tick: which due tasks are polled when calls are scarce, and the best delay any order could reach."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobrecon.reconcile.hazard import (
    BIN_COUNT,
    BIN_EDGES,
    CELL_COUNT,
    CELL_EDGES,
    CELLS_PER_BIN,
    OPEN_END,
    YOUNGEST_SECONDS,
    Estimate,
    Interval,
    estimate_hazard,
    prior_hazard,
)
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage

ESTIMATE_EVERY = timedelta(hours=1)
CELL_LOG = math.log(CELL_EDGES[2] / CELL_EDGES[1])
MIN_SETTLED = 200
"""Settled tasks from which on an application has a hazard of its own."""


@dataclass(frozen=True)
class Plan:
    """One application's tick."""

    task_urns: list[str]
    due_count: int
    """Pending tasks past their first check: those of this tick and those it leaves."""
    root_sum: float
    rate_sum: float
    """Sums over the due tasks of the square root of w * h, and of w * h, for the bound."""

    def bound_seconds(self, polls_per_second: float) -> float | None:
        """D*, the least mean delay of any polling order at this rate (docs/polling.md)."""
        if not self.rate_sum or not polls_per_second:
            return None
        return self.root_sum**2 / (2 * polls_per_second * self.rate_sum)


class Planner:
    """Plans ticks as of a given time, from the tasks and notifications in the warehouse."""

    def __init__(self, warehouse: Warehouse, settings: Settings, as_of: datetime, job: str | None = None) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.as_of = as_of
        self.job = job

    def estimate_hazards(self) -> None:
        """Estimate the hazards again, at most once an hour, for each application and for all together."""
        known = self.warehouse.read("polling/select_hazards", application_urn="")
        if known and known[0]["learned_at"] > self.as_of - ESTIMATE_EVERY:
            return
        rows = self.warehouse.run(
            "polling/select_hazard_intervals",
            as_of=self.as_of,
            youngest_seconds=YOUNGEST_SECONDS,
            cell_log=CELL_LOG,
            last_cell=CELL_COUNT - 1,
        )
        intervals: dict[str, list[Interval]] = {"": []}
        for urn, after, until, count in rows:
            interval = Interval(after, OPEN_END if until is None else until, count)
            intervals[""].append(interval)
            intervals.setdefault(urn, []).append(interval)
        overall = estimate_hazard(intervals[""])
        estimates = self._list_rows("", overall)
        for urn, own in intervals.items():
            if urn and sum(interval.task_count for interval in own if interval.until != OPEN_END) >= MIN_SETTLED:
                estimates += self._list_rows(urn, estimate_hazard(own, prior=overall.hazard))
        with self.warehouse.transaction():
            self.warehouse.run("polling/delete_hazards")
            self.warehouse.run("polling/insert_hazards", stage("staged_estimates", estimates))

    def plan(self, application_urn: str, id_limit: int) -> Plan:
        """At most `id_limit` due tasks of an application, in the order of select_due_tasks, and the sums of all its due tasks."""
        staged = stage("staged_hazards", self._read_hazards(application_urn)) | stage(
            "staged_weights", [{"operation": name, "weight": weight} for name, weight in self.settings.weights.items()]
        )
        values: dict[str, Any] = {
            "as_of": self.as_of,
            "application_urn": application_urn,
            "job": self.job,
            "first_check_after": self.settings.first_check_after,
            "youngest_seconds": YOUNGEST_SECONDS,
            "cell_log": CELL_LOG,
            "cells_per_bin": CELLS_PER_BIN,
            "last_bin": BIN_COUNT - 1,
            "lifespan_seconds": self.settings.task_lifespan_days * 86_400,
            "id_limit": id_limit,
        }
        due_count, root_sum, rate_sum, urgency, score = self.warehouse.run("polling/select_delay_bound", staged, **values)[0]
        urns: list[str] = []
        if due_count and id_limit:
            limits = {"min_urgency": urgency, "min_score": score}
            urns = self.warehouse.column("polling/select_due_tasks", staged, **values, **limits)
        return Plan(urns, due_count, root_sum, rate_sum)

    def _read_hazards(self, application_urn: str) -> list[dict[str, Any]]:
        hazards = dict(enumerate(prior_hazard().tolist()))
        # Those of all applications first, the application's own replace them.
        for row in self.warehouse.read("polling/select_hazards", application_urn=application_urn):
            hazards[row["bin"]] = row["hazard_per_second"]
        return [{"bin": number, "hazard_per_second": hazard} for number, hazard in hazards.items()]

    def _list_rows(self, application_urn: str, estimate: Estimate) -> list[dict[str, Any]]:
        return [
            {
                "application_urn": application_urn,
                "bin": number,
                "age_from_seconds": float(BIN_EDGES[number]),
                "age_to_seconds": float(BIN_EDGES[number + 1]),
                "hazard_per_second": float(estimate.hazard[number]),
                "exposure_seconds": float(estimate.exposure[number]),
                "settled_count": float(estimate.settled[number]),
                "learned_at": self.as_of,
            }
            for number in range(BIN_COUNT)
        ]

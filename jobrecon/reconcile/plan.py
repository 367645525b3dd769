"""What to ask next, when calls are scarce: which tasks, in what order, and how good any order could be."""

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
    Floats,
    Interval,
    learn_hazard,
    prior_hazard,
)
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage

LEARN_EVERY = timedelta(hours=1)
CELL_LOG = math.log(CELL_EDGES[2] / CELL_EDGES[1])
LEAST_SETTLED = 200
"""Settled tasks from which on an application has an h of its own."""


@dataclass(frozen=True)
class Plan:
    """One application's tick."""

    task_urns: list[str]
    due_count: int
    """Pending tasks past their first check: those of this tick and those it leaves."""
    root_sum: float
    rate_sum: float
    """Sums over the due tasks of the square root of w * h, and of w * h, for the bound."""

    def bound_seconds(self, looks_per_second: float) -> float | None:
        """D*, the least mean delay that any order of looking could give at this rate (docs/polling.md)."""
        if not self.rate_sum or not looks_per_second:
            return None
        return self.root_sum**2 / (2 * looks_per_second * self.rate_sum)


class Planner:
    """Plans ticks as of a moment, from what the warehouse holds."""

    def __init__(self, warehouse: Warehouse, settings: Settings, as_of: datetime, job: str | None = None) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.as_of = as_of
        self.job = job

    def learn(self) -> None:
        """Learn anew how soon tasks settle, at most once an hour, for each application and for all together."""
        known = self.warehouse.read("polling/select_hazards", application_urn="")
        if known and known[0]["learned_at"] > self.as_of - LEARN_EVERY:
            return
        rows = self.warehouse.run(
            "polling/select_settling_intervals",
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
        whole, *_ = whole_learned = learn_hazard(intervals[""])
        learned = _describe_learned("", *whole_learned)
        for urn, own in intervals.items():
            if urn and sum(interval.task_count for interval in own if interval.until != OPEN_END) >= LEAST_SETTLED:
                learned += _describe_learned(urn, *learn_hazard(own, believed=whole))
        with self.warehouse.transaction():
            self.warehouse.run("polling/delete_hazards")
            self.warehouse.run("polling/insert_hazards", stage("staged_learned", learned), as_of=self.as_of)

    def plan(self, application_urn: str, id_limit: int) -> Plan:
        """At most `id_limit` tasks of an application, the most telling first, and what its due tasks add up to."""
        staged = stage("staged_hazards", self._read_hazards(application_urn)) | stage(
            "staged_weights", [{"operation": name, "weight": weight} for name, weight in self.settings.weights.items()]
        )
        asked: dict[str, Any] = {
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
        due_count, root_sum, rate_sum, urgency, score = self.warehouse.run("polling/select_delay_bound", staged, **asked)[0]
        urns: list[str] = []
        if due_count and id_limit:
            urns = self.warehouse.columns("polling/select_due_tasks", staged, **asked, least_urgency=urgency, least_score=score)["task_urn"]
        return Plan(urns, due_count, root_sum, rate_sum)

    def _read_hazards(self, application_urn: str) -> list[dict[str, Any]]:
        hazards = dict(enumerate(prior_hazard().tolist()))
        # The whole first, the application's own over it.
        for row in self.warehouse.read("polling/select_hazards", application_urn=application_urn):
            hazards[row["bin"]] = row["hazard_per_second"]
        return [{"bin": number, "hazard_per_second": hazard} for number, hazard in hazards.items()]


def _describe_learned(application_urn: str, hazard: Floats, exposure: Floats, settled: Floats) -> list[dict[str, Any]]:
    return [
        {
            "application_urn": application_urn,
            "bin": number,
            "age_from_seconds": float(BIN_EDGES[number]),
            "age_to_seconds": float(BIN_EDGES[number + 1]),
            "hazard_per_second": float(hazard[number]),
            "exposure_seconds": float(exposure[number]),
            "settled_count": float(settled[number]),
        }
        for number in range(BIN_COUNT)
    ]

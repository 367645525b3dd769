"""Orders of polling, side by side: ours as it is shipped, and those that others use."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.polling_world import Floats, Numbers, World, hazard_per_bin
from jobrecon.reconcile.hazard import BIN_COUNT, BIN_EDGES
from jobrecon.reconcile.plan import Planner
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.schema import STAGED, apply_schema

APPLICATION = "urn:li:developerApplication:1001"
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
IMPORT_SECONDS = 3_600.0
"""Tasks come into the warehouse an hour ahead: not yet requested, they are not due."""
FIRST_WAIT = 5.0
"""Seconds that exponential backoff waits at first."""

IMPORT = """
insert into job_tasks by name
select
    task_urn,
    $application_urn::varchar as application_urn,
    task_urn as external_job_posting_id,
    'CREATE' as operation,
    $midnight::timestamptz + to_microseconds((requested * 1000000)::bigint) as requested_at,
    $midnight::timestamptz as imported_at,
    'PENDING' as state,
    0 as poll_count,
    0 as not_found_count
from staged_tasks
"""

Flags = npt.NDArray[np.bool_]


class Policy(Protocol):
    """Chooses what is looked at next and gets what came of it; of settling it knows only that."""

    def choose(self, now: float, limit: int) -> Numbers:
        """At most `limit` tasks, by number."""

    def tell(self, now: float, tasks: Numbers, is_settled: Flags) -> None:
        """What the look at `tasks` found."""


class ByScore:
    """The common part of the plain orders: those pending with the highest score first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pending: Numbers = np.empty(0, dtype=np.int64)
        self.arrived = 0
        self.last_look = world.requested.copy()

    def score(self, now: float) -> Floats:
        """One number per pending task; minus infinity: not now."""
        raise NotImplementedError

    def choose(self, now: float, limit: int) -> Numbers:
        arrived = int(np.searchsorted(self.world.requested, now, side="right"))
        self.pending = np.concatenate([self.pending, np.arange(self.arrived, arrived)])
        self.arrived = arrived
        score = self.score(now)
        places = np.argpartition(-score, limit - 1)[:limit] if limit < len(score) else np.arange(len(score))
        return np.asarray(self.pending[places[np.isfinite(score[places])]])

    def tell(self, now: float, tasks: Numbers, is_settled: Flags) -> None:
        self.last_look[tasks] = now
        self.pending = np.setdiff1d(self.pending, tasks[is_settled], assume_unique=True)


class RoundRobin(ByScore):
    """The longest unseen first."""

    def score(self, now: float) -> Floats:
        return now - self.last_look[self.pending]


class OldestFirst(ByScore):
    """The oldest request first, as `order by requested_at limit …` has it."""

    def score(self, now: float) -> Floats:
        return now - self.world.requested[self.pending]


class Backoff(ByScore):
    """Each wait twice as long as the one before, the longest overdue first."""

    def __init__(self, world: World, longest_wait: float) -> None:
        super().__init__(world)
        self.longest_wait = longest_wait
        self.wait = np.full(len(world.requested), FIRST_WAIT)

    def score(self, now: float) -> Floats:
        overdue = now - self.last_look[self.pending] - self.wait[self.pending]
        return np.where(overdue >= 0, overdue, -np.inf)

    def tell(self, now: float, tasks: Numbers, is_settled: Flags) -> None:
        super().tell(now, tasks, is_settled)
        self.wait[tasks] = np.minimum(2 * self.wait[tasks], self.longest_wait)


class Ours:
    """The shipped planner over a real warehouse; responses come in by the statement that merges LinkedIn's."""

    def __init__(self, world: World, *, knows_hazard: bool) -> None:
        self.world = world
        self.knows_hazard = knows_hazard
        self.settings = Settings(_env_file=None, home=Path("unused"), first_check_after=0, weights={"CREATE": 1})
        self.warehouse = Warehouse(connect(), self.settings)
        # Two hundred rows a statement: a second thread would only wait.
        self.warehouse.connection.execute("set threads = 1")
        apply_schema(self.warehouse.connection)
        self.urns = np.array([f"urn:li:simpleJobPostingTask:{number:036d}" for number in range(len(world.requested))])
        self.imported = 0
        self.learned_at = -np.inf
        if knows_hazard:
            self._stage_truth()

    def choose(self, now: float, limit: int) -> Numbers:
        self._import(now)
        planner = Planner(self.warehouse, self.settings, _moment(now))
        # Asked at each run, it learns at most once an hour: what is left out are questions whether the hour is over.
        if not self.knows_hazard and now >= self.learned_at + 3_600:
            planner.estimate_hazards()
            self.learned_at = now
        urns = planner.plan(APPLICATION, limit).task_urns
        return np.array([int(urn[-36:]) for urn in urns], dtype=np.int64)

    def tell(self, now: float, tasks: Numbers, is_settled: Flags) -> None:
        count = len(tasks)
        empty = [None] * count
        table = pa.table(
            {
                "task_urn": self.urns[tasks],
                "application_urn": [APPLICATION] * count,
                "outcome": ["RECEIVED"] * count,
                "status": np.where(is_settled, "SUCCEEDED", "IN_PROGRESS"),
                "error_message": empty,
                "job_posting_urn": empty,
                "external_job_posting_id": empty,
                "location": empty,
                "batch": [0] * count,
                "is_requested": [True] * count,
            },
            schema=STAGED["staged_results"],
        )
        self.warehouse.run("tasks/update_task_results", {"staged_results": table}, as_of=_moment(now))

    def _import(self, now: float) -> None:
        if self.imported < len(self.world.requested) and self.world.requested[self.imported] <= now:
            until = int(np.searchsorted(self.world.requested, now + IMPORT_SECONDS))
            part = slice(self.imported, until)
            connection = self.warehouse.connection
            connection.register("staged_tasks", pa.table({"task_urn": self.urns[part], "requested": self.world.requested[part]}))
            connection.execute(IMPORT, {"application_urn": APPLICATION, "midnight": MIDNIGHT})
            connection.unregister("staged_tasks")
            self.imported = until

    def _stage_truth(self) -> None:
        truth = [
            {
                "application_urn": "",
                "bin": number,
                "age_from_seconds": float(BIN_EDGES[number]),
                "age_to_seconds": float(BIN_EDGES[number + 1]),
                "hazard_per_second": float(value),
                "exposure_seconds": 0.0,
                "settled_count": 0.0,
                "learned_at": MIDNIGHT,
            }
            for number, value in enumerate(np.maximum(hazard_per_bin()[:BIN_COUNT], 1e-15))
        ]
        self.warehouse.run("polling/insert_hazards", stage("staged_estimates", truth))


def _moment(now: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=now)

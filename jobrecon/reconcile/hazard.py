"""The hazard of settling, estimated from polls that only say *not yet* and then *done*. Pure computation, no I/O.

A task settles somewhere between the last poll that found it unsettled and the first that found it settled: its settling time is
interval-censored. The hazard h(age), the chance per second that a task of this age settles now, is constant in each of 40
logarithmic age bins and fitted by expectation-maximisation (Turnbull 1976, for grouped data): distribute each settled task over
the ages it may have settled at, in proportion to the current h; then h = settled ÷ exposure, in each bin.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BIN_COUNT = 40
CELLS_PER_BIN = 3
CELL_COUNT = BIN_COUNT * CELLS_PER_BIN
YOUNGEST_SECONDS = 10.0
OLDEST_SECONDS = 30 * 86_400.0
PRIOR_COUNT = 5.0
"""Weight of the prior in each bin, in settled tasks."""
ITERATIONS = 25
OPEN_END = CELL_COUNT
"""The upper cell of a task that had not settled when it was last polled."""

CELL_EDGES: Floats = np.concatenate([[0.0], np.geomspace(YOUNGEST_SECONDS, OLDEST_SECONDS, CELL_COUNT)])
"""Ages between which the cells lie; three cells make a bin."""
CELL_WIDTHS: Floats = np.diff(CELL_EDGES)
BIN_EDGES: Floats = CELL_EDGES[::CELLS_PER_BIN]


class Interval(NamedTuple):
    """So many tasks were last polled unsettled in the cell `after` and first polled settled in the cell `until`."""

    after: int
    until: int
    task_count: int


class Estimate(NamedTuple):
    """The hazard per second, the exposure in seconds and the settled tasks, each per bin."""

    hazard: Floats
    exposure: Floats
    settled: Floats


def prior_hazard() -> Floats:
    """The hazard assumed without data: h(age) = 1 / (age + 60 s), at the middle of each bin."""
    middles = np.sqrt(np.maximum(BIN_EDGES[:-1], 1.0) * BIN_EDGES[1:])
    return np.asarray(1.0 / (middles + 60.0))


def estimate_hazard(intervals: Sequence[Interval], prior: Floats | None = None) -> Estimate:
    """Estimate the hazard from intervals, shrunk towards `prior` (default: `prior_hazard`).

    `intervals` count tasks by cells; `until` is `OPEN_END` for tasks not settled yet.
    """
    prior = prior_hazard() if prior is None else prior
    after, until, count = (np.array(column, dtype=np.int64) for column in (zip(*intervals, strict=True) if intervals else ((), (), ())))
    cells = np.arange(CELL_COUNT)
    # A poll falls inside its cell: the task was observed through half of it.
    is_settled = until < OPEN_END
    is_possible = (cells >= after[:, None]) & (cells <= np.maximum(until, after)[:, None]) & is_settled[:, None]
    observed_before = (cells < after[:, None]) * 1.0 + (cells == after[:, None]) * (~is_settled)[:, None] * 0.5
    hazard = prior.copy()
    settled, exposure = np.zeros(BIN_COUNT), np.zeros(BIN_COUNT)
    for _ in range(ITERATIONS if intervals else 0):
        per_cell = np.repeat(hazard, CELLS_PER_BIN) * CELL_WIDTHS
        survival = np.exp(-np.concatenate([[0.0], np.cumsum(per_cell)]))
        chance = np.maximum(survival[:-1] - survival[1:], 1e-300) * is_possible
        total = chance.sum(axis=1, keepdims=True)
        chance = np.divide(chance, total, out=np.zeros_like(chance), where=total > 0)
        still_unsettled = np.cumsum(chance[:, ::-1], axis=1)[:, ::-1] - chance / 2
        observed = observed_before + still_unsettled * is_possible
        settled = _sum_to_bins(count @ chance)
        exposure = _sum_to_bins((count @ observed) * CELL_WIDTHS)
        hazard = (settled + PRIOR_COUNT) / (exposure + PRIOR_COUNT / prior)
    return Estimate(hazard, exposure, settled)


def _sum_to_bins(values: Floats) -> Floats:
    return np.asarray(values.reshape(BIN_COUNT, CELLS_PER_BIN).sum(axis=1))

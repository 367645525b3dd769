"""The made world of the polling simulation: when tasks come, when they settle, and what is therefore the least delay.

All is known here: the chance h(age) that a task settles now follows from how settling times are drawn.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobrecon.reconcile.hazard import BIN_EDGES, OLDEST_SECONDS

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

DAY = 86_400.0
TASKS_PER_DAY = 200_000
CALLS_PER_DAY = 30_000
IDS_PER_CALL = 59
SPREAD = 0.8
KINDS = ((0.85, 90.0), (0.13, 7_200.0))
"""(share, median seconds) of the tasks that settle, log-normally with `SPREAD`; the others never do."""
SEED = 20_261_120

_AGES: Floats = np.concatenate([[0.0], np.geomspace(0.1, OLDEST_SECONDS, 20_000)])


class World(NamedTuple):
    """Tasks by number, in order of arrival; seconds since the day's start, infinite for what never settles."""

    requested: Floats
    settled: Floats


def make_world() -> World:
    """A day's tasks, arriving evenly."""
    chance = np.random.default_rng(SEED)
    requested = (np.arange(TASKS_PER_DAY) + 0.5) * DAY / TASKS_PER_DAY
    kind = chance.random(TASKS_PER_DAY)
    factor = np.exp(SPREAD * chance.standard_normal(TASKS_PER_DAY))
    lasts = np.full(TASKS_PER_DAY, np.inf)
    begin = 0.0
    for share, median in KINDS:
        chosen = (kind >= begin) & (kind < begin + share)
        lasts[chosen] = median * factor[chosen]
        begin += share
    return World(requested, requested + lasts)


def hazard(ages: Floats) -> Floats:
    """The true h: the chance per second that an unsettled task of this age settles now."""
    return np.interp(ages, _AGES, _HAZARD)


def hazard_per_bin() -> Floats:
    """The true h of each age bin of ours: tasks that settle in it, divided by the time that tasks spend in it."""
    watched = np.concatenate([[0.0], np.cumsum(np.diff(_AGES) * (_STILL_THERE[1:] + _STILL_THERE[:-1]) / 2)])
    settled = -np.diff(np.interp(BIN_EDGES, _AGES, _STILL_THERE))
    return np.asarray(settled / np.diff(np.interp(BIN_EDGES, _AGES, watched)))


def _rate_of_settling(ages: Floats) -> Floats:
    later = np.maximum(ages, 1e-9)
    return np.asarray(
        sum(
            share * np.exp(-((np.log(later / median) / SPREAD) ** 2) / 2) / (later * SPREAD * np.sqrt(2 * np.pi)) for share, median in KINDS
        )
    )


_FINE: Floats = np.concatenate([[0.0], np.geomspace(0.1, OLDEST_SECONDS, 400_000)])
_FINE_RATE = _rate_of_settling(_FINE)
_STILL_THERE: Floats = 1 - np.interp(
    _AGES, _FINE, np.concatenate([[0.0], np.cumsum(np.diff(_FINE) * (_FINE_RATE[1:] + _FINE_RATE[:-1]) / 2)])
)
"""The chance of not having settled by each age."""
_HAZARD: Floats = _rate_of_settling(_AGES) / _STILL_THERE

"""Estimating the hazard: known distributions are recovered from polls, also from none at all."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrecon.reconcile.hazard import (
    BIN_COUNT,
    BIN_EDGES,
    CELL_COUNT,
    CELL_EDGES,
    CELL_WIDTHS,
    OPEN_END,
    YOUNGEST_SECONDS,
    Floats,
    Interval,
    estimate_hazard,
    prior_hazard,
)
from jobrecon.reconcile.plan import CELL_LOG, Planner
from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, NOW, TICK, Row, task
from tests.findings.rows import given as given_rows

CELLS = st.integers(0, CELL_COUNT - 1)
INTERVALS = st.lists(
    st.builds(
        lambda after, until, count: Interval(after, max(after, until), count), CELLS, CELLS | st.just(OPEN_END), st.integers(0, 10**9)
    ),
    max_size=60,
)
DAY = 86_400.0


def place(ages: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The cells that ages lie in, as numpy finds them."""
    return np.minimum(np.searchsorted(CELL_EDGES, ages, side="right") - 1, CELL_COUNT - 1)


def observe(settles_at: Floats, draw_polls: Callable[[], Floats]) -> list[Interval]:
    """The intervals that polls leave of known settling times; each task has polls of its own."""
    cells: Counter[tuple[int, int]] = Counter()
    for moment in settles_at:
        ages = draw_polls()
        later = np.searchsorted(ages, moment)
        after = ages[later - 1] if later else 0.0
        until = int(place(ages[later])) if later < len(ages) else OPEN_END
        cells[int(place(after)), until] += 1
    return [Interval(after, until, count) for (after, until), count in cells.items()]


def poll_at(random: np.random.Generator, gap: float, last: float = DAY) -> Callable[[], Floats]:
    """Polls from the first check on, each later than the one before by about `gap` of its age."""

    def draw_polls() -> Floats:
        steps = np.cumprod(1 + gap * random.uniform(0.3, 1.7, size=200))
        ages = 300 * random.uniform(0.2, 1.2) * steps
        return np.asarray(ages[ages < last], dtype=np.float64)

    return draw_polls


def survive(hazard: Floats, ages: Floats) -> Floats:
    """The part of the tasks not settled at these ages, by a hazard per bin."""
    per_cell = np.repeat(hazard, CELL_COUNT // BIN_COUNT) * CELL_WIDTHS
    survival = np.exp(-np.concatenate([[0.0], np.cumsum(per_cell)]))
    return np.asarray(np.interp(ages, CELL_EDGES, survival), dtype=np.float64)


@pytest.mark.parametrize("mean_seconds", [600.0, 7200.0])
def test_an_exponential_distribution_is_recovered(mean_seconds: float) -> None:
    random = np.random.default_rng(1)
    hazard, exposure, settled = estimate_hazard(observe(random.exponential(mean_seconds, 8000), poll_at(random, 0.3)))
    # A bin alone says little where few tasks settled or none was polled: all before the first poll is one interval.
    is_precise = (settled > 200) & (BIN_EDGES[:-1] > 300)
    assert is_precise.sum() >= 5
    assert np.abs(hazard[is_precise] * mean_seconds - 1).max() < 0.3
    assert abs(settled[is_precise].sum() / exposure[is_precise].sum() * mean_seconds - 1) < 0.05
    assert abs(settled.sum() - 8000) < 80


def test_a_distribution_of_two_phases_is_recovered() -> None:
    """Most settle around ten minutes, some around two hours, a few never."""
    random = np.random.default_rng(2)
    kinds = random.choice(3, 20_000, p=[0.7, 0.25, 0.05])
    settles_at = np.where(
        kinds == 0,
        random.lognormal(np.log(600), 0.5, 20_000),
        np.where(kinds == 1, random.lognormal(np.log(7200), 0.4, 20_000), np.inf),
    )
    hazard, _, _ = estimate_hazard(observe(settles_at, poll_at(random, 0.3)))
    ages = np.array([300.0, 600.0, 1200.0, 3600.0, 7200.0, 14_400.0, 40_000.0])
    truth = np.array([(settles_at > age).mean() for age in ages])
    assert np.abs(survive(hazard, ages) - truth).max() < 0.02
    first, between, second, tail = (hazard[np.searchsorted(BIN_EDGES, age) - 1] for age in (700.0, 2700.0, 7200.0, 60_000.0))
    assert first > 5 * between, "the lull between the phases is lost"
    assert second > 2 * between
    assert tail < second / 20


def test_sparse_polls_recover_the_same_distribution_less_precisely() -> None:
    random = np.random.default_rng(3)
    settles_at = random.exponential(3600.0, 8000)
    for gap in (0.2, 1.5):
        hazard, _, _ = estimate_hazard(observe(settles_at, poll_at(random, gap)))
        ages = np.array([1800.0, 3600.0, 7200.0])
        assert np.abs(survive(hazard, ages) - np.exp(-ages / 3600)).max() < 0.03, gap


def test_without_polls_the_estimate_is_the_prior() -> None:
    hazard, exposure, settled = estimate_hazard([])
    assert np.array_equal(hazard, prior_hazard())
    assert not exposure.any()
    assert not settled.any()


@given(INTERVALS, st.none() | st.just(np.full(BIN_COUNT, 1e-3)))
def test_any_intervals_give_a_finite_positive_hazard(intervals: list[Interval], prior: Floats | None) -> None:
    hazard, exposure, settled = estimate_hazard(intervals, prior)
    assert hazard.shape == exposure.shape == settled.shape == (BIN_COUNT,)
    assert np.isfinite(hazard).all()
    assert (hazard > 0).all()
    assert (exposure >= 0).all()
    assert (settled >= 0).all()
    assert np.isclose(settled.sum(), sum(interval.task_count for interval in intervals if interval.until != OPEN_END))


@given(INTERVALS)
def test_bins_without_exposure_keep_the_prior(intervals: list[Interval]) -> None:
    hazard, exposure, _ = estimate_hazard(intervals)
    assert np.allclose(hazard[exposure == 0], prior_hazard()[exposure == 0])


def test_few_tasks_move_the_prior_little_and_many_much() -> None:
    prior = prior_hazard()
    place_of = int(place(np.array(3600.0)))
    moved = [abs(estimate_hazard([Interval(place_of, place_of, count)])[0] / prior - 1).max() for count in (1, 100, 10_000)]
    assert moved[0] < 0.3
    assert moved == sorted(moved)
    assert moved[2] > 3


def draw_ages(random: np.random.Generator, count: int, edges: Floats) -> list[int]:
    """Ages in microseconds: random ones, the edges between cells, and what lies a microsecond beside them."""
    near = np.concatenate([np.floor(edges * 1e6) + step for step in (-1, 0, 1, 2)])
    drawn = np.exp(random.uniform(np.log(1e-3), np.log(13.9 * DAY), count)) * 1e6
    ages = np.concatenate([near, drawn, [0, 1, 999_999, 10_000_000]])
    return sorted({int(age) for age in ages if 0 <= age < 13.99 * DAY * 1e6})


def read_intervals(warehouse: Warehouse) -> Counter[tuple[str, int, int | None]]:
    rows = warehouse.run(
        "polling/select_hazard_intervals", as_of=NOW, youngest_seconds=YOUNGEST_SECONDS, cell_log=CELL_LOG, last_cell=CELL_COUNT - 1
    )
    return Counter({(urn, after, until): count for urn, after, until, count in rows})


def observed(number: int, after: int | None, until: int | None) -> Row:
    """A task requested 13.99 days ago, last seen unsettled and first seen settled at these ages in microseconds."""
    requested_at = NOW - timedelta(days=13.99)
    pending_at = None if after is None else requested_at + timedelta(microseconds=after)
    settled_at = None if until is None else requested_at + timedelta(microseconds=until)
    return task(
        status="IN_PROGRESS" if until is None else "SUCCEEDED",
        requested_at=requested_at,
        task_urn=f"task-{number}",
        last_pending_at=pending_at,
        status_changed_at=settled_at or pending_at,
    )


def test_sql_and_numpy_find_the_same_cells(warehouse: Warehouse) -> None:
    random = np.random.default_rng(4)
    ages = draw_ages(random, 1500, CELL_EDGES)
    pairs = [(after, until) for after, until in zip(ages, random.permutation(ages).tolist(), strict=True) if after <= until]
    polls: list[tuple[int | None, int | None]] = [*pairs, *((None, age) for age in ages), *((age, None) for age in ages)]
    given_rows(warehouse, [observed(number, *pair) for number, pair in enumerate(polls)])
    expected = Counter(
        (
            ACME,
            0 if after is None else int(place(np.array(after / 1e6))),
            None if until is None else int(place(np.array(until / 1e6))),
        )
        for after, until in polls
    )
    assert read_intervals(warehouse) == expected


NOT_OBSERVED = [
    task(status="SUCCEEDED", requested_at=NOW - timedelta(days=14)),
    task(status="IN_PROGRESS", requested_at=NOW - timedelta(days=1)) | {"last_pending_at": None},
    task(status=None, requested_at=NOW - timedelta(days=1)),
    task(status="SUCCEEDED", requested_at=NOW - timedelta(days=1)) | {"first_polled_at": None},
]


@pytest.mark.parametrize("row", NOT_OBSERVED, ids=["too-old", "never-pending", "never-polled", "settled-before-import"])
def test_tasks_that_were_not_observed_do_not_count(warehouse: Warehouse, row: Row) -> None:
    given_rows(warehouse, [row])
    assert read_intervals(warehouse) == {}


def test_a_hazard_is_estimated_for_all_and_for_each_application_with_enough_tasks(warehouse: Warehouse) -> None:
    minute = 60_000_000
    rows = [observed(number, 5 * minute, 10 * minute) for number in range(200)]
    rows += [observed(200 + number, 200 * minute, 300 * minute) | {"application_urn": "few"} for number in range(199)]
    given_rows(warehouse, rows)
    planner = Planner(warehouse, warehouse.settings, NOW)
    planner.estimate_hazards()
    settled = {
        row[0]: row[1]
        for row in warehouse.connection.execute("select application_urn, sum(settled_count) from settling_hazard group by all").fetchall()
    }
    assert {urn: round(count) for urn, count in settled.items()} == {"": 399, ACME: 200}
    own = {row["bin"]: row["hazard_per_second"] for row in planner._read_hazards(ACME)}
    others = {row["bin"]: row["hazard_per_second"] for row in planner._read_hazards("few")}
    early, late = (int(place(np.array(age))) // 3 for age in (450.0, 15_000.0))
    assert own[early] > 1.5 * others[early], "an application with enough settled tasks has its own"
    assert others[late] > 2 * prior_hazard()[late], "one with too few has that of all"


def test_hazards_are_estimated_once_an_hour(warehouse: Warehouse) -> None:
    def learned_at() -> object:
        return warehouse.connection.execute("select distinct learned_at from settling_hazard").fetchall()

    for later, expected in ((timedelta(0), 0), (timedelta(hours=1) - TICK, 0), (timedelta(hours=1), 1)):
        Planner(warehouse, warehouse.settings, NOW + later).estimate_hazards()
        assert learned_at() == [(NOW + timedelta(hours=expected),)]

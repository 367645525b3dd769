"""Learning how soon tasks settle: known laws are found again from looks, and nothing at all is no trouble."""

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
    learn_hazard,
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


def place(ages: Floats) -> npt.NDArray[np.int64]:
    """The cells that ages lie in, as numpy finds them."""
    return np.minimum(np.searchsorted(CELL_EDGES, ages, side="right") - 1, CELL_COUNT - 1)


def look(settles_at: Floats, looks: Callable[[], Floats]) -> list[Interval]:
    """What looks at tasks show of the moments they settle at; each task has looks of its own, the last ends its watching."""
    cells: Counter[tuple[int, int]] = Counter()
    for moment in settles_at:
        ages = looks()
        later = np.searchsorted(ages, moment)
        after = ages[later - 1] if later else 0.0
        until = int(place(ages[later])) if later < len(ages) else OPEN_END
        cells[int(place(after)), until] += 1
    return [Interval(after, until, count) for (after, until), count in cells.items()]


def watch(random: np.random.Generator, gap: float, last: float = DAY) -> Callable[[], Floats]:
    """Looks from the first check on, each later than the one before by about `gap` of its age."""

    def looks() -> Floats:
        steps = np.cumprod(1 + gap * random.uniform(0.3, 1.7, size=200))
        ages = 300 * random.uniform(0.2, 1.2) * steps
        return ages[ages < last]

    return looks


def survive(hazard: Floats, ages: Floats) -> Floats:
    """The part of the tasks not settled at these ages, by a hazard per bin."""
    per_cell = np.repeat(hazard, CELL_COUNT // BIN_COUNT) * CELL_WIDTHS
    return np.interp(ages, CELL_EDGES, np.exp(-np.concatenate([[0.0], np.cumsum(per_cell)])))


@pytest.mark.parametrize("mean_seconds", [600.0, 7200.0])
def test_an_exponential_law_is_found_again(mean_seconds: float) -> None:
    random = np.random.default_rng(1)
    hazard, exposure, settled = learn_hazard(look(random.exponential(mean_seconds, 8000), watch(random, 0.3)))
    # A bin alone says little where few tasks settled, or none was looked at: all before the first look is one interval.
    told = (settled > 200) & (BIN_EDGES[:-1] > 300)
    assert told.sum() >= 5
    assert np.abs(hazard[told] * mean_seconds - 1).max() < 0.3
    assert abs(settled[told].sum() / exposure[told].sum() * mean_seconds - 1) < 0.05
    assert abs(settled.sum() - 8000) < 80


def test_a_law_of_two_phases_is_found_again() -> None:
    """Most settle around ten minutes, some around two hours, a few never."""
    random = np.random.default_rng(2)
    kinds = random.choice(3, 20_000, p=[0.7, 0.25, 0.05])
    settles_at = np.where(
        kinds == 0,
        random.lognormal(np.log(600), 0.5, 20_000),
        np.where(kinds == 1, random.lognormal(np.log(7200), 0.4, 20_000), np.inf),
    )
    hazard, _, _ = learn_hazard(look(settles_at, watch(random, 0.3)))
    ages = np.array([300.0, 600.0, 1200.0, 3600.0, 7200.0, 14_400.0, 40_000.0])
    truth = np.array([(settles_at > age).mean() for age in ages])
    assert np.abs(survive(hazard, ages) - truth).max() < 0.02
    first, between, second, tail = (hazard[np.searchsorted(BIN_EDGES, age) - 1] for age in (700.0, 2700.0, 7200.0, 60_000.0))
    assert first > 5 * between, "the lull between the phases is lost"
    assert second > 2 * between
    assert tail < second / 20


def test_looks_far_apart_tell_the_same_law_more_blurred() -> None:
    random = np.random.default_rng(3)
    settles_at = random.exponential(3600.0, 8000)
    for gap in (0.2, 1.5):
        hazard, _, _ = learn_hazard(look(settles_at, watch(random, gap)))
        ages = np.array([1800.0, 3600.0, 7200.0])
        assert np.abs(survive(hazard, ages) - np.exp(-ages / 3600)).max() < 0.03, gap


def test_without_looks_the_prior_stands() -> None:
    hazard, exposure, settled = learn_hazard([])
    assert np.array_equal(hazard, prior_hazard())
    assert not exposure.any()
    assert not settled.any()


@given(INTERVALS, st.none() | st.just(np.full(BIN_COUNT, 1e-3)))
def test_any_looks_give_a_chance_that_can_be_reckoned_with(intervals: list[Interval], believed: Floats | None) -> None:
    hazard, exposure, settled = learn_hazard(intervals, believed)
    assert hazard.shape == exposure.shape == settled.shape == (BIN_COUNT,)
    assert np.isfinite(hazard).all()
    assert (hazard > 0).all()
    assert (exposure >= 0).all()
    assert (settled >= 0).all()
    assert np.isclose(settled.sum(), sum(interval.task_count for interval in intervals if interval.until != OPEN_END))


@given(INTERVALS)
def test_where_nothing_was_watched_what_was_believed_stands(intervals: list[Interval]) -> None:
    hazard, exposure, _ = learn_hazard(intervals)
    assert np.allclose(hazard[exposure == 0], prior_hazard()[exposure == 0])


def test_few_looks_move_the_prior_little_and_many_much() -> None:
    believed = prior_hazard()
    place_of = int(place(np.array(3600.0)))
    moved = [abs(learn_hazard([Interval(place_of, place_of, count)])[0] / believed - 1).max() for count in (1, 100, 10_000)]
    assert moved[0] < 0.3
    assert moved == sorted(moved)
    assert moved[2] > 3


# --- the same cells and bins in SQL --------------------------------------------------------------------------------


def draw_ages(random: np.random.Generator, count: int, edges: Floats) -> list[int]:
    """Ages in microseconds: random ones, the edges between cells, and what lies a microsecond beside them."""
    near = np.concatenate([np.floor(edges * 1e6) + step for step in (-1, 0, 1, 2)])
    drawn = np.exp(random.uniform(np.log(1e-3), np.log(13.9 * DAY), count)) * 1e6
    ages = np.concatenate([near, drawn, [0, 1, 999_999, 10_000_000]])
    return sorted({int(age) for age in ages if 0 <= age < 13.99 * DAY * 1e6})


def read_intervals(warehouse: Warehouse) -> Counter[tuple[str, int, int | None]]:
    rows = warehouse.run(
        "polling/select_settling_intervals", as_of=NOW, youngest_seconds=YOUNGEST_SECONDS, cell_log=CELL_LOG, last_cell=CELL_COUNT - 1
    )
    return Counter({(urn, after, until): count for urn, after, until, count in rows})


def watched(number: int, after: int | None, until: int | None) -> Row:
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


def test_sql_places_looks_in_the_cells_that_numpy_does(warehouse: Warehouse) -> None:
    random = np.random.default_rng(4)
    ages = draw_ages(random, 1500, CELL_EDGES)
    pairs = [(after, until) for after, until in zip(ages, random.permutation(ages).tolist(), strict=True) if after <= until]
    looks: list[tuple[int | None, int | None]] = [*pairs, *((None, age) for age in ages), *((age, None) for age in ages)]
    given_rows(warehouse, [watched(number, *pair) for number, pair in enumerate(looks)])
    expected = Counter(
        (
            ACME,
            0 if after is None else int(place(np.array(after / 1e6))),
            None if until is None else int(place(np.array(until / 1e6))),
        )
        for after, until in looks
    )
    assert read_intervals(warehouse) == expected


NOT_WATCHED = [
    task(status="SUCCEEDED", requested_at=NOW - timedelta(days=14)),
    task(status="IN_PROGRESS", requested_at=NOW - timedelta(days=1)) | {"last_pending_at": None},
    task(status=None, requested_at=NOW - timedelta(days=1)),
    task(status="SUCCEEDED", requested_at=NOW - timedelta(days=1)) | {"first_polled_at": None},
]


@pytest.mark.parametrize("row", NOT_WATCHED, ids=["too-old", "never-said-so", "never-looked-at", "not-seen-by-us"])
def test_what_was_not_watched_tells_nothing(warehouse: Warehouse, row: Row) -> None:
    given_rows(warehouse, [row])
    assert read_intervals(warehouse) == {}


def test_a_hazard_is_learned_for_all_and_for_each_application_that_tells_enough(warehouse: Warehouse) -> None:
    minute = 60_000_000
    rows = [watched(number, 5 * minute, 10 * minute) for number in range(200)]
    rows += [watched(200 + number, 200 * minute, 300 * minute) | {"application_urn": "few"} for number in range(199)]
    given_rows(warehouse, rows)
    planner = Planner(warehouse, warehouse.settings, NOW)
    planner.learn()
    learned = {
        row[0]: row[1]
        for row in warehouse.connection.execute("select application_urn, sum(settled_count) from settling_hazard group by all").fetchall()
    }
    assert {urn: round(count) for urn, count in learned.items()} == {"": 399, ACME: 200}
    own = {row["bin"]: row["hazard_per_second"] for row in planner._read_hazards(ACME)}
    others = {row["bin"]: row["hazard_per_second"] for row in planner._read_hazards("few")}
    early, late = (int(place(np.array(age))) // 3 for age in (450.0, 15_000.0))
    assert own[early] > 1.5 * others[early], "an application that tells enough has its own"
    assert others[late] > 2 * prior_hazard()[late], "one that does not has that of all"


def test_learning_rests_for_an_hour(warehouse: Warehouse) -> None:
    def learned_at() -> object:
        return warehouse.connection.execute("select distinct learned_at from settling_hazard").fetchall()

    for later, expected in ((timedelta(0), 0), (timedelta(hours=1) - TICK, 0), (timedelta(hours=1), 1)):
        Planner(warehouse, warehouse.settings, NOW + later).learn()
        assert learned_at() == [(NOW + timedelta(hours=expected),)]

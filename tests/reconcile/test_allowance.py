"""The allowance of a tick: never more than the day has left, all of it in the end, however late or often runs come."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from jobrecon.reconcile.allowance import DAY_SECONDS, count_allowed_calls, seconds_until_reset

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
MAX_CALLS = 10_000_000
RESERVE = 0.05

moments = st.timedeltas(timedelta(0), timedelta(days=1) - timedelta(microseconds=1)).map(lambda passed: MIDNIGHT + passed)
ticks = st.floats(1, 2 * DAY_SECONDS)
reserves = st.floats(0, 0.99)
limits = st.integers(0, MAX_CALLS)


@given(st.integers(0, MAX_CALLS), limits, moments, ticks, reserves)
def test_an_allowance_is_at_most_what_is_left_and_at_least_one_call(
    left: int, limit: int, now: datetime, tick: float, reserve: float
) -> None:
    allowance = count_allowed_calls(left, limit, now, tick, reserve)
    assert isinstance(allowance, int)
    assert min(left, 1) <= allowance <= left


@given(st.integers(-10, 0), moments)
def test_with_no_calls_left_the_allowance_is_zero(left: int, now: datetime) -> None:
    assert count_allowed_calls(left, 1000, now, 600, RESERVE) == 0


@given(limits, st.integers(60, DAY_SECONDS), st.floats(0, 0.5))
@example(300_000, 600, 0.05)
@example(1, 600, 0.05)
@example(143, 600, 0.05)
def test_a_day_of_ticks_on_time_uses_nearly_the_whole_limit(limit: int, tick: int, reserve: float) -> None:
    left = limit
    for passed in range(0, DAY_SECONDS, tick):
        left -= count_allowed_calls(left, limit, MIDNIGHT + timedelta(seconds=passed), tick, reserve)
    assert left >= 0
    # The reserve shrinks until the last tick, which keeps the part of its own length.
    last = DAY_SECONDS - passed
    assert left <= limit * reserve * last / DAY_SECONDS


def test_the_default_day_is_nearly_even_and_leaves_no_more_than_a_call_in_a_thousand() -> None:
    left, allowances = 300_000, []
    for tick in range(144):
        allowances.append(count_allowed_calls(left, 300_000, MIDNIGHT + timedelta(minutes=10 * tick), 600, RESERVE))
        left -= allowances[-1]
    assert left <= 300
    assert allowances == sorted(allowances), "the reserve goes to later ticks"
    assert allowances[-1] < 1.3 * allowances[0]


@given(limits, st.lists(st.tuples(moments, st.floats(0, 1)), max_size=60), ticks, reserves)
def test_late_doubled_or_missing_runs_never_exceed_the_limit(
    limit: int, runs: list[tuple[datetime, float]], tick: float, reserve: float
) -> None:
    left = limit
    for now, used in sorted(runs):
        # Not every run uses its allowance.
        left -= round(used * count_allowed_calls(left, limit, now, tick, reserve))
        assert 0 <= left <= limit


@given(st.integers(1, 143), reserves)
def test_later_runs_get_what_missing_runs_left(missed: int, reserve: float) -> None:
    now = MIDNIGHT + timedelta(minutes=10 * missed)
    on_time = count_allowed_calls(300_000, 300_000, MIDNIGHT, 600, reserve)
    late = count_allowed_calls(300_000, 300_000, now, 600, reserve)
    assert late > on_time
    assert late >= (300_000 - on_time) * (1 - reserve) / (144 - missed)


@given(st.integers(1000, MAX_CALLS), st.floats(0.01, 0.5))
def test_the_reserve_is_kept_until_the_day_ends(limit: int, reserve: float) -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    assert count_allowed_calls(int(limit * reserve / 2), limit, noon, 600, reserve) == 1
    last_second = MIDNIGHT + timedelta(days=1, seconds=-1)
    assert (
        count_allowed_calls(int(limit * reserve / 2), limit, last_second, 600, reserve)
        >= int(limit * reserve / 2) - limit / DAY_SECONDS - 1
    )


def test_the_day_begins_at_midnight_utc() -> None:
    before = MIDNIGHT - timedelta(microseconds=1)
    assert seconds_until_reset(MIDNIGHT) == DAY_SECONDS
    assert 0 < seconds_until_reset(before) < 1e-5
    assert count_allowed_calls(5000, 300_000, before, 600, RESERVE) == 5000
    assert count_allowed_calls(300_000, 300_000, MIDNIGHT, 600, RESERVE) == 1980

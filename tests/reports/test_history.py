"""Whatever happened, the numbers balance and days join without a gap."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from jobrecon.reports.reading import read_day
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.schema import apply_schema
from tests.reports.conftest import UTC, History

FIRST = dt.datetime(2026, 10, 24, tzinfo=UTC)  # the clocks of Berlin change on the 25th
LENGTH_SECONDS = 4 * 86_400
# Whole hours, so that times often fall exactly on a midnight.
moments = st.integers(0, LENGTH_SECONDS // 3600).map(lambda hours: FIRST + dt.timedelta(hours=hours))
episodes = st.tuples(
    moments, st.none() | st.integers(0, 60), st.sampled_from(["Dana Fox", "Jo Ng", " ", None]), st.sampled_from(["HIGH", "LOW"])
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])


@settings(max_examples=15)
@given(st.lists(episodes, max_size=25), moments, zones)
def test_every_day_balances_and_hands_its_open_findings_to_the_next(
    rows: list[tuple[dt.datetime, int | None, str | None, str]], now: dt.datetime, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    history = History(Settings(_env_file=None))
    for opened_at, hours, manager, severity in rows:
        if opened_at > now:
            continue
        resolved_at = None if hours is None else opened_at + dt.timedelta(hours=hours)
        resolved_at = None if resolved_at and resolved_at > now else resolved_at
        history.add_finding(opened_at=opened_at, resolved_at=resolved_at, account_manager=manager, severity=severity)
    history.add_run(now)
    with connect() as connection:
        apply_schema(connection)
        history.insert_rows(connection)
        warehouse = Warehouse(connection, history.settings)
        dates = [FIRST.date() + dt.timedelta(days=number) for number in range(-1, 5)]
        days = [read_day(warehouse, date, zone, now, 7200) for date in dates]
    for facts in days:
        for movement in [facts.roll_forward, *facts.by_account_manager.values()]:
            assert movement.open_before + movement.new - movement.resolved == movement.open_now
        open_now = facts.roll_forward.open_now
        assert open_now == len(facts.open_findings) == sum(facts.open_by_kind.values())
        assert open_now == sum(facts.open_by_owner.values()) == sum(facts.open_by_age.values())
        assert facts.roll_forward.resolved == len(facts.resolved_findings)
        for name, movement in facts.by_account_manager.items():
            assert len(facts.select_manager(name).open_findings) == movement.open_now
    for facts, following in pairwise(days):
        assert facts.roll_forward.open_now == following.roll_forward.open_before
    assert days[0].roll_forward.open_before == 0
    assert days[-1].roll_forward.open_now == sum(row["resolved_at"] is None for table, row in history.rows if table == "findings")

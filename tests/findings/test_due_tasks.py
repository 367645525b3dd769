"""Which tasks are looked at, and in which order."""

import math
import random
from datetime import datetime, timedelta

import pytest

from jobrecon.reconcile.plan import Planner
from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, BETA, NOW, TICK, Row, ago, given, notification, task

FIRST_CHECK = timedelta(minutes=5)
LIFESPAN = timedelta(days=30)
LAST_DAY = NOW - LIFESPAN + timedelta(days=1)
"""Requested then, a task is at the beginning of the last day of its life."""


def read_due(warehouse: Warehouse, application_urn: str = ACME, as_of: datetime = NOW, **settings: object) -> list[str]:
    """What would be polled next if calls were no matter."""
    return Planner(warehouse, warehouse.settings.model_copy(update=settings), as_of).plan(application_urn, id_limit=1000).task_urns


def pending(urn: str, requested_at: datetime, seen_at: datetime | None = None, **values: object) -> Row:
    return task(status=None, requested_at=requested_at, task_urn=urn, last_polled_at=seen_at, first_polled_at=seen_at) | values


CASES = [
    (pending("a", NOW - FIRST_CHECK + TICK), False),
    (pending("a", NOW - FIRST_CHECK), True),
    (pending("a", NOW - FIRST_CHECK - TICK), True),
    (pending("a", NOW + TICK), False),
    (pending("a", ago(hours=3), NOW - TICK), True),
    (pending("a", ago(hours=3), NOW), False),
    (pending("a", NOW - LIFESPAN + TICK), True),
    (pending("a", ago(hours=3), application_urn=BETA), False),
    (task("CREATE", "IN_PROGRESS", ago(hours=3), task_urn="a"), True),
    (task("CREATE", "SOMETHING_NEW", ago(hours=3), task_urn="a"), True),
    (task("CREATE", "SUCCEEDED", ago(hours=3), task_urn="a"), False),
    (task("CREATE", "FAILED", ago(hours=3), task_urn="a"), False),
    (task("CREATE", "PROCESSED", ago(hours=3), task_urn="a"), False),
    (pending("a", ago(hours=3), state="REJECTED"), False),
    (pending("a", ago(days=40), state="EXPIRED"), False),
]


@pytest.mark.parametrize(("row", "is_due"), CASES)
def test_a_pending_task_is_due_from_its_first_check_until_it_settles(warehouse: Warehouse, row: Row, is_due: bool) -> None:
    given(warehouse, [row])
    assert read_due(warehouse) == (["a"] if is_due else [])


def test_the_setting_moves_the_first_check(warehouse: Warehouse) -> None:
    given(warehouse, [pending("a", ago(minutes=2))])
    assert read_due(warehouse, first_check_after=120) == ["a"]
    assert read_due(warehouse, first_check_after=121) == []
    assert read_due(warehouse, as_of=NOW - TICK, first_check_after=120) == []


ORDERS = [
    # Looked at long ago before looked at just now; the younger of two that waited alike; a newcomer before an old acquaintance.
    [pending("unseen 3 h", ago(hours=5), ago(hours=3)), pending("unseen 1 h", ago(hours=5), ago(hours=1))],
    [pending("young", ago(hours=2), ago(hours=1)), pending("old", ago(hours=20), ago(hours=1))],
    [pending("new", ago(minutes=10)), pending("known", ago(hours=9), ago(minutes=10))],
    # Once a day each, however little there is to expect of it.
    [pending("a day unseen", ago(days=20), ago(hours=24)), pending("young", ago(hours=5), ago(hours=5) + TICK)],
    [pending("young", ago(hours=23.9)), pending("nearly a day unseen", ago(days=20), ago(hours=24) + TICK)],
    # A last look on the last day of its life, before all else; only one.
    [pending("last day", LAST_DAY, ago(hours=1)), pending("a day unseen", ago(days=5), ago(hours=25))],
    [pending("last day", LAST_DAY - timedelta(hours=20), ago(hours=21)), pending("never seen", ago(hours=30))],
    [pending("never seen", ago(hours=30)), pending("not yet its last day", LAST_DAY + TICK, ago(hours=25))],
    [pending("never seen", ago(hours=10)), pending("had its last look", LAST_DAY - timedelta(hours=20), ago(hours=19))],
    # Of equals, the same order each time.
    [pending("a", ago(hours=2)), pending("b", ago(hours=2)), pending("c", ago(hours=2))],
]  # fmt: skip


@pytest.mark.parametrize("rows", ORDERS)
def test_the_call_goes_where_it_shortens_the_delay_most(warehouse: Warehouse, rows: list[Row]) -> None:
    for order in (rows, rows[::-1]):
        warehouse.connection.execute("delete from job_tasks")
        given(warehouse, order)
        assert read_due(warehouse) == [row["task_urn"] for row in rows]


def test_a_tick_takes_the_beginning_of_the_whole_order(warehouse: Warehouse) -> None:
    chance = random.Random(59)
    operations = ["CREATE", "UPDATE", "RENEW", "CLOSE", "SOMETHING_NEW"]
    rows = []
    for number in range(400):
        age = timedelta(seconds=math.exp(chance.uniform(math.log(300), math.log(30 * 86_400))))
        seen_at = None if number % 9 == 0 else NOW - age * chance.random() - TICK
        row = pending(f"task-{number}", NOW - age, seen_at, operation=chance.choice(operations), external_job_posting_id=f"job-{number}")
        rows.append(row)
    given(
        warehouse,
        rows,
        [notification(ago(hours=chance.uniform(0, 30)), external_job_posting_id=f"job-{number}") for number in range(0, 400, 20)],
    )
    whole = read_due(warehouse)
    planner = Planner(warehouse, warehouse.settings, NOW)
    assert len(whole) == 400
    for limit in (0, 1, 2, 10, 40, 41, 100, 250, 399, 400, 401):
        assert planner.plan(ACME, limit).task_urns == whole[:limit]


def test_two_applications_are_planned_apart(warehouse: Warehouse) -> None:
    given(warehouse, [pending("a", ago(hours=2)), pending("b", ago(hours=3), application_urn=BETA)])
    assert (read_due(warehouse, ACME), read_due(warehouse, BETA)) == (["a"], ["b"])


def test_pending_are_those_requested_by_then(warehouse: Warehouse) -> None:
    given(warehouse, [pending("a", NOW), pending("b", NOW + TICK), task(task_urn="c"), pending("d", ago(days=1), state="EXPIRED")])
    assert warehouse.count("tasks/select_pending_count", as_of=NOW) == 1

"""The plan of a tick: the same order as computed task by task in Python, floors first."""

import math
from datetime import datetime, timedelta
from itertools import count, pairwise

import numpy as np
import pytest

from jobrecon.reconcile.hazard import BIN_COUNT, BIN_EDGES, CELL_EDGES, prior_hazard
from jobrecon.reconcile.plan import Plan, Planner
from jobrecon.warehouse import Warehouse
from jobrecon.warehouse.connection import stage
from tests.findings.rows import ACME, BETA, NOW, TICK, Row, ago, given, notification, task

DAY = 86_400.0
LIFESPAN = 30 * DAY
FIRST_CHECK = 300
OPERATIONS = ["CREATE", "UPDATE", "RENEW", "CLOSE", "UPGRADE"]
_numbers = count()


def pending(age: float, unpolled: float | None = None, **values: object) -> Row:
    """A task of this age in seconds, last polled so many seconds ago; None: never. Each of a job of its own."""
    number = next(_numbers)
    polled_at = None if unpolled is None else NOW - timedelta(seconds=unpolled)
    row = task(
        status=None, requested_at=NOW - timedelta(seconds=age), task_urn=f"task-{number:06}", external_job_posting_id=f"job-{number:06}"
    )
    return row | {"first_polled_at": polled_at, "last_polled_at": polled_at} | values


def plan(warehouse: Warehouse, as_of: datetime = NOW, limit: int = 1_000_000, job: str | None = None, **settings: object) -> Plan:
    return Planner(warehouse, warehouse.settings.model_copy(update=settings), as_of, job).plan(ACME, limit)


def name(*rows: Row) -> list[str]:
    return [row["task_urn"] for row in rows]


def find_bin(age: float) -> int:
    return min(int(np.searchsorted(BIN_EDGES, age, side="right")) - 1, BIN_COUNT - 1)


def draw_tasks(random: np.random.Generator, number: int) -> list[Row]:
    ages = np.exp(random.uniform(math.log(200), math.log(31 * DAY), number))
    rows = []
    for age in ages.tolist():
        unpolled = None if random.random() < 0.2 else age * random.random()
        row = pending(age, unpolled, operation=OPERATIONS[random.integers(5)], application_urn=ACME if random.random() < 0.9 else BETA)
        rows.append(row | {"state": "PENDING" if random.random() < 0.95 else "SETTLED"})
    return rows


def draw_notifications(random: np.random.Generator, rows: list[Row]) -> list[Row]:
    """Some of the jobs' notifications: old, recent, and received after the run's moment."""
    return [
        notification(NOW - timedelta(seconds=random.uniform(-0.1, 1.5) * DAY), external_job_posting_id=row["external_job_posting_id"])
        for row in rows
        if random.random() < 0.3
    ]


def given_hazards(warehouse: Warehouse, application_urn: str, hazards: np.ndarray, learned_at: datetime = NOW) -> None:
    estimates = [
        {
            "application_urn": application_urn,
            "bin": number,
            "age_from_seconds": float(BIN_EDGES[number]),
            "age_to_seconds": float(BIN_EDGES[number + 1]),
            "hazard_per_second": float(hazards[number]),
            "exposure_seconds": 0.0,
            "settled_count": 0.0,
            "learned_at": learned_at,
        }
        for number in range(BIN_COUNT)
    ]
    warehouse.run("polling/insert_hazards", stage("staged_estimates", estimates))


class ReferencePlan:
    """The order of docs/polling.md, one task at a time."""

    def __init__(self, notifications: list[Row], weights: dict[str, float], hazards: np.ndarray) -> None:
        self.weights = weights
        self.hazards = hazards
        self.notified_at: dict[str, datetime] = {}
        for each in notifications:
            if NOW - timedelta(days=1) < each["received_at"] <= NOW:
                job = each["external_job_posting_id"]
                self.notified_at[job] = max(each["received_at"], self.notified_at.get(job, each["received_at"]))

    def is_due(self, row: Row) -> bool:
        age = (NOW - row["requested_at"]).total_seconds()
        return (row["state"], row["application_urn"]) == ("PENDING", ACME) and age >= FIRST_CHECK

    def rate(self, row: Row) -> float:
        age = (NOW - row["requested_at"]).total_seconds()
        return float(self.weights.get(row["operation"], 1) * self.hazards[find_bin(age)])

    def rank(self, row: Row) -> tuple[int, float]:
        polled_at = row["last_polled_at"]
        age = (NOW - row["requested_at"]).total_seconds()
        unpolled = (NOW - (polled_at or row["requested_at"])).total_seconds()
        last_day = row["requested_at"] + timedelta(seconds=LIFESPAN - DAY)
        notified_at = self.notified_at.get(row["external_job_posting_id"])
        if age >= LIFESPAN - DAY and (polled_at is None or polled_at < last_day):
            floor = 3
        elif notified_at and (polled_at is None or notified_at > polled_at):
            floor = 2
        elif unpolled >= DAY:
            floor = 1
        else:
            floor = 0
        return floor, self.rate(row) * unpolled**2


@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_the_reference_plan(warehouse: Warehouse, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = draw_tasks(random, 3000)
    notifications = draw_notifications(random, rows)
    hazards = 10 ** random.uniform(-7, -1, BIN_COUNT)
    given(warehouse, rows, notifications)
    given_hazards(warehouse, "", hazards)
    reference = ReferencePlan(notifications, warehouse.settings.weights, hazards)
    due = {row["task_urn"]: row for row in rows if reference.is_due(row)}
    planned = plan(warehouse)
    assert planned.due_count == len(due)
    assert sorted(planned.task_urns) == sorted(due)
    ranks = [reference.rank(due[urn]) for urn in planned.task_urns]
    assert [floor for floor, _ in ranks] == sorted((floor for floor, _ in ranks), reverse=True)
    assert {floor for floor, _ in ranks} == {0, 1, 2, 3}
    assert all(former[0] > latter[0] or former[1] >= latter[1] * (1 - 1e-9) for former, latter in pairwise(ranks))
    for limit in (1, 17, 1000):
        assert plan(warehouse, limit=limit).task_urns == planned.task_urns[:limit]
    rates = [reference.rate(row) for row in due.values()]
    assert planned.root_sum == pytest.approx(sum(math.sqrt(rate) for rate in rates))
    assert planned.rate_sum == pytest.approx(sum(rates))
    assert planned.bound_seconds(2.0) == pytest.approx(sum(map(math.sqrt, rates)) ** 2 / (4 * sum(rates)))


def test_the_bins_are_numpys_at_every_age(warehouse: Warehouse) -> None:
    random = np.random.default_rng(5)
    # Neighbouring bins differ by orders of magnitude: a task in a wrong bin changes the order.
    hazards = 10.0 ** random.permutation(np.linspace(-9, 0, BIN_COUNT))
    near = np.concatenate([np.floor(CELL_EDGES * 1e6) / 1e6 + step for step in (-1e-6, 0, 1e-6, 2e-6)])
    ages = [age for age in [*near, *np.exp(random.uniform(-7, math.log(40 * DAY), 3000))] if age >= 0]
    rows = [pending(age, unpolled=600, operation="RENEW") for age in ages]
    by_urn = {row["task_urn"]: (NOW - row["requested_at"]).total_seconds() for row in rows}
    given(warehouse, rows)
    given_hazards(warehouse, "", hazards)
    planned = plan(warehouse, first_check_after=0, task_lifespan_days=1000)
    assert len(planned.task_urns) == len(rows)
    scores = [hazards[find_bin(by_urn[urn])] for urn in planned.task_urns]
    assert scores == sorted(scores, reverse=True)
    assert planned.rate_sum == pytest.approx(sum(scores))


def test_without_estimates_the_prior_sets_the_order(warehouse: Warehouse) -> None:
    rows = [pending(age, unpolled=600) for age in (1000, 3000, 10_000, 100_000)]
    given(warehouse, rows[::-1])
    planned = plan(warehouse)
    assert planned.task_urns == name(*rows)
    assert planned.rate_sum == pytest.approx(sum(4 * prior_hazard()[find_bin(age)] for age in (1000, 3000, 10_000, 100_000)))


def test_an_application_with_a_hazard_of_its_own_is_ordered_by_it(warehouse: Warehouse) -> None:
    young, old = pending(1000, unpolled=600), pending(50_000, unpolled=600)
    given(warehouse, [young, old])
    falling = np.geomspace(1e-2, 1e-6, BIN_COUNT)
    given_hazards(warehouse, "", falling)
    given_hazards(warehouse, BETA, falling[::-1])
    assert plan(warehouse).task_urns == name(young, old), "another application's hazard does not count"
    given_hazards(warehouse, ACME, falling[::-1])
    assert plan(warehouse).task_urns == name(old, young)


def test_weights_order_operations(warehouse: Warehouse) -> None:
    rows = {operation: pending(5000, unpolled=600, operation=operation) for operation in OPERATIONS}
    given(warehouse, list(rows.values()))
    default = [rows[operation]["task_urn"] for operation in ("CREATE", "CLOSE", "UPDATE", "RENEW", "UPGRADE")]
    assert plan(warehouse).task_urns == default
    turned = {"RENEW": 9.0, "CLOSE": 0.5}
    assert plan(warehouse, weights=turned).task_urns == name(rows["RENEW"], rows["CREATE"], rows["UPDATE"], rows["UPGRADE"], rows["CLOSE"])


def test_without_weights_all_operations_are_equal(warehouse: Warehouse) -> None:
    rows = [pending(5000, unpolled=600 - number, operation=operation) for number, operation in enumerate(reversed(OPERATIONS))]
    given(warehouse, rows[::-1])
    assert plan(warehouse, weights={}).task_urns == name(*rows)


def test_four_times_the_weight_is_half_the_wait(warehouse: Warehouse) -> None:
    create = pending(5000, unpolled=600, operation="CREATE")
    given(
        warehouse,
        [create, sooner := pending(5000, unpolled=1199, operation="RENEW"), later := pending(5000, unpolled=1201, operation="RENEW")],
    )
    assert plan(warehouse).task_urns == name(later, create, sooner)


HOT = {"age": 400, "unpolled": 399}
"""About the highest score of a task without a floor."""

FLOORS = [
    # what goes first, its notification so many seconds ago
    ({"age": 9 * DAY, "unpolled": 3600}, 3599),
    ({"age": 9 * DAY, "unpolled": 3600}, 0),
    ({"age": 350}, 100),
    ({"age": 9 * DAY, "unpolled": DAY}, None),
    ({"age": DAY}, None),
    ({"age": 29 * DAY, "unpolled": 60}, None),
    ({"age": 29.5 * DAY, "unpolled": DAY / 2 + 1}, None),
]


@pytest.mark.parametrize(("first", "notified_ago"), FLOORS)
def test_floors_go_before_any_score(warehouse: Warehouse, first: dict[str, float], notified_ago: float | None) -> None:
    hot, row = pending(**HOT), pending(**first)
    notifications = (
        []
        if notified_ago is None
        else [notification(ago(minutes=notified_ago / 60), external_job_posting_id=row["external_job_posting_id"])]
    )
    # The scores favour the other task as much as possible.
    given_hazards(warehouse, "", np.geomspace(1, 1e-12, BIN_COUNT))
    given(warehouse, [hot, row], notifications)
    assert plan(warehouse, limit=1).task_urns == name(row)


NO_FLOORS = [
    ({"age": 9 * DAY, "unpolled": 3600}, 3600),
    ({"age": 9 * DAY, "unpolled": 3600}, 3601),
    ({"age": 9 * DAY, "unpolled": 3600}, -1e-6),
    ({"age": 9 * DAY, "unpolled": DAY - 1e-6}, None),
    ({"age": 29 * DAY - 1e-6, "unpolled": 60}, None),
    ({"age": 29.5 * DAY, "unpolled": DAY / 2}, None),
]


@pytest.mark.parametrize(("first", "notified_ago"), NO_FLOORS)
def test_just_below_a_floor_the_score_decides(warehouse: Warehouse, first: dict[str, float], notified_ago: float | None) -> None:
    row = pending(**first)
    hot = [pending(400, unpolled=399) for _ in range(2)]
    notifications = (
        []
        if notified_ago is None
        else [notification(NOW - timedelta(seconds=notified_ago), external_job_posting_id=row["external_job_posting_id"])]
    )
    given_hazards(warehouse, "", np.geomspace(1, 1e-12, BIN_COUNT))
    given(warehouse, [*hot, row], notifications)
    assert plan(warehouse).task_urns == name(*hot, row)


def test_floors_have_an_order(warehouse: Warehouse) -> None:
    last, notified, daily, hot = (
        pending(29.2 * DAY, unpolled=DAY),
        pending(DAY / 2, unpolled=900),
        pending(5 * DAY, unpolled=2 * DAY),
        pending(**HOT),
    )
    given(
        warehouse, [hot, daily, notified, last], [notification(ago(minutes=5), external_job_posting_id=notified["external_job_posting_id"])]
    )
    assert plan(warehouse).task_urns == name(last, notified, daily, hot)


def test_within_a_floor_the_longest_unpolled_go_first(warehouse: Warehouse) -> None:
    polled_yesterday, polled_last_week = pending(20 * DAY, unpolled=1.1 * DAY), pending(20 * DAY, unpolled=7 * DAY)
    given(warehouse, [polled_yesterday, polled_last_week])
    assert plan(warehouse, limit=1).task_urns == name(polled_last_week)


def test_no_floor_polls_before_the_first_check(warehouse: Warehouse) -> None:
    row = pending(FIRST_CHECK - 1e-6)
    given(warehouse, [row], [notification(ago(minutes=1), external_job_posting_id=row["external_job_posting_id"])])
    assert plan(warehouse).due_count == 0
    assert plan(warehouse, job=row["external_job_posting_id"]).due_count == 0
    assert plan(warehouse, as_of=NOW + TICK).task_urns == name(row)


def test_a_notification_of_another_application_moves_nothing(warehouse: Warehouse) -> None:
    hot, row = pending(**HOT), pending(9 * DAY, unpolled=3600)
    given(
        warehouse, [hot, row], [notification(ago(minutes=1), application_urn=BETA, external_job_posting_id=row["external_job_posting_id"])]
    )
    assert plan(warehouse, limit=1).task_urns == name(hot)


def test_one_job_alone_can_be_polled(warehouse: Warehouse) -> None:
    rows = [pending(5000 + number) for number in range(5)]
    rows.append(pending(6000, external_job_posting_id=rows[2]["external_job_posting_id"]))
    given(warehouse, rows)
    planned = plan(warehouse, job=rows[2]["external_job_posting_id"])
    assert sorted(planned.task_urns) == sorted(name(rows[2], rows[5]))
    assert planned.due_count == 2
    assert plan(warehouse, job="nobody's").due_count == 0


def test_without_due_tasks_there_is_no_bound(warehouse: Warehouse) -> None:
    planned = plan(warehouse)
    assert (planned.task_urns, planned.due_count, planned.bound_seconds(1.0)) == ([], 0, None)


def test_without_calls_due_tasks_are_still_counted(warehouse: Warehouse) -> None:
    given(warehouse, [pending(5000)])
    planned = plan(warehouse, limit=0)
    assert (planned.task_urns, planned.due_count, planned.bound_seconds(0)) == ([], 1, None)

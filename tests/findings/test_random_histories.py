"""Whatever happened to a job, the SQL finds what the plain-Python writing of the rules finds."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrecon.reports.reading import read_day
from jobrecon.reports.verdict import judge as judge_day
from jobrecon.warehouse import Warehouse
from tests.findings.oracle import Body, Detail, History, Open, Task, expect, is_contradicted, judge
from tests.findings.rows import ACME, JOB, NOW, TICK, Row, clear, deliver, delivery, find, read, read_open
from tests.findings.rows import given as given_rows

FIRST_RUN = NOW - timedelta(hours=30)
HOURS = [0, 0.5, 1, 1.5, 2, 23, 24, 25, 26, 29, 30, 31, 48, 54, 72, 100, 24 * 13, 24 * 14, 24 * 15, 24 * 29, 24 * 31, 24 * 40]
"""How long ago things happen: few moments, so that there are ties, and on the boundaries of the rules as seen from both runs."""
BATCH = 150

TASK_MESSAGES = [None, "Job has an invalid location", "duplicate creation request", "a text nobody has seen"]
LISTINGS = [
    None,
    Detail("LISTED"),
    Detail("LISTED"),
    Detail("NOT_LISTED"),
    Detail("NOT_LISTED", None, "CUSTOMER_ERROR", "INVALID_LOCATION: no postal code"),
    Detail("NOT_LISTED", None, "PARTNER_ERROR", "PENDING_CUSTOMER_MIGRATION: wait"),
    Detail("NOT_LISTED", None, "LINKEDIN_ERROR", "NEW_CODE: a text nobody has seen"),
    Detail("NOT_LISTED", None, "CUSTOMER_ERROR"),
    Detail("NOT_LISTED", 77),
    Detail("IN_PROGRESS"),
]
APPLIES = [
    None,
    Detail("ENABLED"),
    Detail("NOT_ENABLED"),
    Detail("NOT_ENABLED", None, "PARTNER_ERROR", "No attempt to enable LinkedInApply was found for this job."),
    Detail("NOT_ENABLED", 1154, "PARTNER_ERROR", "BLOCKED_WEBHOOK: gone"),
    Detail("NOT_ENABLED", None, None, "a text nobody has seen"),
    Detail("IN_PROGRESS"),
]
PROMOTIONS = [None, Detail("PROMOTED"), Detail("NOT_PROMOTED", None, "CUSTOMER_ERROR", "LI_CUSTOMER_BASIC: basic"), Detail("NOT_PROMOTED")]


def make_history(seed: int) -> History:
    """A job's history, the same for the same seed."""
    chance = random.Random(seed)

    def moment() -> datetime:
        return NOW - timedelta(hours=chance.choice(HOURS)) + chance.choice([-TICK, timedelta(), timedelta(), timedelta(), TICK])

    def body() -> Body:
        expire_at = NOW + timedelta(hours=chance.choice([-40, -24, -1, 0, 1, 40, 42, 72, 73, 500])) if chance.random() < 0.4 else None
        return Body(chance.choice(LISTINGS), chance.choice(APPLIES), chance.choice(PROMOTIONS), expire_at)

    def task(number: int) -> Task:
        operation = chance.choice(["CREATE", "CREATE", "UPDATE", "UPDATE", "RENEW", "CLOSE", "UPGRADE"])
        requested_at = moment()
        state = chance.choice(["SETTLED"] * 6 + ["PENDING", "EXPIRED", "REJECTED"])
        status = chance.choice(["SUCCEEDED", "SUCCEEDED", "FAILED", "PROCESSED"]) if state == "SETTLED" else None
        message = chance.choice(TASK_MESSAGES) if status in ("FAILED", "PROCESSED") else None
        location = chance.choice([None, None, None, "Oslo", "Bergen"])
        changed_at = None if state == "PENDING" else requested_at + timedelta(minutes=10)
        return Task(f"urn-{chance.randrange(100)}-{number}", operation, requested_at, state, status, message, location, changed_at)

    bodies = [body() for _ in range(chance.randrange(1, 4))]
    checks = [(at, None if chance.random() < 0.2 else chance.choice([*bodies, body()])) for at in (moment() for _ in range(3))]
    return History(
        tasks=[task(number) for number in range(chance.choice([0, 1, 1, 2, 3, 4, 5]))],
        deliveries=[(min(moment(), NOW), chance.choice(bodies)) for _ in range(chance.choice([0, 1, 2, 3, 5, 7]))],
        checks=sorted(checks[: chance.randrange(4)], key=lambda check: check[0]),
        is_retired=chance.random() < 0.05,
    )


def name_application(number: int) -> str:
    return f"{ACME}/{number}"


def write_detail(name: str, detail: Detail | None) -> Row:
    if detail is None:
        return {}
    words = {"errorCode": detail.error_code, "errorType": detail.error_type, "statusMessage": detail.message}
    return {name: detail.status, f"{name}Detail": words}


def write_body(body: Body) -> Row:
    """As LinkedIn sends it."""
    written = write_detail("listingStatus", body.listing) | write_detail("linkedInApplyStatus", body.apply)
    written |= write_detail("promotionStatus", body.promotion)
    if body.expire_at:
        written["jobPostingInfo"] = {"expireAt": round(body.expire_at.timestamp() * 1000)}
    return written


def write_task(number: int, task: Task) -> Row:
    return {
        "task_urn": f"{task.task_urn}/{number}",
        "application_urn": name_application(number),
        "external_job_posting_id": JOB,
        "operation": task.operation,
        "location": task.location,
        "requested_at": task.requested_at,
        "imported_at": task.requested_at,
        "state": task.state,
        "status": task.status,
        "error_message": task.message,
        "status_changed_at": task.status_changed_at,
        "poll_count": 1,
        "not_found_count": 0,
    }


def write_checks(number: int, history: History, as_of: datetime) -> list[Row]:
    """As runs up to that moment have merged them: equal responses in a row are one."""
    rows: list[Row] = []
    for body, group in groupby([check for check in history.checks if check[0] <= as_of], key=lambda check: check[1]):
        moments = [at for at, _ in group]
        row: Row = {
            "check_id": f"check-{number}-{len(rows)}",
            "application_urn": name_application(number),
            "external_job_posting_id": JOB,
            "checked_at": moments[0],
            "last_checked_at": moments[-1],
            "is_known": body is not None,
            "expire_at": body.expire_at if body else None,
        }
        for name in ("listing", "apply", "promotion"):
            detail: Detail | None = getattr(body, name) if body else None
            values = (detail.status, detail.error_code, detail.error_type, detail.message) if detail else (None,) * 4
            fields = ("status", "error_code", "error_type", "message")
            row |= {f"{name}_{part}": value for part, value in zip(fields, values, strict=True)}
        rows.append(row)
    return rows


def set_checks(warehouse: Warehouse, histories: Sequence[History], as_of: datetime) -> None:
    warehouse.connection.execute("delete from posting_checks")
    rows = [row for number, history in enumerate(histories) for row in write_checks(number, history, as_of)]
    if rows:
        warehouse.connection.register("given_rows", pa.Table.from_pylist(rows))
        warehouse.connection.execute("insert into posting_checks by name select * from given_rows")
        warehouse.connection.execute(
            "insert into touched_jobs by name select distinct application_urn, external_job_posting_id from given_rows"
        )
        warehouse.connection.unregister("given_rows")


def describe(finding: Any) -> tuple[Any, ...]:
    get = finding.get if isinstance(finding, dict) else lambda name: getattr(finding, name)
    names = ("kind", "facet", "severity", "code", "owner", "evidence", "since")
    return tuple(get(name) for name in ("location", *names))


def read_found(warehouse: Warehouse, count: int) -> list[list[tuple[Any, ...]]]:
    found: list[list[tuple[Any, ...]]] = [[] for _ in range(count)]
    for row in read_open(warehouse):
        if row["facet"] != "WEBHOOK":
            found[int(row["application_urn"].rpartition("/")[2])].append(describe(row))
    return [sorted(rows, key=repr) for rows in found]


def read_verdicts(warehouse: Warehouse, count: int) -> list[str]:
    """The first sentence of each account manager's report; each has the one job of a history."""
    given_run = {"run_id": "run-1", "shard": "", "as_of": NOW, "started_at": NOW, "finished_at": NOW, "state": "COMPLETED"}
    warehouse.connection.execute("delete from runs")
    warehouse.connection.register("given_rows", pa.Table.from_pylist([given_run]))
    warehouse.connection.execute("insert into runs by name select * from given_rows")
    warehouse.connection.unregister("given_rows")
    facts = read_day(warehouse, NOW.date(), ZoneInfo("UTC"), NOW, stale_after_seconds=3600)
    return [judge_day(facts.select_manager(f"Manager {number}")).sentence for number in range(count)]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seeds=st.lists(st.integers(0, 2**32), min_size=BATCH, max_size=BATCH, unique=True))
def test_two_runs_find_of_any_history_what_the_rules_say(opened: Warehouse, seeds: list[int]) -> None:
    histories = [make_history(seed) for seed in seeds]
    customers = [
        {
            "application_urn": name_application(number),
            "customer": "Acme",
            "account_manager": f"Manager {number}",
            "daily_call_limit": 1,
            "retired": history.is_retired,
        }
        for number, history in enumerate(histories)
    ]
    given_rows(clear(opened), [write_task(number, task) for number, item in enumerate(histories) for task in item.tasks], [], customers)
    deliveries = [
        delivery(
            at, developerApplicationUrn=name_application(number), arrival=arrival + 1, delivery_id=f"{number}-{arrival}", **write_body(body)
        )
        for number, history in enumerate(histories)
        for arrival, (at, body) in enumerate(history.deliveries)
    ]
    if deliveries:
        deliver(opened, *deliveries)
    expected: list[Open] = [{} for _ in histories]
    for as_of in (FIRST_RUN, NOW):
        set_checks(opened, histories, as_of)
        find(opened, as_of)
        expected = [judge(history, as_of, before) for history, before in zip(histories, expected, strict=True)]
        found = read_found(opened, len(histories))
        for seed, rows, opens in zip(seeds, found, expected, strict=True):
            assert rows == sorted((describe(finding) for finding in opens.values()), key=repr), (seed, as_of)
        postings = {row["application_urn"]: row for row in read(opened, "select * from job_postings")}
        for number, history in enumerate(histories):
            if posting := postings.get(name_application(number)):
                tasks = [task for task in history.tasks if task.requested_at <= as_of]
                assert (posting["expected_listing"], posting["expected_since"]) == expect(tasks), seeds[number]
    verdicts = read_verdicts(opened, len(histories))
    for seed, history, opens, verdict in zip(seeds, histories, expected, verdicts, strict=True):
        if verdict.startswith("All clear"):
            assert not opens, (seed, verdict)
            assert not is_contradicted(history, NOW), (seed, verdict)
        elif any(task.requested_at <= NOW for task in history.tasks) and not opens and not is_contradicted(history, NOW):
            raise AssertionError((seed, verdict))

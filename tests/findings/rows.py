"""Given rows and found rows: the smallest way to say what is in the warehouse and what a run makes of it."""

import asyncio
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from jobrecon.applications import Application, Applications
from jobrecon.ingest.notifications import merge_deliveries
from jobrecon.linkedin.responses import TaskResponse, TaskResponses
from jobrecon.reconcile.catalog import load_catalog
from jobrecon.reconcile.results import ResultBuffer
from jobrecon.reconcile.run import Reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.warehouse import Warehouse
from jobrecon.warehouse.schema import list_tables
from jobrecon.webhook.parsing import parse_body

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""The moment runs speak about, unless a test says another."""
TICK = timedelta(microseconds=1)
"""The smallest time the warehouse knows: what lies just before and just after a boundary."""
ACME = "urn:li:developerApplication:1001"
BETA = "urn:li:developerApplication:1002"
JOB = "job-1"

SETTLING = {"SUCCEEDED", "FAILED", "PROCESSED"}
_arrivals = itertools.count(1)

Row = dict[str, Any]


def ago(*, minutes: float = 0, hours: float = 0, days: float = 0) -> datetime:
    return NOW - timedelta(minutes=minutes, hours=hours, days=days)


def task(operation: str = "CREATE", status: str | None = "SUCCEEDED", requested_at: datetime | None = None, **values: Any) -> Row:
    """A task; where nothing else is said, one of two days ago whose result came ten minutes later."""
    requested_at = requested_at or ago(days=2)
    row: Row = {
        "task_urn": f"urn:li:simpleJobPostingTask:{operation.lower()}-{requested_at:%d%H%M%S%f}",
        "application_urn": ACME,
        "external_job_posting_id": JOB,
        "operation": operation,
        "requested_at": requested_at,
        "imported_at": requested_at,
        "state": "SETTLED" if status in SETTLING else "PENDING",
        "status": status,
        "poll_count": 0 if status is None else 1,
        "not_found_count": 0,
    }
    if status is not None:
        row |= dict.fromkeys(("first_polled_at", "last_polled_at", "status_changed_at"), requested_at + timedelta(minutes=10))
    return row | values


def notification(received_at: Any = None, **values: Any) -> Row:
    """A notification; where nothing else is said, one of an hour ago, in the order the test writes them."""
    arrival = next(_arrivals)
    return {
        "notification_id": f"notification-{arrival:06}",
        "application_urn": ACME,
        "external_job_posting_id": JOB,
        "type": "JOB_POSTING_STATUS",
        "received_at": received_at or ago(hours=1),
        "last_received_at": values.get("last_received_at", received_at or ago(hours=1)),
        "arrival": arrival,
        "deliveries": 1,
        "payload": "{}",
    } | values


def checked(checked_at: datetime, last_checked_at: Any = None, **values: Any) -> Row:
    """What jobPostingStatus said of a job, first and last at these moments."""
    return {
        "check_id": f"check-{next(_arrivals):06}",
        "application_urn": ACME,
        "external_job_posting_id": JOB,
        "checked_at": checked_at,
        "last_checked_at": last_checked_at or checked_at,
        "is_known": True,
    } | values


def delivery(received_at: datetime, delivery_id: str | None = None, arrival: Any = None, **body: Any) -> Row:
    """A delivery as the receiver lands it: `body` is what LinkedIn sent, above what every body has."""
    arrival = arrival or next(_arrivals)
    document = {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME, "externalJobPostingId": JOB} | body
    read = parse_body(json.dumps(document).encode())
    return {
        "delivery_id": delivery_id or f"delivery-{arrival:06}",
        "application_urn": read.application_urn,
        "external_job_posting_id": read.external_job_posting_id,
        "type": read.type,
        "received_at": received_at,
        "arrival": arrival,
        "body_hash": read.body_hash,
        "payload": read.payload,
    }


def given(
    warehouse: Warehouse,
    tasks: Sequence[Row] = (),
    notifications: Sequence[Row] = (),
    customers: Sequence[Row] = (),
    checks: Sequence[Row] = (),
) -> None:
    """Put rows into the warehouse as they are, in bulk; their jobs are touched."""
    tables = {"job_tasks": tasks, "notifications": notifications, "customers": customers, "posting_checks": checks}
    for table, rows in tables.items():
        if rows:
            names = dict.fromkeys(name for row in rows for name in row)
            warehouse.connection.register("given_rows", pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]))
            warehouse.connection.execute(f"insert into {table} by name select * from given_rows")
            touched = "given_rows where external_job_posting_id is not null"
            if table == "customers":
                touched = "job_postings semi join given_rows using (application_urn)"
            warehouse.connection.execute(
                f"insert into touched_jobs by name select distinct application_urn, external_job_posting_id from {touched}"
            )
            warehouse.connection.unregister("given_rows")


def deliver(warehouse: Warehouse, *deliveries: Row) -> int:
    """Merge deliveries the way the run and the import do."""
    return merge_deliveries(warehouse, list(deliveries), [], NOW)


def merge_responses(
    warehouse: Warehouse,
    *batches: Iterable[TaskResponse],
    as_of: datetime = NOW,
    application_urn: str = ACME,
    run_id: str = "run-1",
    is_killed: bool = False,
) -> ResultBuffer:
    """Merge responses, batch by batch, the way polling does, or the way it does when it is killed after a merge."""
    buffer = ResultBuffer(warehouse, as_of, run_id)

    async def merge() -> None:
        for batch in batches:
            await buffer.add(application_urn, TaskResponses.of(batch))
        await (buffer.flush() if is_killed else buffer.finish())

    asyncio.run(merge())
    return buffer


def find(
    warehouse: Warehouse,
    as_of: datetime = NOW,
    unseen_applications: Iterable[str] = (),
    unseen_facets: Iterable[str] = (),
    **settings: Any,
) -> RunSummary:
    """Compare what should be with what is, exactly as a run does, without LinkedIn or the landing database."""
    applications = Applications([Application(urn, "client", [], urn) for urn in (ACME, BETA)])
    run = Reconciliation(
        warehouse,
        warehouse.settings.model_copy(update=settings),
        applications,
        None,
        RunSummary(run_id="run-1", as_of=as_of, started_at=as_of),
        lambda: as_of,
    )
    run.unseen_applications = dict.fromkeys(unseen_applications, "could not be polled")
    run.unseen_facets = set(unseen_facets)
    run.update_findings()
    return run.summary


def read(warehouse: Warehouse, query: str, **values: Any) -> list[Row]:
    cursor = warehouse.connection.execute(query, values or None)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def read_findings(warehouse: Warehouse, **where: Any) -> list[Row]:
    """All episodes that have these values, oldest first."""
    rows = read(warehouse, "select * from findings order by opened_at, kind, facet, external_job_posting_id, location nulls first")
    return [row for row in rows if all(row[name] == value for name, value in where.items())]


def read_open(warehouse: Warehouse, **where: Any) -> list[Row]:
    return read_findings(warehouse, resolved_at=None, **where)


def kinds(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(row["kind"], row["facet"]) for row in rows]


def clear(warehouse: Warehouse) -> Warehouse:
    """Empty every table but the error catalog."""
    with warehouse.transaction():
        for table in list_tables():
            if table != "error_catalog":
                warehouse.connection.execute(f"delete from {table}")
    load_catalog(warehouse)
    return warehouse


def place(cases: Sequence[Sequence[Row]]) -> dict[str, list[Row]]:
    """Many worlds side by side, as what `given` takes: each case in applications of its own, so that none sees another's."""
    placed: dict[str, list[Row]] = {"tasks": [], "notifications": [], "checks": []}
    for case, rows in enumerate(cases):
        for row in rows:
            moved = row | {"application_urn": f"{row['application_urn']}/{case}"}
            for kind, key in (("tasks", "task_urn"), ("notifications", "notification_id"), ("checks", "check_id")):
                if key in row:
                    placed[kind].append(moved | {key: f"{row[key]}/{case}"})
    return placed


def split(rows: Iterable[Row], count: int) -> list[list[Row]]:
    """Rows that came of `place`, case by case."""
    found: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        found[int(row["application_urn"].rpartition("/")[2])].append(row)
    return found


def find_each(warehouse: Warehouse, cases: Sequence[Sequence[Row]], as_of: datetime = NOW) -> list[list[Row]]:
    """What one run finds in each of many worlds."""
    given(clear(warehouse), **place(cases))
    find(warehouse, as_of)
    return split(read_open(warehouse), len(cases))


def number(cases: Sequence[Sequence[Any]]) -> list[Any]:
    """The cases as parameters: the number of the case, then what is expected of it."""
    return [(index, *case[1:]) for index, case in enumerate(cases)]


def read_one(warehouse: Warehouse, table: str) -> Row:
    """The only row of a table."""
    (row,) = read(warehouse, f"select * from {table}")
    return row


def read_everything(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every table with every row, in an order that does not depend on how it was written."""
    return {name: sorted(warehouse.connection.execute(f"select * from {name}").fetchall(), key=repr) for name in list_tables()}

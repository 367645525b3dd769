"""A history of findings and runs, published for real, and the report made of it."""

import datetime as dt
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from jobrecon.reports.facts import Facts
from jobrecon.reports.report import ReportResult, read_facts, write_report
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse

MakeReport = Callable[..., ReportResult]
GatherFacts = Callable[..., Facts]

UTC = dt.UTC
NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
ACME = "urn:li:developerApplication:1001"


class History:
    """Rows to come, each with defaults for what a test does not care about."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rows: list[tuple[str, dict[str, Any]]] = []
        self.count = 0

    def add_finding(self, *, hours_ago: float = 2, **values: Any) -> dict[str, Any]:
        self.count += 1
        opened_at = values.get("opened_at", NOW - dt.timedelta(hours=hours_ago))
        row: dict[str, Any] = {
            "finding_id": f"f{self.count}",
            "finding_key": f"key-{self.count}",
            "kind": "FAILED",
            "facet": "TASK",
            "severity": "HIGH",
            "application_urn": ACME,
            "external_job_posting_id": f"job-{self.count}",
            "customer": "Acme",
            "account_manager": "Dana Fox",
            "reason": "LinkedIn does not accept the job.",
            "owner": "CUSTOMER",
            "next_action": "Ask the customer to correct it.",
            "since": opened_at,
            "opened_at": opened_at,
            "last_seen_at": opened_at,
        } | values
        self.rows.append(("findings", row))
        return row

    def add_job(self, external_job_posting_id: str, **values: Any) -> None:
        job = {"application_urn": ACME, "external_job_posting_id": external_job_posting_id, "expected_listing": "LISTED"}
        job |= {"title": "Nurse", "customer": "Acme", "account_manager": "Dana Fox"}
        self.rows.append(("job_postings", job | values))

    def add_task(self, task_urn: str, external_job_posting_id: str, **values: Any) -> None:
        task: dict[str, Any] = {"task_urn": task_urn, "application_urn": ACME, "external_job_posting_id": external_job_posting_id}
        task |= {"operation": "CREATE", "state": "SETTLED", "requested_at": NOW, "imported_at": NOW, "poll_count": 1}
        self.rows.append(("job_tasks", task | values))

    def add_run(self, as_of: dt.datetime = NOW, state: str = "COMPLETED", **values: Any) -> None:
        self.count += 1
        run = {"run_id": f"run-{self.count}", "as_of": as_of, "started_at": as_of, "state": state}
        self.rows.append(("runs", run | values))

    def add_customer(self, customer: str, account_manager: str | None, application_urn: str = ACME, email: str | None = None) -> None:
        row = {"application_urn": application_urn, "customer": customer, "account_manager": account_manager, "daily_call_limit": 1}
        row |= {"account_manager_email": email} if email else {}
        self.rows.append(("customers", row))

    def publish(self) -> None:
        with open_warehouse(self.settings) as warehouse:
            self.insert_rows(warehouse.connection)
            warehouse.publish()
        self.rows.clear()

    def insert_rows(self, connection: duckdb.DuckDBPyConnection) -> None:
        alike = defaultdict(list)
        for table, row in self.rows:
            alike[table, tuple(row)].append(row)
        for (table, _), rows in alike.items():
            connection.register("given", pa.Table.from_pylist(rows))
            connection.execute(f"insert into {table} by name select * from given")
            connection.unregister("given")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, timezone="UTC", _env_file=None)


@pytest.fixture
def history(settings: Settings, empty_home: Path) -> History:
    shutil.copytree(empty_home, settings.home, dirs_exist_ok=True)
    return History(settings)


@pytest.fixture
def report(history: History) -> MakeReport:
    """Publish the history and write its report, by default today's."""

    def publish_and_write(date: dt.date | None = None, now: dt.datetime = NOW) -> ReportResult:
        history.publish()
        return write_report(history.settings, date, now)

    return publish_and_write


@pytest.fixture
def gather(history: History) -> GatherFacts:
    """Publish the history and gather the facts of its report, without writing it."""

    def publish_and_gather(date: dt.date | None = None, now: dt.datetime = NOW) -> Facts:
        history.publish()
        return read_facts(history.settings, date, now)[0]

    return publish_and_gather

"""Files as partners write them, and what the warehouse holds after their import."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobrecon.ingest import ImportResult, import_tasks
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse

ACME = "urn:li:developerApplication:1001"
BETA = "urn:li:developerApplication:1002"
NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
HEADER = "task_urn,external_job_posting_id,operation,requested_at,application_urn,location,title\n"
GOOD = f"t1,job-1,CREATE,2026-03-01T05:00:00Z,{ACME},,Cook\n"

Write = Callable[..., Path]
ImportFile = Callable[..., ImportResult]


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One warehouse for all tests: to make one takes longer than most imports."""
    with open_warehouse(Settings(home=tmp_path_factory.mktemp("imports"))) as opened:
        yield opened


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    """The warehouse without a row of an import."""
    for table in ("job_tasks", "rejected_rows", "notifications", "notification_deliveries"):
        opened.connection.execute(f"delete from {table}")
    return opened


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file: bytes as they are, text as UTF-8 with the line ends given."""

    def write_file(content: str | bytes, name: str = "tasks.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def import_file(warehouse: Warehouse, settings: Settings) -> ImportFile:
    """Imports a file of tasks for the two configured applications."""

    def import_path(path: Path, now: datetime = NOW) -> ImportResult:
        return import_tasks(warehouse, path, settings.load_applications(), now)

    return import_path


def read(warehouse: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(statement).fetchall()


def read_tasks(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """What the imports gave, without when they came in."""
    return read(
        warehouse,
        "select task_urn, application_urn, external_job_posting_id, operation, requested_at, location, title, state, poll_count "
        "from job_tasks order by task_urn",
    )


def read_rejects(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return read(warehouse, "select source, line, reason, row from rejected_rows order by source, line")

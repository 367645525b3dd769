"""The task source: the partner's own database, from which each pull takes what is new since the last one."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from jobrecon.applications import Application, Applications
from jobrecon.errors import ConfigurationError, InputError
from jobrecon.ingest import ImportResult, check_source, pull_tasks, retry_rejected
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse
from tests.ingest.conftest import ACME, BETA, NOW, ImportFile, Write, read, read_rejects, read_tasks

QUERY = """select urn as "TASK_URN", job as external_job_posting_id, operation, requested_at, application_urn, 'more' as salary
from requests where requested_at >= :since"""

Pull = Callable[..., ImportResult]


class Source:
    """A partner's SQLite database of requests."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("create table requests (urn text, job text, operation text, requested_at text, application_urn text)")

    def add(self, urn: str, requested_at: datetime | str, operation: str | None = "CREATE", application: str = ACME) -> None:
        text = requested_at if isinstance(requested_at, str) else requested_at.isoformat()
        self.connection.execute("insert into requests values (?, 'job-1', ?, ?, ?)", (urn, operation, text, application))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    source = Source(tmp_path / "partner.db")
    yield source
    source.connection.close()


@pytest.fixture
def pull(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> Pull:
    def pull_since(
        last_pulled_at: datetime | None, query: str = QUERY, url: str = f"sqlite:///{tmp_path / 'partner.db'}", **options: Any
    ) -> ImportResult | None:
        chosen = Settings(home=settings.home, applications=settings.applications, task_source_url=url, task_source_query=query, **options)
        return pull_tasks(warehouse, chosen, settings.load_applications(), last_pulled_at, NOW)

    return pull_since  # type: ignore[return-value]


def test_the_first_pull_takes_everything_and_the_next_what_is_new_and_a_day_before(
    warehouse: Warehouse, source: Source, pull: Pull
) -> None:
    source.add("t1", NOW - timedelta(days=90))
    source.add("t2", NOW - timedelta(minutes=5))
    assert pull(None).added == 2
    source.add("t3", NOW + timedelta(minutes=5))
    # Committed late, with a time before the last pull.
    source.add("t4", NOW - timedelta(hours=20))
    source.add("too late", NOW - timedelta(days=4))
    result = pull(NOW)
    assert (result.added, result.known, result.notes) == (2, 1, [])
    assert [row[0] for row in read_tasks(warehouse)] == ["t1", "t2", "t3", "t4"]
    assert read_tasks(warehouse)[0][4] == NOW - timedelta(days=90)


def test_the_overlap_is_a_setting(warehouse: Warehouse, source: Source, pull: Pull) -> None:
    source.add("t1", NOW - timedelta(days=5))
    assert pull(NOW, task_source_overlap=60).added == 0
    assert pull(NOW, task_source_overlap=6 * 86_400).added == 1


def test_a_row_that_is_older_than_the_overlap_is_imported_and_said(warehouse: Warehouse, source: Source, pull: Pull) -> None:
    source.add("t1", NOW - timedelta(days=5))
    result = pull(NOW, QUERY.partition("where")[0])
    assert result.added == 1
    assert "1 new tasks were older than the overlap" in result.notes[0]
    assert "JOBRECON_TASK_SOURCE_OVERLAP" in result.notes[0]
    assert pull(NOW, QUERY.partition("where")[0]).notes == []


SPELLINGS = [
    "2026-03-01T04:30:00+00:00", "2026-03-01 04:30:00", "2026-03-01T04:30:00Z", "2026-03-01 04:30:00.000001",
    "2026-02-28T20:30:00-08:00", "2026-03-01T18:30:00+14:00", "2026-03-01T04:30",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_moment_in_sqlite_is_found_however_it_is_spelled(warehouse: Warehouse, source: Source, pull: Pull, text: str) -> None:
    source.add("t1", text)
    assert pull(datetime(2026, 3, 1, 4, 31, tzinfo=UTC), task_source_overlap=120).added == 1
    assert read_tasks(warehouse)[0][4].replace(microsecond=0) == datetime(2026, 3, 1, 4, 30, tzinfo=UTC)


@pytest.fixture
def partner(postgres_uri: str, request: pytest.FixtureRequest) -> Iterator[tuple[str, psycopg.Connection[tuple[object, ...]]]]:
    """A PostgreSQL database whose sessions are in the zone of the test's parameter."""
    name = f"partner_{uuid4().hex}"
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("alter database {} set timezone to {}").format(sql.Identifier(name), sql.Literal(request.param)))
    uri = postgres_uri.replace("/postgres?", f"/{name}?")
    with psycopg.connect(uri, autocommit=True) as connection:
        assert connection.execute("show timezone").fetchone() == (request.param,)
        yield uri, connection


@pytest.mark.parametrize("partner", ["Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles", "UTC"], indirect=True)
@pytest.mark.parametrize("column", ["timestamp", "timestamptz"])
def test_a_server_in_another_zone_is_read_as_utc_and_loses_no_row(
    warehouse: Warehouse, pull: Pull, partner: tuple[str, psycopg.Connection[tuple[object, ...]]], column: str
) -> None:
    uri, connection = partner
    connection.execute(f"create table requests (urn text, job bigint, operation text, requested_at {column}, application_urn text)")
    connection.execute("set time zone 'UTC'")
    for urn, minutes in (("before", -61), ("within", -59), ("now", 0)):
        connection.execute("insert into requests values (%s, 7, 'CREATE', %s, %s)", (urn, NOW + timedelta(minutes=minutes), ACME))
    result = pull(NOW, url=uri, task_source_overlap=3600)
    assert (result.added, result.notes) == (2, [])
    assert [(row[0], row[2], row[4]) for row in read_tasks(warehouse)] == [
        ("now", "7", NOW),
        ("within", "7", NOW - timedelta(minutes=59)),
    ]


@pytest.mark.parametrize("partner", ["Asia/Tokyo"], indirect=True)
@pytest.mark.parametrize(("name", "factor"), [("since_epoch", 1), ("since_epoch_ms", 1000)])
def test_columns_of_numbers_bytes_and_decimals_are_read(
    warehouse: Warehouse, pull: Pull, partner: tuple[str, psycopg.Connection[tuple[object, ...]]], name: str, factor: int
) -> None:
    uri, connection = partner
    connection.execute(
        "create table requests (urn bytea, job numeric, operation text, requested_at bigint, application_urn int, place uuid)"
    )
    place = uuid4()
    for urn, hours in ((b"old", -2), (b"new", 0)):
        moment = int((NOW + timedelta(hours=hours)).timestamp()) * factor
        row = (urn, 99999999999999999999, moment, place)
        connection.execute("insert into requests values (%s, %s, 'CREATE', %s, 1001, %s)", row)
    query = f"select urn as task_urn, job as external_job_posting_id, operation, requested_at, application_urn, place as location from requests where requested_at >= :{name}"
    assert pull(NOW, query, uri, task_source_overlap=3600).added == 1
    assert read_tasks(warehouse)[0][:6] == ("new", ACME, "99999999999999999999", "CREATE", NOW, str(place))


@pytest.mark.parametrize("partner", ["Europe/Berlin"], indirect=True)
@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_an_address_of_postgres_may_name_the_driver_or_not(
    pull: Pull, partner: tuple[str, psycopg.Connection[tuple[object, ...]]], scheme: str
) -> None:
    uri, connection = partner
    connection.execute("create table requests (urn text, job text, operation text, requested_at timestamp, application_urn text)")
    assert pull(None, url=uri.replace("postgresql://", scheme)).added == 0


DRIVERS = [
    ("snowflake://u:hush-hush@account/db", "snowflake-sqlalchemy"),
    ("mysql://u:hush-hush@host/db", "PyMySQL"),
    ("oracle+oracledb://u:hush-hush@host/db", "oracledb"),
    ("mssql+pyodbc://u:hush-hush@host/db", "pyodbc"),
    ("postgresql+psycopg2://u:hush-hush@host/db", "psycopg"),
    ("elsewhere://u:hush-hush@host/db", "SQLAlchemy dialect, elsewhere"),
]


@pytest.mark.parametrize(("url", "package"), DRIVERS)
def test_a_driver_that_is_missing_is_named(pull: Pull, url: str, package: str) -> None:
    with pytest.raises(ConfigurationError, match=package) as raised:
        pull(None, url=url)
    assert "hush-hush" not in str(raised.value)


def test_bad_rows_of_the_source_are_kept_once_with_their_number(warehouse: Warehouse, source: Source, pull: Pull) -> None:
    source.add("t1", NOW)
    source.add("t2", NOW, operation=None)
    assert pull(None).rejected == 1
    assert pull(None).rejected == 1
    ((name, line, reason, row),) = read_rejects(warehouse)
    assert (name, line, reason) == ("task source", 2, "operation is empty")
    assert '"task_urn":"t2"' in row


def test_rows_refused_for_an_unconfigured_application_are_tried_again_once_it_is(
    warehouse: Warehouse, source: Source, pull: Pull, settings: Settings, write: Write, import_file: ImportFile
) -> None:
    gamma = "urn:li:developerApplication:1003"
    source.add("t1", NOW, application="1003")
    source.add("t2", NOW, operation=None, application=gamma)
    assert pull(None).rejected == 2
    header = "task_urn;external_job_posting_id;operation;requested_at;application_urn;title\n"
    assert (
        import_file(write(header + f't3;7;CREATE;01.03.2026 05:00;{gamma};"Cook; ""chef"""\nt4;7;CREATE;2026-03-01;urn:x;\n')).rejected == 2
    )
    line = '{"TASK_URN": "t5", "external_job_posting_id": 99999999999999999999, "operation": "CREATE", "requested_at": 1772341200000, "application_urn": 1003}'
    assert import_file(write(line, "tasks.ndjson")).rejected == 1
    assert retry_rejected(warehouse, settings.load_applications(), NOW).added == 0
    assert len(read_rejects(warehouse)) == 5

    more = Applications([*settings.load_applications(), Application(gamma, "c", [], "Gamma")])
    result = retry_rejected(warehouse, more, NOW)
    assert (result.added, result.rejected) == (3, 0)
    assert [(row[0], row[1], row[2], row[6]) for row in read_tasks(warehouse)] == [
        ("t1", gamma, "job-1", None),
        ("t3", gamma, "7", 'Cook; "chef"'),
        ("t5", gamma, "99999999999999999999", None),
    ]
    assert {row[4] for row in read_tasks(warehouse)[1:]} == {datetime(2026, 3, 1, 5, tzinfo=UTC)}
    assert [row[2] for row in read_rejects(warehouse)] == ["application_urn is of no configured application: urn:x", "operation is empty"]
    assert retry_rejected(warehouse, more, NOW).added == 0


def test_rows_without_an_application_are_tried_again_once_there_is_one(
    warehouse: Warehouse, settings: Settings, import_file: ImportFile, write: Write
) -> None:
    path = write("task_urn,external_job_posting_id,operation,requested_at\nt1,7,CREATE,2026-03-01\n")
    assert import_file(path).rejected == 1
    only = Applications([Application(BETA, "c", [], "Beta")])
    assert retry_rejected(warehouse, only, NOW).added == 1
    assert (read_tasks(warehouse)[0][1], read_rejects(warehouse)) == (BETA, [])


def test_a_query_without_since_is_read_whole(warehouse: Warehouse, source: Source, pull: Pull) -> None:
    source.add("t1", NOW - timedelta(days=90))
    assert pull(NOW, QUERY.partition("where")[0]).added == 1


def test_no_source_is_fine_and_half_a_source_is_a_wrong_configuration(pull: Pull) -> None:
    assert pull(None, query="", url="") is None
    with pytest.raises(ConfigurationError, match="JOBRECON_TASK_SOURCE_QUERY"):
        pull(None, query="")
    with pytest.raises(ConfigurationError, match="JOBRECON_TASK_SOURCE_URL"):
        pull(None, url="")
    with pytest.raises(ConfigurationError, match="no database address"):
        pull(None, url="no address, but a password")


@pytest.mark.parametrize(
    ("query", "url", "reason"),
    [
        (QUERY, "sqlite:////nowhere/partner.db", "unable to open"),
        (QUERY, "postgresql+psycopg://user:hush-hush@127.0.0.1:1/tasks", "refused"),
        (QUERY, "postgresql://user@127.0.0.1:1/tasks?password=hush-hush", "refused"),
        ("select 1 from nowhere", None, "no such table"),
        ("select urn as task_urn from requests", None, "no column external_job_posting_id, operation, requested_at"),
        ("delete from requests", None, "ResourceClosedError"),
    ],
)
def test_a_source_that_cannot_be_read_is_an_error_without_the_password(
    warehouse: Warehouse, source: Source, pull: Pull, query: str, url: str | None, reason: str
) -> None:
    source.add("t1", NOW)
    with pytest.raises(InputError) as raised:
        pull(None, query, url) if url else pull(None, query)
    assert reason in str(raised.value)
    assert "hush-hush" not in str(raised.value)
    assert read(warehouse, "select count(*) from job_tasks") == [(0,)]
    assert source.connection.execute("select count(*) from requests").fetchone() == (1,)


def test_the_source_is_checked_by_running_its_query(source: Source, tmp_path: Path) -> None:
    chosen = Settings(task_source_url=f"sqlite:///{tmp_path / 'partner.db'}", task_source_query=QUERY)
    assert check_source(chosen, NOW)[:2] == ["task_urn", "external_job_posting_id"]
    with pytest.raises(InputError, match="no such column"):
        check_source(chosen.model_copy(update={"task_source_query": "select nothing_like_it from requests"}), NOW)

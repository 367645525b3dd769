"""Pulling new tasks from the partner's own database, by the query that the user set."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from jobrecon.applications import Applications
from jobrecon.errors import ConfigurationError, InputError
from jobrecon.ingest.result import ImportResult
from jobrecon.ingest.staging import stage_rows
from jobrecon.ingest.tasks import REQUIRED, merge_tasks
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SQLITE_SLACK = timedelta(days=1)
"""SQLite compares moments as text. A bound that is a day earlier, written with a blank, is below the text of every later moment,
written with a T, a Z or an offset; what is too early by that is known already."""

SESSION_IN_UTC = {
    "postgresql": "set time zone 'UTC'",
    "mysql": "set time_zone = '+00:00'",
    "mariadb": "set time_zone = '+00:00'",
    "oracle": "alter session set time_zone = 'UTC'",
    "snowflake": "alter session set timezone = 'UTC'",
    "duckdb": "set TimeZone = 'UTC'",
    "trino": "set time zone 'UTC'",
}
"""So that a moment without a zone is compared, and read, as UTC."""

PACKAGES = {
    "postgresql": "psycopg[binary]",
    "mysql": "PyMySQL (address mysql+pymysql://…)",
    "mariadb": "PyMySQL (address mariadb+pymysql://…)",
    "oracle": "oracledb (address oracle+oracledb://…)",
    "mssql": "pyodbc (address mssql+pyodbc://…)",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "redshift": "sqlalchemy-redshift",
    "databricks": "databricks-sqlalchemy",
    "duckdb": "duckdb-engine",
    "trino": "trino",
    "clickhouse": "clickhouse-sqlalchemy",
}


def pull_tasks(
    warehouse: Warehouse, settings: Settings, applications: Applications, last_pulled_at: datetime | None, now: datetime
) -> ImportResult | None:
    """Add what the task source has since the last pull; None where no source is set.

    Each pull reaches `JOBRECON_TASK_SOURCE_OVERLAP` seconds back before the last one; known tasks are not added twice. Raises
    `ConfigurationError` for a source of which only half is set, `InputError` where it cannot be read: the tasks known so far
    stay as they are.
    """
    if not is_source_set(settings):
        return None
    result = ImportResult("task source")
    since = last_pulled_at - timedelta(seconds=settings.task_source_overlap) if last_pulled_at else None
    with read_source(settings, since or BEGINNING) as (names, rows):
        numbered = ((number, dict(zip(names, row, strict=True)), None, None) for number, row in enumerate(rows, start=1))
        merge_tasks(warehouse, result, stage_rows(result.source, numbered), applications, now, since=since)
    return result


def check_source(settings: Settings, now: datetime) -> list[str]:
    """Run the query as a pull would and read its first row; returns its columns. Raises as `pull_tasks`."""
    with read_source(settings, now) as (names, rows):
        rows.fetchone()
        return names


def is_source_set(settings: Settings) -> bool:
    """Whether a task source is set. Raises `ConfigurationError` where only its address or only its query is."""
    is_url, is_query = bool(settings.task_source_url.get_secret_value()), bool(settings.task_source_query)
    if is_url != is_query:
        raise ConfigurationError("JOBRECON_TASK_SOURCE_URL and JOBRECON_TASK_SOURCE_QUERY go together; one of them is missing.")
    return is_url


@contextmanager
def read_source(settings: Settings, since: datetime) -> Iterator[tuple[list[str], CursorResult[Any]]]:
    """The query's columns in lower case and its rows, streamed."""
    engine = open_source(settings.task_source_url.get_secret_value())
    try:
        with engine.connect() as connection:
            if statement := SESSION_IN_UTC.get(engine.dialect.name):
                connection.execute(text(statement))
            streaming = connection.execution_options(stream_results=True, max_row_buffer=10_000)
            rows = streaming.execute(*_bind_since(connection, settings.task_source_query, since))
            names = [str(key).lower() for key in rows.keys()]  # noqa: SIM118 - a result has no other way
            if missing := [name for name in REQUIRED if name not in names]:
                raise InputError(
                    f"The task source's query has no column {', '.join(missing)}. Nothing was pulled. Name its columns as in the import."
                )
            yield names, rows
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())
        raise InputError(
            f"The task source cannot be read: {cause[:300]}. The tasks known so far stay as they are; the next run tries again."
        ) from None
    finally:
        engine.dispose()


def open_source(address: str) -> Engine:
    """The engine of an address; `postgres://` and `postgresql://` mean psycopg. Raises `ConfigurationError`, without the address."""
    name = ""
    try:
        url = make_url(address)
        name = url.get_backend_name()
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        return create_engine(url)
    except (NoSuchModuleError, ImportError) as error:
        package = PACKAGES.get(name) or getattr(error, "name", None) or f"its SQLAlchemy dialect, {name}"
        raise ConfigurationError(f"JOBRECON_TASK_SOURCE_URL needs a package that is not installed: {package}. Install it.") from None
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"JOBRECON_TASK_SOURCE_URL is no database address that can be used ({type(error).__name__}).") from None


def _bind_since(connection: Connection, query: str, since: datetime) -> tuple[Any, dict[str, Any]]:
    """The query with those of `:since`, `:since_epoch` and `:since_epoch_ms` that it names."""
    statement = text(query)
    if connection.dialect.name == "sqlite":
        bound: Any = (since - SQLITE_SLACK).strftime("%Y-%m-%d %H:%M:%S")
    else:
        bound = since.astimezone(UTC).replace(tzinfo=None)
    values = {"since": bound, "since_epoch": int(since.timestamp()), "since_epoch_ms": int(since.timestamp() * 1000)}
    wanted = statement.compile().params
    return statement, {name: value for name, value in values.items() if name in wanted}

"""Open the landing database: SQLite beside the warehouse by default, PostgreSQL for several machines."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from jobrecon.errors import ConfigurationError, LandingUnavailable
from models import LandingTable

BUSY_TIMEOUT_SECONDS = 30
POSTGRESQL_WAITING = {
    "connect_timeout": 5,
    # A server that vanished is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
TABLES_LOCK = 7_106_001
"""Any number, the same in all our processes."""


def open_landing(url: str) -> Engine:
    """The landing database at `url`, its tables made where they are missing.

    SQLite: write-ahead log, every commit on disk before it returns, file readable by its owner only (it holds tokens).
    Raises `ConfigurationError` for an address that is none, `LandingUnavailable` where the database cannot be reached.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            if address.database in (None, "", ":memory:"):
                raise ConfigurationError("JOBRECON_LANDING_URL must name a file: sqlite:////path/landing.db. In memory nothing would last.")
            _make_private_file(Path(address.database))
            engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
            event.listen(engine, "connect", _prepare_sqlite)
        else:
            engine = create_engine(address, pool_pre_ping=True, connect_args=_bound_waiting(address))
            if address.get_backend_name() == "postgresql":
                event.listen(engine, "connect", _prepare_postgresql)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise ConfigurationError(f"JOBRECON_LANDING_URL is no database address that can be used ({type(error).__name__}).") from None
    _create_tables(engine)
    return engine


def _bound_waiting(address: URL) -> dict[str, Any]:
    """Time limits for a PostgreSQL server that does not respond, where the address sets none."""
    if address.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in POSTGRESQL_WAITING.items() if name not in address.query}


def _create_tables(engine: Engine) -> None:
    with explain_landing_errors(engine), engine.begin() as connection:
        # Several processes may start on an empty database: one makes the tables, the others wait for it and find them.
        connection.exec_driver_sql(
            "begin immediate" if connection.dialect.name == "sqlite" else f"select pg_advisory_xact_lock({TABLES_LOCK})"
        )
        LandingTable.metadata.create_all(connection)
        _add_missing_columns(connection)


def _add_missing_columns(connection: Connection) -> None:
    """Add the nullable columns that a database made by an older version lacks."""
    for table in LandingTable.metadata.sorted_tables:
        present = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present and column.nullable:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"alter table {table.name} add column {definition}")


@contextmanager
def explain_landing_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's own errors into `LandingUnavailable`, without address or credentials."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise LandingUnavailable(
            f"The landing database ({engine.url.render_as_string(hide_password=True)}) cannot be used: {cause}. "
            "Everything acknowledged stays in it. Repair the database and run again."
        ) from error


def _make_private_file(path: Path) -> None:
    """Create the file before SQLite does, readable by its owner only; the log files beside it inherit that."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise LandingUnavailable(f"The landing database {path} cannot be opened: {error.strerror}. Nothing was changed.") from error


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Commits are on disk before they return, even where the server's default is to return earlier."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'")
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")

"""Open the landing database: SQLite beside the warehouse by default, PostgreSQL for several machines."""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.file_watch import watch_file
from models import LandingTable
from models.base import table_of
from models.inbox import LandingIdentity

BUSY_TIMEOUT_SECONDS = 30
POSTGRESQL_WAITING = {
    "connect_timeout": 5,
    # A server that vanished is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def open_landing(url: str, expected_id: str | None = None) -> Engine:
    """The landing database at `url`, its tables made where they are missing.

    With `expected_id` it must be the one of that identity: nothing is made then. SQLite: write-ahead log, every commit on disk
    before it returns, file readable by its owner only (it holds tokens). Raises `ConfigurationError` for an address that is
    none, `LandingUnavailable` where the database cannot be reached, or is another one than expected.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            if address.database in (None, "", ":memory:"):
                raise ConfigurationError("JOBRECON_LANDING_URL must name a file: sqlite:////path/landing.db. In memory nothing would last.")
            path = Path(address.database)
            if expected_id is not None and not path.exists():
                raise _explain_other(address)
            _make_private_file(path)
            engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
            watch_file(engine, path)
            event.listen(engine, "connect", _prepare_sqlite)
        else:
            engine = create_engine(address, pool_pre_ping=True, connect_args=_bound_waiting(address))
            if address.get_backend_name() == "postgresql":
                event.listen(engine, "connect", _prepare_postgresql)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise ConfigurationError(f"JOBRECON_LANDING_URL is no database address that can be used ({type(error).__name__}).") from None
    try:
        with explain_landing_errors(engine), engine.connect() as connection:
            if expected_id is not None and read_landing_id(connection) != expected_id:
                raise _explain_other(address)
        with explain_landing_errors(engine), engine.begin() as connection:
            create_tables(connection)
    except LandingUnavailable:
        engine.dispose()
        raise
    return engine


@contextmanager
def using_landing(url: str) -> Iterator[Engine]:
    """The landing database at `url` until the block ends. Raises as `open_landing` does."""
    engine = open_landing(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _explain_other(address: URL) -> LandingUnavailable:
    return LandingUnavailable(
        f"The landing database ({address.render_as_string(hide_password=True)}) is not the one that this warehouse's last run used: it "
        "is missing, or a new one is in its place. Its call ledger and the notifications that were not yet merged are missing with "
        "it, so no call was sent. Restore it from a backup (docs/backup.md), or, where it is gone for good or you changed "
        "JOBRECON_LANDING_URL on purpose, run once: jobrecon run --new-landing"
    )


def get_landing_id(engine: Engine) -> str | None:
    """The identity of an open landing database. Raises `LandingUnavailable`."""
    with explain_landing_errors(engine), engine.connect() as connection:
        return read_landing_id(connection)


def _bound_waiting(address: URL) -> dict[str, Any]:
    """Time limits for a PostgreSQL server that does not respond, where the address sets none."""
    if address.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in POSTGRESQL_WAITING.items() if name not in address.query}


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


def insert_or(connection: Connection, table: Any) -> Any:
    """An insert that takes `on_conflict_do_…`, in the dialect of the database."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


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
    _switch_to_wal(connection)
    connection.execute("pragma synchronous = full")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite's busy timeout does not cover this: processes that open a new file at once are refused."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


TABLES_LOCK = 7_106_001
"""Any number, the same in all our processes."""

_identity = table_of(LandingIdentity)


def create_tables(connection: Connection) -> None:
    """Create missing tables, columns and indexes. Several processes may do so at once: one does, the others wait for it."""
    connection.exec_driver_sql("begin immediate" if connection.dialect.name == "sqlite" else f"select pg_advisory_xact_lock({TABLES_LOCK})")
    LandingTable.metadata.create_all(connection)
    _add_columns(connection)
    _move_bodies(connection)
    if read_landing_id(connection) is None:
        connection.execute(_identity.insert().values(landing_id=uuid4().hex))


def read_landing_id(connection: Connection) -> str | None:
    """The identity of the landing database; None where it has no tables yet."""
    if not inspect(connection).has_table(_identity.name):
        return None
    landing_id: str | None = connection.scalar(select(_identity.c.landing_id))
    return landing_id


def _add_columns(connection: Connection) -> None:
    for table in LandingTable.metadata.sorted_tables:
        present = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                connection.execute(text(f"alter table {table.name} add column {CreateColumn(column).compile(dialect=connection.dialect)}"))
                if column.unique:
                    connection.execute(text(f"create unique index {table.name}_{column.name} on {table.name} ({column.name})"))


def _move_bodies(connection: Connection) -> None:
    """An older inbox held the body of each delivery in its own row."""
    if "body" not in {column["name"] for column in inspect(connection).get_columns("inbox")}:
        return
    for statement in (
        "insert into bodies (raw_hash, last_received_at, receipts, payload, body) "
        "select 'delivery:' || delivery_id, received_at, 1, payload, body from inbox",
        "update inbox set raw_hash = 'delivery:' || delivery_id",
        "alter table inbox drop column payload",
        "alter table inbox drop column body",
    ):
        connection.execute(text(statement))

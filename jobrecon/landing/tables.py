"""The tables of the landing database: made where they are missing, brought up to date where they are older."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateColumn

from models import LandingTable
from models.inbox import LandingIdentity

TABLES_LOCK = 7_106_001
"""Any number, the same in all our processes."""

_identity: Any = LandingIdentity.__table__  # type: ignore[attr-defined]


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

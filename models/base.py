"""The two databases' base classes and the one way a moment is stored in them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Table
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: TIMESTAMPTZ where the database has it, naive UTC text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without an offset: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WarehouseTable(SQLModel, registry=registry()):
    """A table of the DuckDB warehouse.

    Made without keys (they make loads slower and files bigger, and DuckLake has none): `primary_key` here only names the
    grain, which the merges keep and the tests prove. Field descriptions become the DuckDB comments and docs/tables.md.
    """


class LandingTable(SQLModel, registry=registry()):
    """A table of the landing database: small, transactional, many writers."""


def table_of(model: type[SQLModel]) -> Table:
    """The table of a model, for statements of SQLAlchemy: SQLModel does not tell type checkers about it."""
    table: Table = model.__dict__["__table__"]
    return table


def utc_field(description: str, **options: Any) -> Any:
    """A field that holds a moment in UTC."""
    return Field(description=description, sa_type=UtcDateTime, **options)


def optional_utc_field(description: str, **options: Any) -> Any:
    """A field that holds a moment in UTC, or null."""
    return Field(default=None, description=description, sa_type=UtcDateTime, nullable=True, **options)

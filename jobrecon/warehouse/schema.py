"""Tables of the warehouse, made from the models: no keys, every column commented, additive evolution."""

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from sqlmodel import SQLModel

from jobrecon.errors import WarehouseError
from jobrecon.warehouse.statements import load_statements
from models import CallBudget, Customer, KnownMessage, Run, SettlingHazard, WarehouseInfo, WarehouseTable
from models.base import table_of

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
VERSION = 3
"""Version of the tables. It grows with each change that older programs must not write to."""
WAREHOUSE_INFO = str(WarehouseInfo.__tablename__)


@cache
def list_tables() -> dict[str, type[SQLModel]]:
    """Every table model of the warehouse by its table name."""
    found: dict[str, type[SQLModel]] = {}
    pending: list[type[SQLModel]] = list(WarehouseTable.__subclasses__())
    while pending:
        model = pending.pop()
        pending += model.__subclasses__()
        if hasattr(model, "__table__"):
            found[str(model.__tablename__)] = model
    return dict(sorted(found.items()))


def describe_table(model: type[SQLModel]) -> str:
    """First paragraph of the model's docstring: the grain."""
    return " ".join((model.__doc__ or "").strip().split("\n\n")[0].split())


def list_columns(model: type[SQLModel]) -> list[tuple[str, str, str]]:
    """(name, DuckDB type, description) of each column."""
    columns = table_of(model).columns
    return [(c.name, c.type.compile(DIALECT), model.model_fields[c.name].description or "") for c in columns]


def list_views() -> dict[str, tuple[str, str]]:
    """The description and the query of each view of `sql/views/`, by name."""
    found = {}
    for name, text in load_statements().items():
        if name.startswith("views/"):
            description = " ".join(line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--"))
            query = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
            found[name.removeprefix("views/")] = (description, query)
    return found


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create missing tables without comments, which take most of the time: enough for binding statements."""
    for model in list_tables().values():
        connection.execute(_create_statement(model))


def apply_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Create missing tables, columns and views and set comments that differ. Existing data is never touched.

    Raises `WarehouseError` where a newer version made the warehouse, or where somebody changed its tables.
    """
    catalog, schema = connection.execute("select current_database(), current_schema()").fetchone() or ("", "")
    (kind,) = connection.execute("select type from duckdb_databases() where database_name = ?", [catalog]).fetchone() or ("duckdb",)

    def read(columns: str, function: str) -> list[Any]:
        query = f"select {columns} from {function}() where database_name = ? and schema_name = ?"
        return connection.execute(query, [catalog, schema]).fetchall()

    table_comments: dict[str, str] = dict(read("table_name, comment", "duckdb_tables"))
    view_comments: dict[str, str] = dict(read("view_name, comment", "duckdb_views"))
    types: dict[str, dict[str, str]] = {}
    comments: dict[str, dict[str, str]] = {}
    for table, column, type_, comment in read("table_name, column_name, data_type, comment", "duckdb_columns"):
        types.setdefault(table, {})[column] = type_
        comments.setdefault(table, {})[column] = comment
    version = _read_version(connection) if WAREHOUSE_INFO in table_comments else None
    _check_tables(types, table_comments.keys(), view_comments.keys())
    for name, model in list_tables().items():
        if name not in types:
            connection.execute(_create_statement(model))
        for column, type_, description in list_columns(model):
            if name in types and column not in types[name]:
                connection.execute(f'alter table {name} add column "{column}" {type_}')
            if comments.get(name, {}).get(column) != description:
                connection.execute(f"""comment on column {name}."{column}" is {quote(description)}""")
        if table_comments.get(name) != describe_table(model):
            connection.execute(f"comment on table {name} is {quote(describe_table(model))}")
    if version != VERSION:
        write_info(connection, "schema_version", str(VERSION))
    info = read_info(connection)
    for name, (description, text) in list_views().items():
        # An unchanged view is not replaced, so that opening writes nothing.
        digest = hashlib.sha256(text.encode()).hexdigest()
        is_unchanged = info.get(f"view {name}") == digest and view_comments.get(name) == description
        if not is_unchanged or (kind == "duckdb" and not all(comments.get(name, {}).values())):
            connection.execute(f"create or replace view {name} as {text}")
            # DuckLake has no comments on a view's columns, nor has what is published from it.
            for column, *_ in connection.execute(f"describe {name}").fetchall() if kind == "duckdb" else ():
                connection.execute(f"""comment on column {name}."{column}" is {quote(_describe_view_column(column))}""")
            connection.execute(f"comment on view {name} is {quote(description)}")
            write_info(connection, f"view {name}", digest)


@cache
def fingerprint_statements() -> str:
    """What changes with any statement, with the tables that statements read, and with the DuckDB that binds them."""
    tables = [f"{name} {list_columns(model)}" for name, model in list_tables().items()]
    staged = [f"{name} {schema}" for name, schema in STAGED.items()]
    return hashlib.sha256("\0".join([duckdb.__version__, *tables, *staged, *load_statements().values()]).encode()).hexdigest()


def read_info(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The rows of `warehouse_info`."""
    return dict(connection.execute(f"select name, value from {WAREHOUSE_INFO}").fetchall())


def write_info(connection: duckdb.DuckDBPyConnection, name: str, value: str) -> None:
    """Write one row of `warehouse_info` anew."""
    connection.execute(f"delete from {WAREHOUSE_INFO} where name = '{name}'")
    connection.execute(f"insert into {WAREHOUSE_INFO} by name select '{name}' as name, '{value}' as value")


def _read_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version of the tables, where one is recorded. Raises `WarehouseError` for a newer one than this program's."""
    try:
        (text,) = connection.execute(f"select max(value) from {WAREHOUSE_INFO} where name = 'schema_version'").fetchone() or (None,)
        version = int(text) if text else None
    except (duckdb.ProgrammingError, TypeError, ValueError):
        # Somebody changed the table: that is said with what else they changed.
        return None
    if version and version > VERSION:
        raise WarehouseError(
            f"The warehouse was made by a newer version of jobrecon: its tables have version {version}, this program knows {VERSION}. "
            "Nothing was changed. Install that version, or restore a warehouse of this one."
        )
    return version


def _check_tables(types: Mapping[str, Mapping[str, str]], tables: Collection[str], views: Collection[str]) -> None:
    """Raise `WarehouseError` with everything in the way of this program: missing keys, other types, tables instead of views."""
    problems = [f"{name} is a view, must be a table" for name in list_tables() if name in views]
    problems += [f"{name} is a table, must be a view" for name in list_views() if name in tables]
    for name, model in list_tables().items():
        present = types.get(name, {}) if name in tables else {}
        for column, type_, _ in list_columns(model):
            if present and column not in present and table_of(model).columns[column].primary_key:
                problems.append(f"{name} has no column {column}")
            if column in present and present[column] != type_:
                problems.append(f"{name}.{column} is {present[column]}, must be {type_}")
    if problems:
        raise WarehouseError(
            "The warehouse's tables were changed. Nothing was written.\n"
            + "\n".join(f"  {problem}" for problem in problems)
            + "\nChange them back, or move the warehouse away: a new one is filled from imports, the landing database and LinkedIn."
        )


def _describe_view_column(name: str) -> str:
    """Description of a view's column: that of the first table with such a column, or its own."""
    own = {
        "day": "UTC day",
        "open_before": "Findings open when the day began",
        "new_count": "Findings opened that day",
        "resolved_count": "Findings resolved that day",
        "open_now": "Findings open when the day ended",
        "age_hours": "Hours from since to the as_of of the last run",
        "settled_at": "When its outcome was first seen",
        "from_status": "What LinkedIn said before",
        "to_status": "What LinkedIn says from then on",
        "changed_at": "When LinkedIn first said so",
        "not_before": "From when on to send it",
        "seconds": "Seconds from the request until its outcome was seen",
    }
    if name in own:
        return own[name]
    described = (model.model_fields[name].description for model in list_tables().values() if name in model.model_fields)
    return next(described, None) or name.replace("_", " ")


def _create_statement(model: type[SQLModel]) -> str:
    columns = [Column(c.name, c.type, quote=True) for c in table_of(model).columns]
    return str(CreateTable(Table(str(model.__tablename__), MetaData(), *columns)).compile(dialect=DIALECT))


def quote(text: str) -> str:
    """Text between single quotes, where a statement takes no bound value."""
    return "'" + text.replace("'", "''") + "'"


TIMESTAMP = pa.timestamp("us", tz="UTC")
ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP WITH TIME ZONE": TIMESTAMP,
}


def _describe_rows(model: type[SQLModel]) -> pa.Schema:
    """Whole rows of a table, as Arrow."""
    return pa.schema([(name, ARROW_TYPES[type_]) for name, type_, _ in list_columns(model)])


STAGED: dict[str, pa.Schema] = {
    # Bulk input of statements; each table is registered under its name while the statement runs.
    "staged_import": pa.schema(
        [("source", pa.string()), ("line", pa.int64())]
        + [(name, pa.string()) for name in ("task_urn", "external_job_posting_id", "operation", "requested_at")]
        + [(name, pa.string()) for name in ("application_urn", "location", "title", "row", "problem")]
    ),
    "staged_results": pa.schema(
        [(name, pa.string()) for name in ("task_urn", "application_urn", "outcome", "status", "error_message", "job_posting_urn")]
        + [("external_job_posting_id", pa.string()), ("location", pa.string()), ("batch", pa.int64()), ("is_requested", pa.bool_())]
    ),
    "staged_deliveries": pa.schema(
        [(name, pa.string()) for name in ("delivery_id", "application_urn", "external_job_posting_id", "type")]
        + [("received_at", TIMESTAMP), ("arrival", pa.int64()), ("body_hash", pa.string()), ("payload", pa.string())]
    ),
    "staged_hazards": pa.schema([("bin", pa.int32()), ("hazard_per_second", pa.float64())]),
    "staged_weights": pa.schema([("operation", pa.string()), ("weight", pa.float64())]),
    "staged_estimates": _describe_rows(SettlingHazard),
    "staged_merges": pa.schema([("merge_id", pa.string())]),
    "staged_challenges": pa.schema([("application_urn", pa.string()), ("challenged_at", TIMESTAMP)]),
    "staged_rejects": pa.schema([("source", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("row", pa.string())]),
    "staged_jobs": pa.schema([("application_urn", pa.string()), ("external_job_posting_id", pa.string())]),
    "staged_customers": _describe_rows(Customer),
    "staged_catalog": _describe_rows(KnownMessage),
    "staged_kinds": pa.schema(
        [(name, pa.string()) for name in ("kind", "facet", "severity", "owner", "reason", "next_action", "remedy", "evidence")]
        + [("else_resolution", pa.string()), ("after_seconds", pa.float64())]
    ),
    "staged_endings": pa.schema(
        [(name, pa.string()) for name in ("kind", "facet", "fact", "value", "resolution")] + [("position", pa.int64())]
    ),
    "staged_checks": pa.schema(
        [(name, pa.string()) for name in ("application_urn", "external_job_posting_id", "payload")] + [("is_known", pa.bool_())]
    ),
    "staged_budget": _describe_rows(CallBudget),
    "staged_run": _describe_rows(Run),
    "staged_info": _describe_rows(WarehouseInfo),
}

"""Gather: join the shards' published copies, or a lake's tagged snapshots, into the one copy for analysts and reports."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from jobrecon.applications import Applications
from jobrecon.errors import ConfigurationError, WarehouseError
from jobrecon.settings import Settings, name_for_shard
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.lake import attach_tagged, read_lake_address
from jobrecon.warehouse.lock import WriterLock, hold_database_lock, hold_file_lock
from jobrecon.warehouse.parquet import export_parquet
from jobrecon.warehouse.publish import replace_whole
from jobrecon.warehouse.schema import apply_schema, list_tables, quote

ALL_ROWS = {"notification_merges", "rejected_rows", "runs"}
"""Tables without an application, of which each shard has rows of its own. Others are the same in every shard."""
LAST_RUN = "select max(as_of) from shard.runs where state in ('COMPLETED', 'INCOMPLETE')"


@dataclass
class GatherResult:
    """What was joined, and why the result is incomplete."""

    shards: dict[str, datetime] = field(default_factory=dict)
    """The time that the last finished run of each shard speaks about, by the shard's name."""
    incomplete_reasons: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        runs = [f"{name} as of {as_of.isoformat(timespec='seconds')}" for name, as_of in self.shards.items()]
        return f"{len(runs)} shards gathered: {', '.join(runs) or 'none'}"


def gather(settings: Settings, now: datetime) -> GatherResult:
    """Replace the published copy by the rows of all shards, each giving those of its own applications. Idempotent.

    A shard that cannot be read or is older than `stale_after` is a reason in the result; the others are joined all the same.
    Raises `ConfigurationError` where there is only one shard, which publishes that copy itself.
    """
    applications = settings.load_applications()
    if len(applications.shards) == 1:
        raise ConfigurationError(
            "There is nothing to gather: no application has a shard, and `jobrecon run` publishes the copy itself. Nothing was changed."
        )
    result = GatherResult()
    with _hold_lock(settings), replace_whole(settings.published) as fresh, closing(connect(fresh)) as connection:
        apply_schema(connection)
        for name in applications.shards:
            own = applications.of_shard(name)
            label = f"The shard {name}" if name else "The default shard"
            try:
                with _attach_shard(connection, settings, name):
                    as_of = _copy_shard(connection, own)
            except (WarehouseError, duckdb.Error) as error:
                result.incomplete_reasons.append(f"{label} is missing: {' '.join(str(error).split())}")
                continue
            if as_of is None:
                result.incomplete_reasons.append(f"{label} is missing: none of its runs has finished.")
                continue
            result.shards[name or "default"] = as_of
            if now - as_of > timedelta(seconds=settings.stale_after):
                result.incomplete_reasons.append(f"{label} is stale: its last run is as of {as_of.isoformat(timespec='seconds')}.")
        connection.execute("checkpoint")
        if settings.parquet:
            export_parquet(Warehouse(connection, settings), Path(settings.parquet))
    return result


def _hold_lock(settings: Settings) -> AbstractContextManager[WriterLock]:
    """One process gathers at a time: across machines where they share a landing database, as `published` may lie in a shared folder."""
    guarded = f"{settings.published} (to gather into it)"
    if settings.landing_url.startswith("postgresql"):
        address = settings.landing_url.replace("postgresql+psycopg://", "postgresql://")
        return hold_database_lock(address, "gather", guarded, settings.lock_wait)
    return hold_file_lock(settings.home / "gather.lock", guarded, settings.lock_wait)


@contextmanager
def _attach_shard(connection: duckdb.DuckDBPyConnection, settings: Settings, name: str) -> Iterator[None]:
    """What the last finished run of a shard published, attached as `shard`. Raises `WarehouseError` where there is none."""
    if settings.is_lake:
        lake = read_lake_address(settings.warehouse, name)
        if not attach_tagged(connection, lake, settings, alias="shard"):
            raise WarehouseError(f"{lake.name} holds no finished run.")
    else:
        path = name_for_shard(settings.published, name or "default")
        if not path.exists():
            raise WarehouseError(f"{path} does not exist.")
        connection.execute(f"attach {quote(str(path))} as shard (read_only)")
    try:
        yield
    finally:
        connection.execute("detach shard")


def _copy_shard(connection: duckdb.DuckDBPyConnection, own: Applications) -> datetime | None:
    """Insert the shard's rows of its own applications, all or none; returns the time its last finished run speaks about."""
    present: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'shard' and schema_name = 'main'"
    ).fetchall():
        present.setdefault(table, []).append(column)
    is_owned = (
        "coalesce(application_urn, '') not in (select unnest($urns))"
        if own.is_default_shard
        else "application_urn in (select unnest($urns))"
    )
    urns = own.others if own.is_default_shard else [application.urn for application in own]
    connection.execute("begin")
    try:
        for table, model in list_tables().items():
            # A shard that was written by another version may lack a column or have one more.
            columns = [name for name in present.get(table, []) if name in model.model_fields]
            names = ", ".join(f'"{name}"' for name in columns)
            values: dict[str, Any] = {"urns": urns}
            if "application_urn" in columns:
                condition = is_owned
            elif "task_urn" in columns:
                condition = f"task_urn in (select task_urn from shard.job_tasks where {is_owned})"
            else:
                condition, values = "true" if table in ALL_ROWS else f"not exists (from {table})", {}
            if columns:
                connection.execute(f"insert into {table} by name select {names} from shard.{table} where {condition}", values)
        as_of: datetime | None = (connection.execute(LAST_RUN).fetchone() or (None,))[0]
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return as_of

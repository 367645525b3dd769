"""Read-only access to the published copy, which no writer ever locks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from jobrecon.errors import WarehouseError
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.lake import ALIAS, attach_tagged, read_lake_address


def connect_published(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection to the published copy, else to a lake's tagged snapshot, else to the writer's file.

    Raises `WarehouseError` where none of them exists.
    """
    if settings.is_lake and not settings.published.exists():
        return _connect_tagged(settings)
    path = settings.published if settings.published.exists() else Path(settings.warehouse)
    if not path.exists():
        raise WarehouseError(f"There is no warehouse yet ({settings.published} does not exist). Import tasks and run `jobrecon run` first.")
    try:
        return connect(path, read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be read: {str(error).splitlines()[0]}. Run `jobrecon run`: it makes a new copy.") from error


def _connect_tagged(settings: Settings) -> duckdb.DuckDBPyConnection:
    lake = read_lake_address(settings.warehouse, settings.shard)
    connection = connect()
    try:
        if attach_tagged(connection, lake, settings):
            connection.execute(f"use {ALIAS}")
            return connection
        raise WarehouseError(f"{lake.name} holds no finished run yet. Import tasks and run `jobrecon run` first.")
    except BaseException:
        connection.close()
        raise


@contextmanager
def open_published(settings: Settings) -> Iterator[Warehouse]:
    """The published copy for our own statements, until the block ends."""
    with connect_published(settings) as connection:
        yield Warehouse(connection, settings)

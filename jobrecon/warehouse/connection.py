"""The writer's connection to the warehouse."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from jobrecon.errors import PublishFailed, WarehouseError, WarehouseInvalidated
from jobrecon.settings import Settings
from jobrecon.warehouse.duckdb_file import connect, first_line, open_file
from jobrecon.warehouse.lake import LakeAddress, attach_for_writing, hold_lake_lock, read_lake_address, tag_snapshot
from jobrecon.warehouse.lock import WriterLock, hold_file_lock
from jobrecon.warehouse.publish import publish_catalog, publish_file
from jobrecon.warehouse.schema import STAGED, apply_schema, fingerprint_statements, make_tables, read_info, write_info
from jobrecon.warehouse.statements import load_statements, prepare_statements

if TYPE_CHECKING:
    import pandas as pd


REPAIR = "Free disk space or memory, or repair the disk, and run again; where the file is damaged, restore it (docs/backup.md)."


@contextmanager
def explain_errors() -> Iterator[None]:
    """Turn errors of disk, memory and concurrency, and tables that are gone, into `WarehouseError`; errors in a statement pass through.

    After a fatal one, `WarehouseInvalidated`, DuckDB refuses the file to this process: it must end.
    """
    try:
        yield
    except (duckdb.FatalException, duckdb.InternalException) as error:
        raise WarehouseInvalidated(
            f"The warehouse failed: {first_line(error)}. What was committed is safe, this process can no longer use it. {REPAIR}"
        ) from error
    except duckdb.Error as error:
        # All tables were there when it was opened: one that is missing now was taken away since.
        if isinstance(error, duckdb.ProgrammingError | duckdb.DataError) and not isinstance(error, duckdb.CatalogException):
            raise
        raise WarehouseError(
            f"The warehouse failed: {first_line(error)}. This step was rolled back, earlier ones are committed. {_name_remedy(error)}"
        ) from error


def _name_remedy(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.CatalogException):
        return "The warehouse was changed or replaced while it was open: make sure that no run is going on when it is, and run again."
    if isinstance(error, duckdb.TransactionException):
        return "Another process wrote to the same tables: make sure that only jobrecon writes to this warehouse, and run again."
    return REPAIR


class Warehouse:
    """The open warehouse: statements by name, in bulk. Not for two threads at once: give each its own `cursor()`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, settings: Settings, lake: LakeAddress | None = None, lock: WriterLock | None = None
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.lake = lake
        self.lock = lock

    def run(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> list[tuple[Any, ...]]:
        """Run the statement `name` and return its rows. `staged` tables are visible to this statement only."""
        return self._execute(load_statements()[name], staged, values)[1]

    def read(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries."""
        columns, rows = self._execute(load_statements()[name], staged, values)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def touch(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> None:
        """Run a statement that inserts into `touched_jobs`, in the transaction of the write that touches these jobs.

        Until all jobs were examined by the same rules the next run examines all of them: nothing is inserted then.
        """
        if self.run("touched/select_rules"):
            self.run(name, staged, **values)

    def column(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> list[Any]:
        """The first column of a query, for results of a million rows."""
        table: Any = self._execute(load_statements()[name], staged, values, fetch=duckdb.DuckDBPyConnection.to_arrow_table)[1]
        return list(table.column(0).to_pylist())

    def frame(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> "pd.DataFrame":
        """The rows of a query as a DataFrame: integers stay integers where values are missing, and moments have a time zone."""
        return to_frame(self._execute(load_statements()[name], staged, values, fetch=duckdb.DuckDBPyConnection.to_arrow_table)[1])

    def change(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> int:
        """Run a statement that inserts, updates or deletes; returns how many rows it changed."""
        return int(self.run(name, staged, **values)[0][0])

    def count(self, name: str, staged: Mapping[str, pa.Table] | None = None, **values: Any) -> int:
        """The single number that a query returns."""
        return int(self.run(name, staged, **values)[0][0])

    def collect_findings(self, name: str, **values: Any) -> None:
        """Insert the findings of the statement `name` into the temporary table `current_findings`."""
        parameters = duckdb.extract_statements(load_statements()[name])[0].named_parameters
        self._execute(f"insert into current_findings by name {load_statements()[name]}", None, {key: values[key] for key in parameters})

    def _execute(
        self,
        text: str,
        staged: Mapping[str, pa.Table] | None,
        values: Mapping[str, Any],
        fetch: Callable[[duckdb.DuckDBPyConnection], list[Any]] = duckdb.DuckDBPyConnection.fetchall,
    ) -> tuple[list[str], list[Any]]:
        for table, content in (staged or {}).items():
            self.connection.register(table, content)
        try:
            with explain_errors():
                cursor = self.connection.execute(text, dict(values))
                # Fetched before the staged tables go: results are lazy, and would silently be empty.
                return [column[0] for column in cursor.description or []], fetch(cursor)
        finally:
            for table in staged or {}:
                self.connection.unregister(table)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the whole block or nothing."""
        if self.lock:
            self.lock.check()
        with explain_errors():
            self.connection.execute("begin")
        try:
            yield
            with explain_errors():
                self.connection.execute("commit")
        except BaseException:
            # A failed commit has rolled back already.
            with suppress(duckdb.Error):
                self.connection.execute("rollback")
            raise

    def checkpoint(self) -> None:
        """Write committed changes from the log into the file."""
        if not self.lake:
            with explain_errors():
                self.connection.execute("checkpoint")

    def tag_snapshot(self, run_id: str) -> None:
        """Within the last transaction of a finished run: what it commits is what the readers of a lake see."""
        if self.lake:
            with explain_errors():
                tag_snapshot(self.connection, run_id)

    def cursor(self) -> "Warehouse":
        """The same warehouse for another thread."""
        (catalog,) = self.connection.execute("select current_database()").fetchone() or ("",)
        cursor = self.connection.cursor()
        cursor.execute(f'use "{catalog}"')
        return Warehouse(cursor, self.settings, self.lake, self.lock)

    @contextmanager
    def single_threaded(self) -> Iterator["Warehouse"]:
        """A cursor for merging beside other work until the block ends: DuckDB uses one core.

        With more, a merge would take the cores from the polling workers, and DuckDB's waiting thread would contend for the GIL.
        """
        self.connection.execute("set threads = 1")
        try:
            yield self.cursor()
        finally:
            self.connection.execute("reset threads")

    def publish(self) -> Path:
        """Replace the published copy by the current content; the warehouse is closed afterwards.

        Raises `PublishFailed`; then the warehouse is open again and the previous copy is unchanged.
        """
        if self.lake:
            publish_catalog(self.connection, self.settings.published)
            return self.settings.published
        path = Path(self.settings.warehouse)
        self.checkpoint()
        # Closed before copying: closing any other handle of the file would release DuckDB's lock on it.
        self.connection.close()
        try:
            publish_file(path, self.settings.published)
        except PublishFailed:
            self.connection = connect(path)
            raise
        return self.settings.published


def to_frame(table: pa.Table) -> "pd.DataFrame":
    """`table` with pandas' nullable types. (Duckdb's own `.df()` leaves a column without any value untyped.)"""
    import pandas as pd

    types = {
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(na_value=float("nan")),
    }
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    return frame


def stage(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Table]:
    """Rows as the staged table `name`, typed by its schema."""
    return {name: pa.Table.from_pylist(list(rows), schema=STAGED[name])}


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Open the warehouse for writing, its schema brought up to date and every statement bound, once for each version of them.

    Waits `settings.lock_wait` seconds for another writer. Raises `WarehouseLocked` naming the holder, `WarehouseError` for a
    file that cannot be opened.
    """
    lake = read_lake_address(settings.warehouse, settings.shard) if settings.is_lake else None
    path = Path(settings.warehouse)
    lock = hold_lake_lock(lake, settings.lock_wait) if lake else hold_file_lock(Path(f"{path}.lock"), str(path), settings.lock_wait)
    with lock as held:
        connection = _connect_lake(lake, settings) if lake else open_file(path, held.deadline, settings.lock_wait)
        warehouse = Warehouse(connection, settings, lake, held)
        try:
            # In one transaction: DuckLake takes a tenth of a second for each.
            with warehouse.transaction(), explain_errors():
                apply_schema(connection)
                if read_info(connection).get("statements") != fingerprint_statements():
                    _bind_statements()
                    write_info(connection, "statements", fingerprint_statements())
            yield warehouse
        finally:
            warehouse.connection.close()


@cache
def _bind_statements() -> None:
    with connect() as scratch:
        make_tables(scratch)
        for table, schema in STAGED.items():
            scratch.register(table, schema.empty_table())
        prepare_statements(scratch)


def _connect_lake(lake: LakeAddress, settings: Settings) -> duckdb.DuckDBPyConnection:
    connection = connect()
    try:
        attach_for_writing(connection, lake, settings)
    except BaseException:
        connection.close()
        raise
    return connection

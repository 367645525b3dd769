"""The published tables and views as Parquet files."""

import contextlib
import uuid
from pathlib import Path

import duckdb

from jobrecon.errors import PublishFailed
from jobrecon.warehouse.connection import Warehouse
from jobrecon.warehouse.schema import list_tables, list_views, quote


def export_parquet(warehouse: Warehouse, folder: Path) -> None:
    """Write each table and view to `folder` as `<name>.parquet`; each file is replaced whole, by rename.

    Raises `PublishFailed`; the remaining files are unchanged.
    """
    fresh = folder / f".fresh-{uuid.uuid4().hex}.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in [*list_tables(), *list_views()]:
            warehouse.connection.execute(f"copy (select * from {name}) to {quote(str(fresh))} (format parquet, compression zstd)")
            fresh.replace(folder / f"{name}.parquet")
    except (OSError, duckdb.Error) as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise PublishFailed(
            f"The Parquet files in {folder} could not be written: {reason}. The warehouse and the published copy are not affected. "
            "Repair the folder or correct JOBRECON_PARQUET, then run again.",
            target=folder,
        ) from error

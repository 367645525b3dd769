"""Which jobs posted to LinkedIn are stuck, failed or unlisted, who has to act, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__version__ = "0.1.0"


def open_published() -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published copy, with time zone UTC.

    `jobrecon.open_published().sql("from open_findings").df()` gives a DataFrame. The copy stays as it is while it is open; open it
    again to read the next run's. Raises `WarehouseError` where nothing was published yet.
    """
    # Imported here: `import jobrecon` stays light.
    from jobrecon.settings import load_settings
    from jobrecon.warehouse.reading import connect_published

    return connect_published(load_settings())

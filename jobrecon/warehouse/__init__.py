"""The warehouse: DuckDB, bulk in and bulk out, one writer, published by rename."""

from jobrecon.warehouse.connection import Warehouse, open_warehouse
from jobrecon.warehouse.reading import open_for_reading

__all__ = ["Warehouse", "open_for_reading", "open_warehouse"]

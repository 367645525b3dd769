"""The warehouse: DuckDB or DuckLake, bulk loads, one writer, published by rename."""

from jobrecon.warehouse.connection import Warehouse, open_warehouse
from jobrecon.warehouse.reading import open_published

__all__ = ["Warehouse", "open_published", "open_warehouse"]

"""Facts about the warehouse itself."""

from sqlmodel import Field

from models.base import WarehouseTable


class WarehouseInfo(WarehouseTable, table=True):
    """One row per fact about the warehouse: `schema_version`, the version of its tables."""

    __tablename__ = "warehouse_info"

    name: str = Field(primary_key=True, description="Name of the fact")
    value: str = Field(description="Its value")

"""Facts about the warehouse itself."""

from sqlmodel import Field

from models.base import WarehouseTable


class WarehouseInfo(WarehouseTable, table=True):
    """One row per fact: `schema_version` of the tables, when the webhook's state was looked up, and since when it is blocked."""

    __tablename__ = "warehouse_info"

    name: str = Field(primary_key=True, description="Name of the fact")
    value: str = Field(description="Its value")

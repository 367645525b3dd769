"""How soon tasks settle: the hazard estimated from earlier polls."""

from datetime import datetime

from sqlmodel import Field

from models.base import WarehouseTable, utc_field


class SettlingHazard(WarehouseTable, table=True):
    """One row per application ('' for all together) and age bin: the hazard, the chance per second that a task of that age settles."""

    __tablename__ = "settling_hazard"

    application_urn: str = Field(primary_key=True, description="Application it was estimated for; '' for all together")
    bin: int = Field(primary_key=True, description="Age bin, from 0; bins are of equal width on a logarithmic scale")
    age_from_seconds: float = Field(description="Youngest age of the bin")
    age_to_seconds: float = Field(description="Oldest age of the bin")
    hazard_per_second: float = Field(
        description="Chance per second of settling, shrunk towards the estimate for all applications and the prior"
    )
    exposure_seconds: float = Field(description="Time that tasks were observed at this age")
    settled_count: float = Field(
        description="Tasks expected to have settled at this age; a task whose settling time is uncertain counts in parts"
    )
    learned_at: datetime = utc_field("as_of of the run that estimated it")

"""Which jobs the next run examines: those that something was written of, and those that time alone can change."""

from datetime import datetime

from sqlmodel import Field

from models.base import WarehouseTable, utc_field


class TouchedJob(WarehouseTable, table=True):
    """One row per job of which something was written since its findings were last derived: the next run examines it."""

    __tablename__ = "touched_jobs"

    application_urn: str = Field(primary_key=True, description="Application whose job it is")
    external_job_posting_id: str = Field(primary_key=True, description="The partner's id of the job")


class LookAgain(WarehouseTable, table=True):
    """One row per job whose findings can change though nothing is written of it: when they first can."""

    __tablename__ = "look_again"

    application_urn: str = Field(primary_key=True, description="Application whose job it is")
    external_job_posting_id: str = Field(primary_key=True, description="The partner's id of the job")
    due_at: datetime = utc_field("From when on a run examines the job again")

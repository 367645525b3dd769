"""Resync requests: LinkedIn asks for an UPDATE of jobs whose content it no longer trusts."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from models.base import WarehouseTable, utc_field


class ResyncRequest(WarehouseTable, table=True):
    """One row per RESYNC_JOBS notification and job it names; the job is '' where it is about all open jobs."""

    __tablename__ = "resync_requests"

    delivery_id: str = Field(primary_key=True, description="First delivery of the request")
    application_urn: str = Field(description="Application whose jobs are to be sent again")
    external_job_posting_id: str = Field(primary_key=True, description="Job to be sent again; '': every open job")
    requested_at: datetime = utc_field("When LinkedIn's request was received")
    due_at: datetime = utc_field("Until when LinkedIn expects the UPDATE: 30 minutes later")
    deliveries: int = Field(description="How often the request was delivered", sa_type=BigInteger)

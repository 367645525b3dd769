"""Checks: what LinkedIn says of a job's posting when requested by jobPostingStatus."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from models.base import WarehouseTable, utc_field
from models.notification import StatusFields


class PostingCheck(WarehouseTable, StatusFields, table=True):
    """One row per job and distinct response of jobPostingStatus: equal responses in a row are one."""

    __tablename__ = "posting_checks"

    check_id: str = Field(primary_key=True, description="Id of its first check")
    application_urn: str = Field(description="Application whose job it is")
    external_job_posting_id: str = Field(description="The partner's id of the job")
    checked_at: datetime = utc_field("as_of of the run that first got this response")
    last_checked_at: datetime = utc_field("as_of of the last run that got it")
    is_known: bool = Field(description="False: LinkedIn knows no such job")
    payload: Any = Field(default=None, description="The response about the job as canonical JSON", sa_type=JSON)

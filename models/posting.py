"""Jobs: what the partner posts, what should be on LinkedIn and what LinkedIn says is."""

from datetime import datetime

from sqlmodel import Field

from models.base import WarehouseTable, optional_utc_field


class JobPosting(WarehouseTable, table=True):
    """One row per job (application + external id), known from a task or a notification."""

    __tablename__ = "job_postings"

    application_urn: str = Field(primary_key=True, description="Application whose job it is")
    external_job_posting_id: str = Field(primary_key=True, description="The partner's id of the job")
    title: str | None = Field(default=None, description="Newest title an import gave")
    customer: str | None = Field(default=None, description="Customer of the application")
    account_manager: str | None = Field(default=None, description="Who looks after the customer")
    last_operation: str | None = Field(default=None, description="Operation of the latest task; null: no task is known")
    last_operation_at: datetime | None = optional_utc_field("When the latest task was requested")
    last_task_urn: str | None = Field(default=None, description="The latest task")
    last_task_status: str | None = Field(default=None, description="What LinkedIn last said of the latest task")
    expected_listing: str = Field(description="LISTED, NOT_LISTED or UNKNOWN, folded from the settled tasks")
    expected_since: datetime | None = optional_utc_field("requested_at of the task that last decided it")
    listing_status: str | None = Field(default=None, description="What LinkedIn's newest statement about the listing says")
    listing_message: str | None = Field(default=None, description="LinkedIn's own text in that statement")
    listing_as_of: datetime | None = optional_utc_field("When LinkedIn last said so, in a notification or a check")
    apply_status: str | None = Field(default=None, description="What the newest statement about LinkedIn Apply says")
    promotion_status: str | None = Field(default=None, description="What the newest statement about promotion says")
    expire_at: datetime | None = optional_utc_field("When the listing ends, as LinkedIn last said")
    last_checked_at: datetime | None = optional_utc_field("When the job was last checked by jobPostingStatus")
    job_posting_urn: str | None = Field(default=None, description="URN of the live posting")
    job_posting_url: str | None = Field(default=None, description="Where a person opens the job")

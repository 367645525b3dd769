"""Tasks: asynchronous operations at LinkedIn, what was requested and what became of them."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from models.base import WarehouseTable, optional_utc_field, utc_field


class Operation(StrEnum):
    """What a partner requests of LinkedIn. Unknown ones are kept as they came."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    RENEW = "RENEW"
    CLOSE = "CLOSE"


class TaskStatus(StrEnum):
    """What LinkedIn says of a task. Others may come, are kept, and count as not settled."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    PROCESSED = "PROCESSED"


class TaskState(StrEnum):
    """State of a task in the warehouse."""

    PENDING = "PENDING"
    """LinkedIn has not said how it ended; it is polled."""
    SETTLED = "SETTLED"
    """SUCCEEDED, FAILED or PROCESSED; never polled again."""
    EXPIRED = "EXPIRED"
    """Older than a task lives at LinkedIn; nothing can be learned any more."""
    REJECTED = "REJECTED"
    """LinkedIn refuses the URN itself; never polled again."""


class JobTask(WarehouseTable, table=True):
    """One row per task URN: what was requested and what LinkedIn last said of it."""

    __tablename__ = "job_tasks"

    task_urn: str = Field(primary_key=True, description="URN of the task, as LinkedIn gave it")
    application_urn: str = Field(description="Application whose task it is")
    external_job_posting_id: str = Field(description="The partner's id of the job, unique within the application")
    title: str | None = Field(default=None, description="Title of the job, where the import gave one")
    operation: str = Field(description="CREATE, UPDATE, RENEW or CLOSE; others are kept as they came")
    location: str | None = Field(default=None, description="Place of this task, for a job posted in several")
    requested_at: datetime = utc_field("When the partner requested the operation")
    imported_at: datetime = utc_field("When the task came into the warehouse")
    state: str = Field(description="PENDING, SETTLED, EXPIRED or REJECTED")
    status: str | None = Field(default=None, description="What LinkedIn last said; null before the first result")
    error_message: str | None = Field(default=None, description="LinkedIn's own text about the error, as it came")
    job_posting_urn: str | None = Field(default=None, description="URN of the live posting, where LinkedIn gave it")
    poll_count: int = Field(default=0, description="How many polls returned something about this task")
    first_polled_at: datetime | None = optional_utc_field("When a poll first returned something about it")
    last_polled_at: datetime | None = optional_utc_field("When a poll last returned something about it")
    status_changed_at: datetime | None = optional_utc_field("When status, error or state was first seen as it is now")
    last_pending_at: datetime | None = optional_utc_field("When LinkedIn last said it was not settled yet")
    not_found_count: int = Field(default=0, description="Runs in a row in which LinkedIn said 404 about it")


class TaskStatusChange(WarehouseTable, table=True):
    """One row per observed change of a task's status or error message."""

    __tablename__ = "task_status_changes"

    task_urn: str = Field(primary_key=True, description="The task")
    status: str | None = Field(default=None, description="What LinkedIn said from then on")
    error_message: str | None = Field(default=None, description="LinkedIn's own text, as it came")
    observed_at: datetime = utc_field("as_of of the run that saw it", primary_key=True)
    run_id: str = Field(description="The run that saw it")


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

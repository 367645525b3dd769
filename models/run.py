"""Runs, what a run or an import refused, and facts about the warehouse itself."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from models.base import WarehouseTable, optional_utc_field, utc_field


class RunState(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    INCOMPLETE = "INCOMPLETE"
    """Finished, but some source or application could not be read."""
    FAILED = "FAILED"


class RunFields(SQLModel):
    """What a run counts. A counter is one field here: table, summary, command line and pages read it from this model."""

    run_id: str = Field(primary_key=True, description="Id of the run")
    flow_run_id: str | None = Field(default=None, description="Prefect's id of the flow run; null: from the command line")
    shard: str | None = Field(default=None, description="Shard the run was for; null: the default shard")
    as_of: datetime = utc_field("The time the run speaks about")
    started_at: datetime = utc_field("When it started, by the machine's clock")
    finished_at: datetime | None = optional_utc_field("When it ended, by the machine's clock")
    state: str = Field(
        default=RunState.RUNNING, description="RUNNING, COMPLETED, INCOMPLETE (some source or application could not be read) or FAILED"
    )
    tasks_pending: int = Field(default=0, description="Pending tasks when polling began")
    tasks_young: int = Field(default=0, description="Pending tasks younger than JOBRECON_FIRST_CHECK_AFTER: not due yet")
    tasks_due: int = Field(default=0, description="Pending tasks that were due for polling")
    tasks_polled: int = Field(default=0, description="Tasks whose status LinkedIn returned")
    tasks_settled: int = Field(default=0, description="Tasks that settled in this run")
    tasks_left: int = Field(default=0, description="Due tasks that were not polled: too few calls, or no response about them")
    tasks_overlooked: int = Field(default=0, description="Pending tasks not polled for 24 hours, at the run's end")
    calls_used: int = Field(default=0, description="Calls charged by this run")
    calls_left: int = Field(default=0, description="Calls all applications together had left for the day")
    jobs_checked: int = Field(default=0, description="Jobs whose posting status LinkedIn returned")
    detection_delay_mean_seconds: float | None = Field(default=None, description="Mean delay from settling until the poll that saw it")
    detection_delay_p95_seconds: float | None = Field(default=None, description="95th percentile of that delay")
    delay_bound_seconds: float | None = Field(default=None, description="D*: the least mean delay possible with as many polls")
    checks_used: int = Field(default=0, description="Calls to jobPostingStatus charged by this run")
    checks_left: int = Field(default=0, description="Calls to jobPostingStatus all applications together had left for the day")
    jobs_touched: int = Field(default=0, description="Jobs whose findings this run derived")
    notifications_merged: int = Field(default=0, description="Deliveries merged from the landing database")
    findings_opened: int = Field(default=0, description="Episodes this run opened")
    findings_resolved: int = Field(default=0, description="Episodes this run resolved")
    findings_open: int = Field(default=0, description="Episodes open after it")
    landing_id: str | None = Field(default=None, description="Identity of the landing database it used")
    pulled_at: datetime | None = optional_utc_field("as_of of the last pull that the task source served")


class Run(WarehouseTable, RunFields, table=True):
    """One row per run: what it read, what it cost, what it found."""

    __tablename__ = "runs"

    incomplete_reasons: str | None = Field(default=None, description="What could not be read, one reason a line")
    failed_applications: str | None = Field(default=None, description="Applications that could not be polled completely, one URN a line")
    unseen_facets: str | None = Field(default=None, description="Facets whose notifications could not be read, one a line")


class RejectedRow(WarehouseTable, table=True):
    """One row per refused input row."""

    __tablename__ = "rejected_rows"

    source: str = Field(primary_key=True, description="File or response it came from")
    line: int | None = Field(default=None, description="Line or row in the file, from 1; null: the file as a whole", primary_key=True)
    reason: str = Field(description="Why it was refused")
    row: str | None = Field(default=None, description="The row as it came")
    rejected_at: datetime = utc_field("When it was refused")


class WarehouseInfo(WarehouseTable, table=True):
    """One row per fact: `schema_version` of the tables, the `statements` that were bound, the `rules` by which findings were derived, of which applications LinkedIn was `heard`, when the webhook's state was looked up, and since when it is blocked."""

    __tablename__ = "warehouse_info"

    name: str = Field(primary_key=True, description="Name of the fact")
    value: str = Field(description="Its value")

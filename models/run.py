"""Runs, and what a run or an import refused."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from models.base import WarehouseTable, optional_utc_field, utc_field


class RunState(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    INCOMPLETE = "INCOMPLETE"
    """Done as far as could be; something could not be seen."""
    FAILED = "FAILED"


class Run(WarehouseTable, table=True):
    """One row per run: what it looked at, what it cost, what it found."""

    __tablename__ = "runs"

    run_id: str = Field(primary_key=True, description="Id of the run")
    flow_run_id: str | None = Field(default=None, description="Prefect's id of the flow run; null: from the command line")
    as_of: datetime = utc_field("The moment the run speaks about")
    started_at: datetime = utc_field("When it started, by the machine's clock")
    finished_at: datetime | None = optional_utc_field("When it ended, by the machine's clock")
    state: str = Field(description="RUNNING, COMPLETED, INCOMPLETE (something could not be seen) or FAILED")
    tasks_pending: int = Field(default=0, description="Pending tasks when polling began")
    tasks_due: int = Field(default=0, description="Pending tasks that were due for a look")
    tasks_polled: int = Field(default=0, description="Tasks LinkedIn answered about")
    tasks_settled: int = Field(default=0, description="Tasks that settled in this run")
    tasks_left: int = Field(default=0, description="Due tasks the calls did not suffice for, or that were not answered")
    tasks_overlooked: int = Field(default=0, description="Pending tasks that nobody had looked at for 24 hours, at its end")
    calls_used: int = Field(default=0, description="Calls charged by this run")
    calls_left: int = Field(default=0, description="Calls all applications together had left for the day")
    detection_delay_mean_seconds: float | None = Field(default=None, description="How late settled tasks were seen, on average")
    detection_delay_p95_seconds: float | None = Field(default=None, description="How late they were seen, 95th percentile")
    delay_bound_seconds: float | None = Field(default=None, description="D*: the least mean delay any order of as many looks could give")
    notifications_merged: int = Field(default=0, description="Deliveries merged from the landing database")
    findings_opened: int = Field(default=0, description="Episodes this run opened")
    findings_resolved: int = Field(default=0, description="Episodes this run resolved")
    findings_open: int = Field(default=0, description="Episodes open after it")
    pulled_at: datetime | None = optional_utc_field("as_of of the pull, where the task source answered")
    incomplete_reasons: str | None = Field(default=None, description="What could not be seen, one reason a line")


class RejectedRow(WarehouseTable, table=True):
    """One row per refused input row."""

    __tablename__ = "rejected_rows"

    source: str = Field(primary_key=True, description="File or answer it came from")
    line: int | None = Field(default=None, description="Line or row in the file, from 1; null: the file as a whole", primary_key=True)
    reason: str = Field(description="Why it was refused")
    row: str | None = Field(default=None, description="The row as it came")
    rejected_at: datetime = utc_field("When it was refused")

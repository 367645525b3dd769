"""The call ledger: calls used and left per application, resource and UTC day."""

import datetime as dt

from sqlmodel import Field, SQLModel

from models.base import LandingTable, WarehouseTable, optional_utc_field, utc_field


class CallBudgetEntry(SQLModel):
    """Calls of one application to one resource on one UTC day."""

    application_urn: str = Field(primary_key=True, description="Application that called")
    resource: str = Field(primary_key=True, description="Resource that was called: simpleJobPostingTasks or jobPostingStatus")
    utc_date: dt.date = Field(primary_key=True, description="UTC day of sending")
    call_limit: int = Field(description="Calls allowed that day")
    calls_used: int = Field(default=0, description="Calls charged that day, each before it was sent")
    exhausted_at: dt.datetime | None = optional_utc_field("When LinkedIn or the limit ended the day's calls")
    throttle_count: int | None = Field(default=None, description="Calls in a row that LinkedIn throttled (HTTP 429)")
    throttled_until: dt.datetime | None = optional_utc_field("No call is made before; then one, as a probe")
    denied_until: dt.datetime | None = optional_utc_field("No call is made before: the application has no access to the resource")


class CallBudget(WarehouseTable, CallBudgetEntry, table=True):
    """One row per application, resource and UTC day: the ledger as it stood at the last run."""

    __tablename__ = "call_budget"


class LedgerEntry(LandingTable, CallBudgetEntry, table=True):
    """The ledger itself: a call is charged here, durably, before it is sent."""

    __tablename__ = "call_budget"

    probe_sent_at: dt.datetime | None = optional_utc_field("When a probe was sent whose outcome is not known yet")


class CallHour(LandingTable, table=True):
    """One row per application, resource and UTC hour: when the day's calls were charged."""

    __tablename__ = "call_hours"

    application_urn: str = Field(primary_key=True, description="Application that called")
    resource: str = Field(primary_key=True, description="Resource that was called: simpleJobPostingTasks or jobPostingStatus")
    utc_hour: dt.datetime = utc_field("Beginning of the hour", primary_key=True)
    calls_used: int = Field(default=0, description="Calls charged in that hour")

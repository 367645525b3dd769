"""Findings: episodes of something wrong with a job, who has to act and how."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Field

from models.base import WarehouseTable, optional_utc_field, utc_field
from models.finding_kind import Kind
from models.finding_terms import Evidence, Facet, Owner, Remedy, Severity


def _one_of(values: Iterable[str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}"


class Finding(WarehouseTable, table=True):
    """One row per episode of something wrong: from opened_at until resolved_at, or still open."""

    __tablename__ = "findings"

    finding_id: str = Field(primary_key=True, description="Id of the episode")
    finding_key: str = Field(description="What it is about: kind, facet, application, job and, for TASK, location")
    kind: str = Field(description=_one_of(Kind))
    facet: str = Field(description=_one_of(Facet))
    severity: str = Field(description=_one_of(Severity))
    application_urn: str = Field(description="Application whose job it is; '' for WEBHOOK")
    external_job_posting_id: str = Field(description="The partner's id of the job; '' where it is about no single one")
    location: str | None = Field(default=None, description="Place of the task, for findings about a task")
    task_urn: str | None = Field(default=None, description="The task it is about, for findings about a task")
    customer: str | None = Field(default=None, description="Customer of the application")
    account_manager: str | None = Field(default=None, description="Who looks after the customer")
    code: str | None = Field(default=None, description="LinkedIn's code word or number, where it gave one")
    reason: str = Field(description="What happened, in plain words")
    message: str | None = Field(default=None, description="LinkedIn's own text, as it came")
    owner: str = Field(description=f"Who has to act: {_one_of(Owner)}")
    next_action: str = Field(description="What to do, in plain words")
    remedy: str | None = Field(default=None, description=f"What to send or do: {_one_of(Remedy)}")
    evidence: str | None = Field(default=None, description=f"What it rests on: {_one_of(Evidence)}; null: from an older version")
    is_live: bool | None = Field(default=None, description="What LinkedIn last said: whether the job is listed; null: unknown")
    since: datetime = utc_field("Since when it is wrong")
    opened_at: datetime = utc_field("as_of of the run that first saw this episode")
    last_seen_at: datetime = utc_field("as_of of the last run that saw it")
    resolved_at: datetime | None = optional_utc_field("as_of of the run that saw it gone; null: open")
    resolution: str | None = Field(default=None, description="How it ended: SUCCEEDED, SUPERSEDED, RELISTED, …")


class KnownMessage(WarehouseTable, table=True):
    """One row per message LinkedIn is known to send: what it means and what to do."""

    __tablename__ = "error_catalog"

    source: str = Field(primary_key=True, description="Where it appears: task, listing, apply or promotion")
    code: str | None = Field(default=None, description="Code word or number of the message, where it has one")
    about: str | None = Field(default=None, description="The field to mend, or the cause")
    match: str = Field(primary_key=True, description="The constant part of the text")
    owner: str = Field(description=f"Who has to act: {_one_of(Owner)}")
    meaning: str = Field(description="What it means, in plain words")
    next_action: str = Field(description="What to do, in plain words")
    remedy: str | None = Field(default=None, description="What to send or do; AGAIN: the operation that failed")
    harmless: bool | None = Field(default=None, description="Whether such a message alone is no reason for a finding")
    after_days: int | None = Field(default=0, description="Age in days from which owner, next action and remedy are those of this row")
    position: int = Field(description="Order of trying: the first that matches counts")

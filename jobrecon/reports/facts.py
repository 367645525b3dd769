"""A day's facts as DataFrames: the rows and numbers that every file of the report is made from."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from jobrecon.reports.day import ReportDay, group_reasons
from jobrecon.reports.history import SettleTimes, TrendDay, select_trend, summarise_settle_times
from models import Kind, Owner

AGE_BANDS = ["<1h", "1-4h", "4-24h", "1-3d", "3-7d", ">7d"]


class Queue(StrEnum):
    """Who works on a finding: each is in exactly one queue. Those of low severity share one, whoever has to act."""

    CUSTOMER = "today"
    """The account manager's: the customer has to act, and somebody has to ask them."""
    PARTNER = "integration-team"
    LINKEDIN = "linkedin"
    LOW_PRIORITY = "low-priority"


class FindingRow(NamedTuple):
    """An episode as it stood at the end of the day, for how long it has lasted or had lasted, and when an expiring job expires."""

    finding_id: str
    kind: str
    facet: str
    issue: str
    queue: str
    severity: str
    application_urn: str
    external_job_posting_id: str
    job: int
    """A number for the job, the same in all findings of a day."""
    location: str | None
    title: str | None
    job_posting_url: str | None
    customer: str | None
    account_manager: str
    code: str | None
    reason: str
    message: str | None
    owner: str
    next_action: str
    remedy: str | None
    is_live: bool | None
    evidence: str | None
    since: dt.datetime
    expires_at: dt.datetime | None
    is_new: bool
    age: dt.timedelta
    age_band: str
    resolved_at: dt.datetime | None
    ending: str


def list_rows(findings: pd.DataFrame) -> list[FindingRow]:
    """The rows of `findings` for a template."""
    return [FindingRow(*values) for values in zip(*(list_values(findings[name]) for name in FindingRow._fields), strict=True)]


def list_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `frame` as dictionaries: what is missing is None."""
    return [dict(zip(frame.columns, values, strict=True)) for values in zip(*(list_values(frame[name]) for name in frame), strict=True)]


def list_values(column: pd.Series) -> "np.ndarray[Any, np.dtype[np.object_]]":
    """The values of `column` as Python's own objects: what is missing is None, but NaT in a column of spans of time."""
    missing: Any = None  # pandas-stubs does not know that it may be
    return column.to_numpy(object, na_value=missing)


@dataclass(frozen=True)
class RollForward:
    """How the number of open findings changed: open_before + new − resolved = open_now."""

    open_before: int = 0
    new: int = 0
    resolved: int = 0
    open_now: int = 0


@dataclass(frozen=True)
class JobMovement:
    """How the number of jobs with something wrong changed: before + more − ended = now. Of those that ended some are fixed."""

    before: int = 0
    more: int = 0
    ended: int = 0
    now: int = 0


@dataclass(frozen=True)
class Facts:
    """A day as of its end, or as of now while it lasts."""

    day: ReportDay
    is_ongoing: bool
    as_of: dt.datetime | None
    incomplete_reasons: tuple[str, ...]
    job_counts: pd.Series
    """Jobs of each account manager."""
    movements: pd.DataFrame
    """The roll-forward of each account manager."""
    open_findings: pd.DataFrame
    resolved_findings: pd.DataFrame
    contradictions: pd.Series
    """Jobs of each account manager about which LinkedIn's newest statement contradicts what was requested."""
    changes: pd.DataFrame
    """What changed on LinkedIn in the day."""
    remedies: pd.DataFrame
    trends: pd.DataFrame
    settle_times: pd.DataFrame
    customers: Mapping[str, str] = field(default_factory=dict)
    """What the customer of each application is called."""
    tasks_left: int = 0
    tasks_overlooked: int = 0
    calls_used: int = 0
    calls_left: int = 0
    account_manager: str | None = None
    """Whose facts these are; None: everybody's."""

    @property
    def date(self) -> dt.date:
        return self.day.date

    @property
    def zone(self) -> ZoneInfo:
        return self.day.zone

    @property
    def complete(self) -> bool:
        return not self.incomplete_reasons

    @property
    def jobs(self) -> int:
        return int(self.job_counts.sum())

    @property
    def contradicting_jobs(self) -> int:
        return int(self.contradictions.sum())

    @property
    def reasons_for_people(self) -> list[str]:
        """Why it is incomplete, in words: the same reason for several customers is one, and names them."""
        return group_reasons(self.incomplete_reasons, self.customers)

    @property
    def roll_forward(self) -> RollForward:
        return RollForward(*(int(count) for count in self.movements.sum()))

    @property
    def by_account_manager(self) -> dict[str, RollForward]:
        return {str(name): RollForward(*(int(count) for count in counts)) for name, *counts in self.movements.itertuples()}

    @cached_property
    def job_movements(self) -> dict[str, JobMovement]:
        """How the number of jobs with something wrong changed for each account manager."""
        columns = ["account_manager", "job", "is_new"]
        episodes = pd.concat([self.open_findings[columns].assign(is_open=True), self.resolved_findings[columns].assign(is_open=False)])
        jobs = episodes.assign(is_older=~episodes["is_new"].astype(bool)).groupby(["account_manager", "job"])[["is_older", "is_open"]].any()
        jobs = jobs.assign(more=~jobs["is_older"], ended=~jobs["is_open"])[["is_older", "more", "ended", "is_open"]]
        counts = jobs.groupby("account_manager").sum().reindex(self.movements.index, fill_value=0)
        return {str(name): JobMovement(*map(int, row)) for name, *row in counts.itertuples()}

    @property
    def job_movement(self) -> JobMovement:
        """How the number of jobs with something wrong changed."""
        return JobMovement(*map(sum, zip((0, 0, 0, 0), *map(astuple, self.job_movements.values()), strict=True)))

    @cached_property
    def jobs_by_queue(self) -> dict[Queue, int]:
        """Jobs with something wrong: each once, in the first queue that it is in."""
        order = self.open_findings["queue"].map({queue: number for number, queue in enumerate(Queue)})
        counts = order.groupby(self.open_findings["job"]).min().value_counts()
        return {queue: int(counts.get(number, 0)) for number, queue in enumerate(Queue)}

    @cached_property
    def new_jobs_today(self) -> int:
        """Jobs in the account manager's queue with something that is new there."""
        findings = self.open_findings
        return int(findings.loc[findings["is_new"] & (findings["queue"] == Queue.CUSTOMER), "job"].nunique())

    @cached_property
    def trend(self) -> list[TrendDay]:
        return select_trend(self.trends, self.account_manager)

    @cached_property
    def settle_time(self) -> SettleTimes | None:
        return summarise_settle_times(self.settle_times, self.account_manager)

    @property
    def open_by_kind(self) -> dict[str, int]:
        """Open findings of each kind that there is."""
        return {kind: count for kind, count in self._count_open("kind", Kind).items() if count}

    @property
    def open_by_owner(self) -> dict[str, int]:
        """Open findings by who has to act: each owner, also with zero."""
        return self._count_open("owner", Owner)

    @property
    def open_by_age(self) -> dict[str, int]:
        """Open findings by how long they have lasted: each band, also with zero."""
        return self._count_open("age_band", AGE_BANDS)

    @cached_property
    def fixed_findings(self) -> pd.DataFrame:
        """Episodes that ended well in the day, of jobs with nothing else open."""
        resolved = self.resolved_findings
        return resolved[resolved["is_good_ending"] & ~resolved["job"].isin(self.open_findings["job"])]

    def select_queue(self, queue: Queue) -> pd.DataFrame:
        """The open findings in `queue`."""
        return self.open_findings[self.open_findings["queue"] == queue]

    def select_manager(self, account_manager: str) -> "Facts":
        """The facts of one account manager's jobs."""
        whose = [account_manager]
        return replace(
            self,
            account_manager=account_manager,
            job_counts=self.job_counts.reindex(whose, fill_value=0),
            movements=self.movements.reindex(whose, fill_value=0),
            open_findings=self.open_findings[self.open_findings["account_manager"] == account_manager],
            resolved_findings=self.resolved_findings[self.resolved_findings["account_manager"] == account_manager],
            contradictions=self.contradictions.reindex(whose, fill_value=0),
            changes=self.changes[self.changes["account_manager"] == account_manager],
        )

    def summarise(self, verdict: str) -> dict[str, Any]:
        """The content of `summary.json`. Moments are ISO 8601 with offset, in UTC."""
        return {
            "date": self.date.isoformat(),
            "verdict": verdict,
            "as_of": self.as_of.astimezone(dt.UTC).isoformat() if self.as_of else None,
            "complete": self.complete,
            "incomplete_reasons": list(self.incomplete_reasons),
            "jobs": self.jobs,
            "roll_forward": asdict(self.roll_forward),
            "open_by_kind": self.open_by_kind,
            "open_by_owner": self.open_by_owner,
            "open_by_age": self.open_by_age,
            "by_account_manager": {name: asdict(movement) for name, movement in self.by_account_manager.items()},
        }

    def _count_open(self, column: str, known: Iterable[str]) -> dict[str, int]:
        counts = self.open_findings[column].value_counts()
        names = [*map(str, known), *sorted(set(counts.index) - set(known))]
        return {name: int(counts.get(name, 0)) for name in names}

"""What is known of a day: the numbers and rows that every file of the report tells."""

import datetime as dt
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from jobrecon.reports.completeness import explain_gaps
from jobrecon.reports.day import ReportDay, find_day
from jobrecon.reports.settling import Settling, read_settling
from jobrecon.reports.trend import Trend, read_trends
from jobrecon.warehouse import Warehouse
from models import Kind, Owner

NO_MANAGER = "(no account manager)"

AGE_BANDS: tuple[tuple[str, dt.timedelta], ...] = (
    ("<1h", dt.timedelta(hours=1)),
    ("1-4h", dt.timedelta(hours=4)),
    ("4-24h", dt.timedelta(hours=24)),
    ("1-3d", dt.timedelta(days=3)),
    ("3-7d", dt.timedelta(days=7)),
    (">7d", dt.timedelta.max),
)
"""Names of the age bands and the ages they end before."""
AGE_NAMES = [name for name, _ in AGE_BANDS]
AGE_LIMITS = [limit for _, limit in AGE_BANDS[:-1]]


class ReportedFinding(NamedTuple):
    """An episode as it stood at the end of the day. `age`: how long it has lasted, or had lasted when it ended."""

    finding_id: str
    kind: str
    facet: str
    severity: str
    application_urn: str
    external_job_posting_id: str
    location: str | None
    task_urn: str | None
    operation: str | None
    title: str | None
    job_posting_url: str | None
    customer: str | None
    account_manager: str
    code: str | None
    reason: str
    message: str | None
    owner: str
    next_action: str
    since: dt.datetime
    opened_at: dt.datetime
    is_new: bool
    age: dt.timedelta
    resolved_at: dt.datetime | None = None
    resolution: str | None = None
    later_status: str | None = None

    @property
    def job(self) -> tuple[str, str]:
        """What identifies the job it is about."""
        return self.application_urn, self.external_job_posting_id

    @property
    def age_band(self) -> str:
        return AGE_NAMES[bisect_right(AGE_LIMITS, self.age)]


@dataclass(frozen=True)
class RollForward:
    """How the number of open findings changed: open_before + new − resolved = open_now."""

    open_before: int = 0
    new: int = 0
    resolved: int = 0
    open_now: int = 0

    def __add__(self, other: "RollForward") -> "RollForward":
        return RollForward(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True)
class Facts:
    """A day as of its end, or as of now while it lasts."""

    day: ReportDay
    is_lasting: bool
    as_of: dt.datetime | None
    complete: bool
    incomplete_reasons: tuple[str, ...]
    tasks_left: int
    jobs_by_manager: Mapping[str, int]
    by_account_manager: Mapping[str, RollForward]
    open_findings: tuple[ReportedFinding, ...]
    resolved_findings: tuple[ReportedFinding, ...]
    trends: Mapping[str | None, Trend] = field(default_factory=dict)
    """By account manager; under None that of all."""
    settlings: Mapping[str | None, Settling] = field(default_factory=dict)
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
    def jobs(self) -> int:
        return sum(self.jobs_by_manager.values())

    @property
    def roll_forward(self) -> RollForward:
        return sum(self.by_account_manager.values(), start=RollForward())

    @property
    def trend(self) -> Trend:
        return self.trends.get(self.account_manager, ())

    @property
    def settling(self) -> Settling | None:
        return self.settlings.get(self.account_manager)

    @property
    def open_by_kind(self) -> dict[str, int]:
        """Open findings of each kind that there is."""
        counts = Counter(finding.kind for finding in self.open_findings)
        return {kind: counts[kind] for kind in [*Kind, *sorted(set(counts) - set(Kind))] if counts[kind]}

    @property
    def open_by_owner(self) -> dict[str, int]:
        """Open findings by who has to act; all three are told, also with zero."""
        counts = Counter(finding.owner for finding in self.open_findings)
        return {str(owner): counts[owner] for owner in [*Owner, *sorted(set(counts) - set(Owner))]}

    @property
    def open_by_age(self) -> dict[str, int]:
        """Open findings by how long they have lasted; every band is told, also with zero."""
        return count_by_age(self.open_findings)

    def select_manager(self, account_manager: str) -> "Facts":
        """The facts of one account manager's jobs."""
        return replace(
            self,
            account_manager=account_manager,
            jobs_by_manager={account_manager: self.jobs_by_manager.get(account_manager, 0)},
            by_account_manager={account_manager: self.by_account_manager.get(account_manager, RollForward())},
            open_findings=self._open_by_manager.get(account_manager, ()),
            resolved_findings=self._resolved_by_manager.get(account_manager, ()),
        )

    @cached_property
    def _open_by_manager(self) -> Mapping[str, tuple[ReportedFinding, ...]]:
        return _sort_to_managers(self.open_findings)

    @cached_property
    def _resolved_by_manager(self) -> Mapping[str, tuple[ReportedFinding, ...]]:
        return _sort_to_managers(self.resolved_findings)


def gather_facts(warehouse: Warehouse, date: dt.date, zone: ZoneInfo, now: dt.datetime, stale_after_seconds: int) -> Facts:
    """Ask the warehouse about the day `date` in `zone`, as of its end, or as of now while it lasts.

    Everything is asked as of that moment, so that the report of a past day can be made again: what was resolved later counts
    as open. A day's `open_now` is the next day's `open_before`. A run that speaks of a moment after `now` moves `now`.
    """
    day = find_day(date, zone)
    last_as_of = warehouse.read("runs/select_last_as_of")[0]["last_as_of"]
    now = max(now, last_as_of) if last_as_of else now
    run = next(iter(warehouse.read("reports/select_last_finished_run", day_start=day.start, day_end=day.end)), None)
    reasons = explain_gaps(run, day, now, stale_after_seconds)
    # No run speaks of a moment after `now`, so that while the day lasts its end bounds the same rows as `now` does.
    bounds: dict[str, Any] = {"day_start": day.start, "day_end": day.end, "no_manager": NO_MANAGER}
    as_of = run["as_of"] if run else None
    movements = {row["account_manager"]: row for row in warehouse.read("reports/select_roll_forward", **bounds)}
    managers = warehouse.read("reports/select_account_managers", no_manager=NO_MANAGER, as_of=as_of or min(now, day.end))
    jobs = {row["account_manager"]: int(row["job_count"]) for row in managers}
    return Facts(
        day=day,
        is_lasting=now < day.end,
        as_of=as_of,
        complete=not reasons,
        incomplete_reasons=tuple(reasons),
        tasks_left=int(run["tasks_left"] or 0) if run else 0,
        jobs_by_manager=jobs,
        by_account_manager={
            name: _read_movement(movements.get(name))
            # Jobs without a manager get an entry of their own only once something is wrong with one.
            for name in sorted({*movements, *(jobs.keys() - {NO_MANAGER})}, key=lambda name: (name == NO_MANAGER, name.casefold(), name))
        },
        open_findings=_read_findings(warehouse.columns("reports/select_open_findings", **bounds), as_of or min(now, day.end)),
        resolved_findings=_read_findings(warehouse.columns("reports/select_resolved_findings", **bounds)),
        trends=read_trends(warehouse, day, NO_MANAGER),
        settlings=read_settling(warehouse, day, NO_MANAGER),
        tasks_overlooked=int(run["tasks_overlooked"] or 0) if run else 0,
        calls_used=int(run["day_calls"]) if run else 0,
        calls_left=int(run["calls_left"] or 0) if run else 0,
    )


def count_by_age(findings: Iterable[ReportedFinding]) -> dict[str, int]:
    """How many findings are in each age band; every band is told, also with zero."""
    counts = Counter(finding.age_band for finding in findings)
    return {name: counts[name] for name, _ in AGE_BANDS}


def _read_findings(columns: Mapping[str, list[Any]], as_of: dt.datetime | None = None) -> tuple[ReportedFinding, ...]:
    ends = columns["resolved_at"] if as_of is None else repeat(as_of)
    ages = [max(end - since, dt.timedelta()) for end, since in zip(ends, columns["since"], strict=False)]
    told = {**columns, "age": ages}
    return tuple(map(ReportedFinding._make, zip(*(told.get(name, repeat(None)) for name in ReportedFinding._fields), strict=False)))


def _sort_to_managers(findings: Iterable[ReportedFinding]) -> dict[str, tuple[ReportedFinding, ...]]:
    found: dict[str, list[ReportedFinding]] = defaultdict(list)
    for finding in findings:
        found[finding.account_manager].append(finding)
    return {manager: tuple(own) for manager, own in found.items()}


def _read_movement(row: Mapping[str, Any] | None) -> RollForward:
    return RollForward(row["open_before"], row["new_count"], row["resolved_count"], row["open_now"]) if row else RollForward()

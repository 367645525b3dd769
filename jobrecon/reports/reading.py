"""Reading a day's facts from the published copy."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from jobrecon.reports.causes import CAUSE
from jobrecon.reports.changes import read_changes
from jobrecon.reports.day import explain_gaps, find_day
from jobrecon.reports.facts import AGE_BANDS, Facts, Queue
from jobrecon.reports.glossary import describe_ending, is_good_ending, name_issue
from jobrecon.reports.history import read_settle_times, read_trend
from jobrecon.warehouse import Warehouse
from models import Owner, Severity

NO_MANAGER = "(no account manager)"

AGE_BAND_STARTS_SECONDS = [0, 3_600, 14_400, 86_400, 259_200, 604_800]

OWNER_QUEUES = {Owner.CUSTOMER: Queue.CUSTOMER, Owner.LINKEDIN: Queue.LINKEDIN}
"""What nobody is named for is the integration team's."""


def read_day(
    warehouse: Warehouse, date: dt.date, zone: ZoneInfo, now: dt.datetime, stale_after_seconds: int, shards: Sequence[str] = ("",)
) -> Facts:
    """Read the facts of the day `date` in `zone`, as of its end, or as of now while it lasts.

    Everything is read as of that moment, so that the report of a past day can be made again: what was resolved later counts
    as open. A day's `open_now` is the next day's `open_before`. A run with an `as_of` after `now` moves `now`.
    """
    day = find_day(date, zone)
    last_as_of = warehouse.read("runs/select_last_as_of")[0]["last_as_of"]
    now = max(now, last_as_of) if last_as_of else now
    runs = warehouse.read("reports/select_last_finished_runs", day_start=day.start, day_end=day.end)
    last_runs = [run for run in runs if run["shard"] in shards and run["as_of"]]
    # No run has an `as_of` after `now`, so that while the day lasts its end bounds the same rows as `now` does.
    bounds = {"day_start": day.start, "day_end": day.end}
    as_of = max((run["as_of"] for run in last_runs), default=None)
    managers = _read(warehouse, "reports/select_account_managers", as_of=as_of or min(now, day.end))
    job_counts = managers.groupby("account_manager")["job_count"].sum()
    movements = _read(warehouse, "reports/select_roll_forward", **bounds).groupby("account_manager").sum()
    # Jobs without a manager get an entry of their own only once something is wrong with one.
    names = set(movements.index) | (set(job_counts.index) - {NO_MANAGER})
    findings = _complete_findings(_read(warehouse, "reports/select_day_findings", **bounds), as_of or min(now, day.end))
    is_open = findings["resolved_at"].isna()
    return Facts(
        day=day,
        is_ongoing=now < day.end,
        as_of=as_of,
        incomplete_reasons=tuple(explain_gaps(runs, day, now, stale_after_seconds, shards)),
        job_counts=job_counts,
        movements=movements.reindex(sorted(names, key=lambda name: (name == NO_MANAGER, name.casefold(), name)), fill_value=0),
        open_findings=findings[is_open],
        resolved_findings=findings[~is_open],
        contradictions=_read(warehouse, "reports/select_contradictions", day_end=day.end).groupby("account_manager")["job_count"].sum(),
        changes=_name_managers(read_changes(warehouse, **bounds)),
        remedies=warehouse.frame("reports/select_remedies"),
        customers={row["application_urn"]: row["customer"] for row in warehouse.read("reports/select_customers")},
        trends=_name_managers(read_trend(warehouse, day)),
        settle_times=_name_managers(read_settle_times(warehouse, day)),
        tasks_left=sum(run["tasks_left"] for run in last_runs),
        tasks_overlooked=sum(run["tasks_overlooked"] for run in last_runs),
        calls_used=sum(run["day_calls"] for run in last_runs),
        calls_left=sum(run["calls_left"] for run in last_runs),
    )


def _read(warehouse: Warehouse, name: str, **values: Any) -> pd.DataFrame:
    return _name_managers(warehouse.frame(name, **values))


def _name_managers(frame: pd.DataFrame) -> pd.DataFrame:
    """The one place where an account manager's name is made comparable, and the lack of one gets its name."""
    stripped = frame["account_manager"].str.strip()
    return frame.assign(account_manager=stripped.mask(stripped == "").fillna(NO_MANAGER))


def _complete_findings(findings: pd.DataFrame, as_of: dt.datetime) -> pd.DataFrame:
    """`findings` with what is derived from their own values. They last until they were resolved, or until `as_of`."""
    age = findings["resolved_at"].fillna(pd.Timestamp(as_of)) - findings["since"]
    age = age.mask(age < pd.Timedelta(0), pd.Timedelta(0))
    bands = pd.cut(age.dt.total_seconds(), [*AGE_BAND_STARTS_SECONDS, float("inf")], right=False, labels=AGE_BANDS)
    endings = list(zip(findings["resolution"], findings["later_status"], strict=True))
    findings = findings.assign(
        issue=[name_issue(*what) for what in zip(findings["kind"], findings["facet"], findings["operation"], strict=True)],
        queue=findings["owner"].map(OWNER_QUEUES).fillna(Queue.PARTNER).mask(findings["severity"] == Severity.LOW, Queue.LOW_PRIORITY),
        # Numbers: grouping by one takes a fraction of the time that several texts take.
        job=pd.factorize(findings["application_urn"] + " " + findings["external_job_posting_id"])[0],
        age=age,
        age_band=bands,
        ending=[describe_ending(*ending) for ending in endings],
        is_good_ending=[is_good_ending(*ending) for ending in endings],
    )
    return findings.assign(cause=findings.groupby(CAUSE, dropna=False, sort=False).ngroup())

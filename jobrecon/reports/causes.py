"""Findings grouped: by cause, by age, and where the day's new ones come from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobrecon.reports.facts import AGE_BANDS, FindingRow, Queue, list_records, list_rows
from jobrecon.reports.formatting import describe_count, shorten

CAUSE = ["issue", "severity", "owner", "reason", "next_action", "remedy"]
"""The code is none of it: a reader cannot tell apart what differs in nothing else."""
MAX_AGEING_ROWS = 20
MIN_CONCENTRATED = 4
"""New findings below which a share says nothing."""
MIN_SHARE = 0.4
MIN_TIMES_EVEN = 1.5
"""A customer's share says nothing where an even one is nearly as big: of two, one has always half."""


@dataclass(frozen=True)
class Cause:
    """Findings that are wrong for the same cause and call for the same action."""

    issue: str
    severity: str
    owner: str
    reason: str
    next_action: str
    remedy: str | None
    job_count: int
    finding_count: int
    code: str | None
    code_count: int
    message_count: int
    message: str | None
    rows: tuple[FindingRow, ...] = ()
    """The worst of its findings, as many as were asked for."""

    @property
    def shared_message(self) -> str | None:
        """LinkedIn's own text where it is the same for all."""
        return self.message if self.message_count == 1 else None

    @property
    def shared_code(self) -> str | None:
        """LinkedIn's code where it is the same for all."""
        return self.code if self.code_count == 1 else None

    @property
    def evidences(self) -> list[str]:
        """What its rows are known from."""
        return list(dict.fromkeys(row.evidence for row in self.rows if row.evidence))


def group_by_cause(findings: pd.DataFrame, max_rows: int = 0, max_rows_each: int | None = None) -> list[Cause]:
    """Findings by cause: the most severe first, then what hits the most jobs, then the oldest.

    Each has its worst rows, at most `max_rows_each`, as long as all together are not more than `max_rows`.
    """
    if findings.empty:
        return []
    grouped = findings.groupby("cause", sort=False)
    causes = findings[["cause", *CAUSE, "severity_rank", "code", "message"]].drop_duplicates("cause").set_index("cause")
    causes = causes.assign(
        job_count=grouped["job"].nunique(),
        finding_count=grouped.size(),
        code_count=grouped["code"].nunique(dropna=False),
        message_count=grouped["message"].nunique(dropna=False),
        since=grouped["since"].min(),
    )
    causes = causes.sort_values(["severity_rank", "job_count", "since"], ascending=[True, False, True], kind="stable")
    records = list_records(causes.drop(columns=["severity_rank", "since"]))
    positions = [grouped.indices[cause][:max_rows_each] for cause in causes.index]
    ends = np.minimum(np.cumsum([len(worst) for worst in positions]), max_rows)
    starts = [0, *ends[:-1]]
    shown = np.concatenate(positions)[:max_rows]
    # Converted all at once: one by one takes many times as long.
    rows = list_rows(findings.iloc[shown])
    return [Cause(**record, rows=tuple(rows[start:end])) for record, start, end in zip(records, starts, ends, strict=True)]


def count_jobs(findings: pd.DataFrame) -> int:
    """How many different jobs the findings are about."""
    return int(findings["job"].nunique())


def tabulate_ages(findings: pd.DataFrame) -> pd.DataFrame:
    """Jobs: one row per cause, the most frequent first, a column for each age band; what is rarer than twenty shares the last row."""
    ages = findings.groupby(["issue", "reason", "age_band"], observed=True)["job"].nunique().unstack("age_band", fill_value=0)
    ages = ages.reindex(columns=AGE_BANDS, fill_value=0).assign(total=lambda table: table.sum(axis=1)).reset_index()
    ages = ages.sort_values(["total", "issue", "reason"], ascending=[False, True, True])
    rest = ages[MAX_AGEING_ROWS:]
    if rest.empty:
        return ages
    other = rest[[*AGE_BANDS, "total"]].sum().to_frame().T.assign(issue="Other", reason=f"{len(rest):,} rarer causes")
    return pd.concat([ages[:MAX_AGEING_ROWS], other], ignore_index=True)


def describe_concentration(findings: pd.DataFrame) -> str | None:
    """One sentence where one cause at one customer, one cause or one customer makes up much of what is new; else None."""
    new = findings[findings["is_new"]]
    if len(new) < MIN_CONCENTRATED:
        return None
    new = new.assign(
        cause_text=[f"{issue}, {shorten(reason, 200).rstrip('.…')}" for issue, reason in zip(new["issue"], new["reason"], strict=True)],
        place="at " + new["application_urn"].map(name_customers(findings)),
    )
    whole, places = count_jobs(new), new["place"].nunique()
    for columns in ([["cause_text", "place"]] if places > 1 else []) + [["cause_text"]] + ([["place"]] if places > 1 else []):
        counts = new.groupby(columns, sort=False)["job"].nunique()
        count = int(counts.max())
        if count / whole >= max(MIN_SHARE, MIN_TIMES_EVEN / places if columns == ["place"] else 0):
            words = counts[counts == count].head(1).reset_index()[columns].iloc[0]
            return f"{round(count * 100 / whole)} % of what is new ({count:,} of {describe_count(whole, 'job')}): {' '.join(words)}."
    return None


def name_customers(findings: pd.DataFrame) -> dict[str, str]:
    """What the customer of each application is called; with the application's number where several are called the same."""
    names = findings.groupby("application_urn")["customer"].first().fillna("").map(lambda name: shorten(name, 60) or "(no customer)")
    is_ambiguous = names.duplicated(keep=False)
    return {
        str(urn): f"{name} ({str(urn).rsplit(':', 1)[-1]})" if ambiguous else name
        for urn, name, ambiguous in zip(names.index, names, is_ambiguous, strict=True)
    }


def tabulate_customers(findings: pd.DataFrame) -> pd.DataFrame:
    """Jobs of each application: `new` to do today, then a column for each queue; each job once, in the first queue that it is in."""
    order = findings["queue"].map({queue: number for number, queue in enumerate(Queue)})
    rows = findings.assign(order=order, is_new=findings["is_new"] & (order == 0)).groupby(["application_urn", "job"])
    jobs = rows.agg(order=("order", "min"), is_new=("is_new", "any")).reset_index()
    counts = pd.crosstab(jobs["application_urn"], jobs["order"]).reindex(columns=range(len(Queue)), fill_value=0)
    counts.columns = pd.Index([queue.value for queue in Queue])
    table = counts.assign(new=jobs.groupby("application_urn")["is_new"].sum(), all=counts.sum(axis=1))
    return table.sort_values([Queue.CUSTOMER.value, "all"], ascending=False, kind="stable")

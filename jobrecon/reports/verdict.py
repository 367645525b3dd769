"""The report in one sentence. It says that all is clear only where everything was checked."""

from dataclasses import dataclass

from jobrecon.reports.causes import count_jobs
from jobrecon.reports.facts import Facts
from jobrecon.reports.formatting import describe_count


@dataclass(frozen=True)
class Verdict:
    """`tone`: act, wait, clear or unsure."""

    sentence: str
    tone: str


def judge(facts: Facts) -> Verdict:
    """The verdict on a day; "All clear" only where all was checked, nothing is open and LinkedIn says of each job what was requested."""
    if facts.as_of is None:
        return Verdict("Nothing was checked, so nothing can be said.", "unsure")
    today, partner, linkedin, low_priority = facts.jobs_by_queue.values()
    tone = "wait"
    if today:
        head = f"{describe_count(today, 'job needs', 'jobs need')} you{_describe_new(today, facts.new_jobs_today, facts.is_ongoing)}"
        head += _describe_waiting(partner, linkedin)
        tone = "act"
    elif partner or linkedin:
        head = f"No job needs you today{_describe_waiting(partner, linkedin)}"
    elif low_priority:
        head = f"No job needs you today; {describe_count(low_priority, 'job has', 'jobs have')} an issue of low priority"
    elif not facts.complete or facts.tasks_left or facts.tasks_overlooked:
        head, tone = "No issue is known, but not everything was checked", "unsure"
    elif facts.contradicting_jobs:
        jobs = describe_count(facts.contradicting_jobs, "job")
        head, tone = f"No issue is open, but about {jobs} LinkedIn last said something else than was requested", "unsure"
    elif not facts.jobs:
        head = "No job is known yet"
    else:
        head, tone = f"All clear: nothing is wrong with {'the one job' if facts.jobs == 1 else f'any of the {facts.jobs:,} jobs'}", "clear"
    doubt = "" if facts.complete or tone == "unsure" else " – as far as could be checked"
    return Verdict(head + _describe_fixed(facts) + doubt + ".", tone)


def _describe_new(count: int, new_count: int, is_ongoing: bool) -> str:
    since = "since yesterday" if is_ongoing else "on that day"
    if new_count == 0:
        return f", {'not' if count == 1 else 'none of them'} new {since}"
    whom = "" if count == 1 else "all of them " if new_count == count else f"{new_count:,} of them "
    return f", {whom}new {since}"


def _describe_waiting(partner: int, linkedin: int) -> str:
    verb = "waits" if (partner or linkedin) == 1 else "wait"
    if partner and linkedin:
        return f"; {partner:,} {verb} for your integration team and {linkedin:,} for LinkedIn"
    if partner or linkedin:
        return f"; {partner or linkedin:,} {verb} for {'your integration team' if partner else 'LinkedIn'}"
    return ""


def _describe_fixed(facts: Facts) -> str:
    fixed = count_jobs(facts.fixed_findings)
    return f"; {fixed:,} {'was' if fixed == 1 else 'were'} fixed" if fixed else ""

"""The report in one sentence. It never says that all is clear of what could not be seen."""

from dataclasses import dataclass

from jobrecon.reports.causes import Desk, count_jobs, select_fixed, sort_to_desks
from jobrecon.reports.facts import Facts
from jobrecon.reports.formatting import describe_count


@dataclass(frozen=True)
class Verdict:
    """`tone`: act, wait, clear or unsure."""

    sentence: str
    tone: str


def judge(facts: Facts) -> Verdict:
    """The verdict on a day; "All clear" only where everything was looked at and nothing is open."""
    if facts.as_of is None:
        return Verdict("Nothing was looked at, so nothing can be said.", "unsure")
    desks = sort_to_desks(facts.open_findings)
    today, us, linkedin, notes = (count_jobs(desks[desk]) for desk in (Desk.TODAY, Desk.US, Desk.LINKEDIN, Desk.NOTES))
    tone = "wait"
    if today:
        new = count_jobs(finding for finding in desks[Desk.TODAY] if finding.is_new)
        head = f"{describe_count(today, 'job needs', 'jobs need')} you{_tell_new(today, new, facts.is_lasting)}"
        head += _tell_waiting(us, linkedin)
        tone = "act"
    elif us or linkedin:
        head = f"No job needs you today{_tell_waiting(us, linkedin)}"
    elif notes:
        head = f"No job needs you today; {describe_count(notes, 'job has', 'jobs have')} a lesser note"
    elif not facts.complete or facts.tasks_left or facts.tasks_overlooked:
        head, tone = "No trouble is known, but not everything was looked at", "unsure"
    elif not facts.jobs:
        head = "No job is known yet"
    else:
        head, tone = f"All clear: nothing is wrong with {'the one job' if facts.jobs == 1 else f'any of the {facts.jobs:,} jobs'}", "clear"
    doubt = "" if facts.complete or tone == "unsure" else " – as far as could be seen"
    return Verdict(head + _tell_fixed(facts) + doubt + ".", tone)


def _tell_new(count: int, new_count: int, is_lasting: bool) -> str:
    since = "since yesterday" if is_lasting else "on that day"
    if new_count == 0:
        return f", {'not' if count == 1 else 'none of them'} new {since}"
    whom = "" if count == 1 else "all of them " if new_count == count else f"{new_count:,} of them "
    return f", {whom}new {since}"


def _tell_waiting(us: int, linkedin: int) -> str:
    verb = "waits" if (us or linkedin) == 1 else "wait"
    if us and linkedin:
        return f"; {us:,} {verb} for our integration team and {linkedin:,} for LinkedIn"
    if us or linkedin:
        return f"; {us or linkedin:,} {verb} for {'our integration team' if us else 'LinkedIn'}"
    return ""


def _tell_fixed(facts: Facts) -> str:
    fixed = count_jobs(select_fixed(facts))
    return f"; {fixed:,} {'was' if fixed == 1 else 'were'} fixed" if fixed else ""

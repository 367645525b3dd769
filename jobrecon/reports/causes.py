"""Who has to act on what: findings sorted to desks, and on each desk grouped by cause."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from jobrecon.reports.facts import Facts, ReportedFinding
from jobrecon.reports.glossary import is_good_ending, name_trouble
from models import Owner, Severity


class Desk(StrEnum):
    """On whose desk a finding lies."""

    TODAY = "today"
    """The account manager's: the customer has to act, and somebody has to ask them."""
    US = "us"
    LINKEDIN = "linkedin"
    NOTES = "notes"


@dataclass(frozen=True)
class Cause:
    """Findings that are wrong for the same cause and call for the same action, the worst first."""

    trouble: str
    severity: str
    owner: str
    code: str | None
    reason: str
    next_action: str
    findings: tuple[ReportedFinding, ...]

    @cached_property
    def job_count(self) -> int:
        return count_jobs(self.findings)

    @cached_property
    def shared_message(self) -> str | None:
        """LinkedIn's own text where it is the same for all."""
        messages = {finding.message for finding in self.findings}
        return next(iter(messages)) if len(messages) == 1 else None


_OWNERS_DESKS = {Owner.CUSTOMER.value: Desk.TODAY, Owner.LINKEDIN.value: Desk.LINKEDIN}


def find_desk(finding: ReportedFinding) -> Desk:
    """On whose desk `finding` lies. What nobody is named for is ours."""
    if finding.severity == Severity.LOW:
        return Desk.NOTES
    return _OWNERS_DESKS.get(finding.owner, Desk.US)


def sort_to_desks(findings: Iterable[ReportedFinding]) -> dict[Desk, list[ReportedFinding]]:
    """Every finding on exactly one desk, in the order they came; every desk is told."""
    desks: dict[Desk, list[ReportedFinding]] = {desk: [] for desk in Desk}
    for finding in findings:
        desks[find_desk(finding)].append(finding)
    return desks


def group_by_cause(findings: Iterable[ReportedFinding]) -> list[Cause]:
    """Findings by cause: the most severe first, then what hits the most jobs, then the oldest."""
    groups: dict[tuple[str, ...], list[ReportedFinding]] = defaultdict(list)
    for finding in findings:
        key = (name_trouble(finding), finding.severity, finding.owner, finding.code or "", finding.reason, finding.next_action)
        groups[key].append(finding)
    causes = [
        Cause(trouble, severity, owner, code or None, reason, action, tuple(group))
        for (trouble, severity, owner, code, reason, action), group in groups.items()
    ]
    ranks = list(Severity)
    return sorted(
        causes,
        key=lambda cause: (ranks.index(Severity(cause.severity)), -cause.job_count, min(finding.since for finding in cause.findings)),
    )


def count_jobs(findings: Iterable[ReportedFinding]) -> int:
    """How many different jobs the findings are about."""
    return len({finding.job for finding in findings})


def select_fixed(facts: Facts) -> list[ReportedFinding]:
    """Episodes that ended well in the day, of jobs that have no other trouble left."""
    troubled = {finding.job for finding in facts.open_findings}
    return [finding for finding in facts.resolved_findings if is_good_ending(finding) and finding.job not in troubled]

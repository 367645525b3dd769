"""The ageing matrix: how long each cause has lasted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobrecon.reports.facts import ReportedFinding, count_by_age
from jobrecon.reports.glossary import name_trouble

MOST_CAUSES = 20


@dataclass(frozen=True)
class AgeRow:
    """Open findings of one cause by age band."""

    trouble: str
    reason: str
    counts: Mapping[str, int]
    total: int


def tabulate_ages(findings: Iterable[ReportedFinding]) -> list[AgeRow]:
    """One row per cause, the most frequent first; what is rarer than the first twenty shares the last row."""
    groups: dict[tuple[str, str], list[ReportedFinding]] = defaultdict(list)
    for finding in findings:
        groups[name_trouble(finding), finding.reason].append(finding)
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [AgeRow(trouble, reason, count_by_age(group), len(group)) for (trouble, reason), group in ranked[:MOST_CAUSES]]
    rest = [finding for _, group in ranked[MOST_CAUSES:] for finding in group]
    if rest:
        rows.append(AgeRow("Other", f"{len(ranked) - MOST_CAUSES:,} rarer causes", count_by_age(rest), len(rest)))
    return rows

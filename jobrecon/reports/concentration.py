"""Where the day's new findings come from: the one cause or customer that stands behind most of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from jobrecon.reports.facts import ReportedFinding
from jobrecon.reports.formatting import describe_count
from jobrecon.reports.glossary import name_trouble
from jobrecon.reports.text import shorten

FEWEST = 4
"""New findings below which a share says nothing."""
LEAST_SHARE = 0.4


def tell_concentration(findings: Iterable[ReportedFinding]) -> str | None:
    """One sentence where one cause at one customer, one cause or one customer makes up much of what is new; else None."""
    new = [finding for finding in findings if finding.is_new]
    if len(new) < FEWEST:
        return None
    customers = {finding.customer for finding in new}
    lookups: Sequence[tuple[Callable[[ReportedFinding], tuple[str, ...]], bool]] = (
        (lambda finding: (_name_cause(finding), f"at {_name_customer(finding)}"), len(customers) > 1),
        (lambda finding: (_name_cause(finding),), True),
        (lambda finding: (f"at {_name_customer(finding)}",), len(customers) > 1),
    )
    for look, is_telling in lookups:
        if not is_telling:
            continue
        [(words, count)] = Counter(look(finding) for finding in new).most_common(1)
        if count / len(new) >= LEAST_SHARE:
            whole = describe_count(len(new), "new finding")
            return f"{count * 100 // len(new)} % of what is new ({count:,} of {whole}): {' '.join(words)}."
    return None


def _name_cause(finding: ReportedFinding) -> str:
    code = shorten(finding.code, 60)
    return f"{name_trouble(finding)}, {code or shorten(finding.reason, 90).rstrip('.')}"


def _name_customer(finding: ReportedFinding) -> str:
    return shorten(finding.customer, 60) or "a customer without a name"

"""What became of an import: rows added, known and rejected, and why the rejected ones were."""

from dataclasses import dataclass, field

MAX_EXAMPLES = 3


@dataclass
class Reason:
    """One reason for which rows were rejected: how many, and the first of them."""

    count: int = 0
    examples: list[tuple[int | None, str]] = field(default_factory=list)
    """(line, text) of the first rows."""

    def add(self, count: int, examples: list[tuple[int | None, str]]) -> None:
        self.count += count
        self.examples = (self.examples + examples)[:MAX_EXAMPLES]


@dataclass
class ImportResult:
    """What became of one file; `added` + `known` + `rejected` + `skipped` are its rows."""

    source: str
    added: int = 0
    known: int = 0
    rejected: int = 0
    skipped: int = 0
    """Rows of other shards."""
    notes: list[str] = field(default_factory=list)
    reasons: dict[str, Reason] = field(default_factory=dict)

    def reject(self, reason: str, count: int, examples: list[tuple[int | None, str]]) -> None:
        """Count rows that were rejected for this reason."""
        self.rejected += count
        self.reasons.setdefault(reason, Reason()).add(count, examples)

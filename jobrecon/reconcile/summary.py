"""The summary of a run: its counters, and the two sentences made of them."""

from pydantic import Field

from jobrecon.warehouse.connection import Warehouse, stage
from models import Run, RunState
from models.run import RunFields


class RunSummary(RunFields):
    """What a run did; its row in `runs`, and what `jobrecon run --json` prints."""

    incomplete_reasons: list[str] = Field(default_factory=list)
    """Each once, what failed first."""
    failures: list[str] = Field(default_factory=list)
    """Of these, what could not be read: the command line ends with 1 by them."""
    notes: list[str] = Field(default_factory=list)
    """What else is worth knowing, such as an application whose jobs cannot be checked; it is complete all the same."""
    failed_applications: list[str] = Field(default_factory=list)
    """Those that could not be polled completely: none of their findings is resolved."""
    unseen_facets: list[str] = Field(default_factory=list)
    """Facets whose notifications could not be read: none of their findings is resolved."""

    def add_slice(self, jobs: int, resolved: int, opened: int) -> None:
        """Count what was done to a slice of jobs, once it is committed."""
        self.jobs_touched += jobs
        self.findings_resolved += resolved
        self.findings_opened += opened

    @property
    def is_complete(self) -> bool:
        return self.state == RunState.COMPLETED

    def to_row(self) -> dict[str, object]:
        """The run's row in the table `runs`."""
        texts = {
            name: "\n".join(" ".join(line.split()) for line in getattr(self, name)) or None
            for name in ("incomplete_reasons", "failed_applications", "unseen_facets")
        }
        return self.model_dump(include=set(Run.model_fields)) | texts

    @property
    def sentence(self) -> str:
        """What happened, in one line."""
        return (
            f"{self.tasks_polled:,} of {_count(self.tasks_due, 'due task')} polled with {_count(self.calls_used, 'call')}, {self.tasks_settled:,} settled; "
            f"{_count(self.notifications_merged, 'notification')} merged; {_count(self.jobs_checked, 'job')} checked with {_count(self.checks_used, 'call')}; "
            f"{_count(self.findings_opened, 'finding')} opened, {self.findings_resolved:,} resolved, {self.findings_open:,} open"
        )

    @property
    def polling_sentence(self) -> str:
        """How well the calls were used, in one line."""
        parts = [f"{_count(self.calls_left, 'call')} left today", f"{_count(self.tasks_left, 'due task')} left for the next run"]
        if self.calls_used:
            parts.insert(0, f"{self.tasks_polled / self.calls_used:.1f} tasks a call")
        if self.detection_delay_mean_seconds is not None and self.detection_delay_p95_seconds is not None:
            delay = f"settled tasks seen after {self.detection_delay_mean_seconds:,.0f} s (95 %: {self.detection_delay_p95_seconds:,.0f} s)"
            # Of a few tasks that settled at once the mean lies below what is possible for many, and compares with nothing.
            if self.delay_bound_seconds and self.detection_delay_mean_seconds >= self.delay_bound_seconds:
                ratio = self.detection_delay_mean_seconds / self.delay_bound_seconds
                delay += f", {ratio:.1f} times the least possible {self.delay_bound_seconds:,.1f} s"
            parts.append(delay)
        return "; ".join(parts)


def write_run(warehouse: Warehouse, summary: RunSummary) -> None:
    """Insert or replace the run's row in `runs`."""
    warehouse.run("runs/merge_run", stage("staged_run", [summary.to_row()]))


def _count(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"

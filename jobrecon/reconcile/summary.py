"""What a run did, in figures and in words."""

from dataclasses import dataclass, field
from datetime import datetime

from models import RunState


@dataclass
class RunSummary:
    """What a run did; the row of `runs`, and what `jobrecon run --json` prints."""

    run_id: str
    as_of: datetime
    started_at: datetime
    flow_run_id: str | None = None
    finished_at: datetime | None = None
    state: str = RunState.RUNNING
    tasks_pending: int = 0
    tasks_due: int = 0
    tasks_polled: int = 0
    tasks_settled: int = 0
    tasks_left: int = 0
    calls_used: int = 0
    calls_left: int = 0
    detection_delay_mean_seconds: float | None = None
    detection_delay_p95_seconds: float | None = None
    delay_bound_seconds: float | None = None
    notifications_merged: int = 0
    findings_opened: int = 0
    findings_resolved: int = 0
    findings_open: int = 0
    pulled_at: datetime | None = None
    incomplete_reasons: list[str] = field(default_factory=list)
    failed_applications: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What happened, in one line."""
        return (
            f"{self.tasks_polled:,} of {self.tasks_due:,} due tasks polled with {self.calls_used:,} calls, {self.tasks_settled:,} settled; "
            f"{self.notifications_merged:,} notifications merged; {self.findings_opened:,} findings opened, "
            f"{self.findings_resolved:,} resolved, {self.findings_open:,} open"
        )

    @property
    def polling_sentence(self) -> str:
        """How well the calls were used, in one line."""
        told = [f"{self.calls_left:,} calls left today", f"{self.tasks_left:,} due tasks left for the next run"]
        if self.calls_used:
            told.insert(0, f"{self.tasks_polled / self.calls_used:.1f} tasks a call")
        if self.detection_delay_mean_seconds is not None and self.detection_delay_p95_seconds is not None:
            delay = f"settled tasks seen after {self.detection_delay_mean_seconds:,.0f} s (95 %: {self.detection_delay_p95_seconds:,.0f} s)"
            if self.delay_bound_seconds:
                ratio = self.detection_delay_mean_seconds / self.delay_bound_seconds
                delay += f", {ratio:.1f} times the least possible {self.delay_bound_seconds:,.1f} s"
            told.append(delay)
        return "; ".join(told)

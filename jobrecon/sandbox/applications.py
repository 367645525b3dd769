"""An application as LinkedIn knows it: its credentials, tokens, calls, tasks and jobs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from jobrecon.sandbox.jobs import Job
from jobrecon.sandbox.tasks import Task

DAY_SECONDS = 86_400
TASKS, POSTINGS, POSTING_STATUS = "simpleJobPostingTasks", "simpleJobPostings", "jobPostingStatus"
WEBHOOKS = "developerWebhooks"


@dataclass(frozen=True, slots=True)
class SandboxApplication:
    """An application that the sandbox knows: a customer's, or the parent. Of two secrets the newest comes first."""

    urn: str
    client_id: str
    client_secrets: list[str]

    def __post_init__(self) -> None:
        if not self.urn or not self.client_id or not self.client_secrets or not all(self.client_secrets):
            raise ValueError("a sandbox application needs a urn, a client_id and at least one secret")


@dataclass(slots=True)
class Calls:
    """Calls to one resource, by UTC day."""

    day: int = -1
    today: int = 0
    total: int = 0
    refused: int = 0
    """Calls over the day's limit."""
    throttled: int = 0
    """Calls over the limit of a shorter window."""
    window: int = -1
    in_window: int = 0

    def charge(self, now: float, window_seconds: float) -> None:
        """Count one call, for this UTC day and this window."""
        day, window = int(now // DAY_SECONDS), int(now // max(window_seconds, 1))
        if day != self.day:
            self.day, self.today = day, 0
        if window != self.window:
            self.window, self.in_window = window, 0
        self.today += 1
        self.in_window += 1
        self.total += 1

    def today_at(self, now: float) -> int:
        return self.today if self.day == int(now // DAY_SECONDS) else 0


@dataclass(slots=True)
class WebhookCounts:
    """Outcomes of an application's notifications and challenges."""

    pending: int = 0
    sent: int = 0
    """Accepted with 200."""
    refused: int = 0
    """Refused with 400."""
    failed: int = 0
    """Attempts that got any other status, or none."""
    given_up: int = 0
    lost: int = 0
    """Never delivered, by fault injection."""
    dropped: int = 0
    """Due while the webhook was blocked: not sent, and never replayed."""
    challenges: int = 0
    challenges_failed: int = 0
    consecutive_failures: int = 0
    is_blocked: bool = False


@dataclass(slots=True)
class ApplicationState:
    """The sandbox's state of one application."""

    application: SandboxApplication
    calls: dict[str, Calls] = field(default_factory=lambda: {name: Calls() for name in (TASKS, POSTINGS, POSTING_STATUS, WEBHOOKS)})
    tasks: dict[str, Task] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=1000))
    """The newest task URNs: unrequested results are picked from these."""
    webhooks: WebhookCounts = field(default_factory=WebhookCounts)
    tokens_issued: int = 0
    challenge_rounds: int = 0

    @property
    def urn(self) -> str:
        return self.application.urn

    @property
    def number(self) -> str:
        """The application's number, by which a challenge names it."""
        return self.application.urn.rpartition(":")[2]

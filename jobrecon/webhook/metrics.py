"""What the receiver tells Prometheus, in a registry of its own for each app."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jobrecon.clock import Clock
from jobrecon.webhook.inbox import InboxState

REASONS = (
    "signature_missing",
    "signature_malformed",
    "signature_wrong",
    "too_large",
    "too_slow",
    "disconnected",
    "cannot_verify",
    "cannot_land",
)


class Metrics:
    """Counters of this process; how the inbox stands is of the landing database, and so of all receivers."""

    def __init__(self, clock: Clock, count_queued: Callable[[], int]) -> None:
        self.state: InboxState | None = None
        self._registry = CollectorRegistry()
        self.landed = Counter("jobrecon_webhook_landed", "Notifications landed durably", registry=self._registry)
        self.quarantined = Counter("jobrecon_webhook_quarantined", "Signed bodies that were not understood", registry=self._registry)
        self.refused = Counter("jobrecon_webhook_refused", "Notifications refused", ["reason"], registry=self._registry)
        self.challenges = Counter("jobrecon_webhook_challenges", "Challenges, by outcome", ["outcome"], registry=self._registry)
        for reason in REASONS:
            self.refused.labels(reason)
        for outcome in ("answered", "refused"):
            self.challenges.labels(outcome)
        self._registry.register(_InboxGauges(self, clock, count_queued))

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)


class _InboxGauges(Collector):
    """Gauges that exist only where there is something to say: nothing heard yet is not 'heard 0 seconds ago'."""

    def __init__(self, metrics: Metrics, clock: Clock, count_queued: Callable[[], int]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._count_queued = count_queued

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("jobrecon_webhook_queue_depth", "Writes that wait for the landing database", self._count_queued())
        state = self._metrics.state
        if state is None:
            return
        yield GaugeMetricFamily("jobrecon_webhook_inbox_depth", "Landed notifications that wait to be merged", state.unmerged_count)
        yield from self._since("jobrecon_webhook_seconds_since_challenge", "Since LinkedIn's last challenge", state.last_challenged_at)
        yield from self._since("jobrecon_webhook_seconds_since_notification", "Since the last notification", state.last_received_at)

    def _since(self, name: str, description: str, moment: datetime | None) -> Iterator[GaugeMetricFamily]:
        if moment is not None:
            yield GaugeMetricFamily(name, description, max(0.0, (self._clock() - moment).total_seconds()))

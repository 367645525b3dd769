"""What the receiver tells Prometheus, in a registry of its own for each app."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobrecon.clock import Clock
from jobrecon.landing.inbox_reader import InboxState
from jobrecon.webhook.parsing import JOB_POSTING_STATUS, RESYNC_JOBS

CHALLENGE_SILENCE_SECONDS = 5 * 3600

REASONS = (
    "signature_missing",
    "signature_malformed",
    "signature_wrong",
    "too_large",
    "too_slow",
    "too_busy",
    "disconnected",
    "cannot_verify",
    "cannot_land",
)


class Metrics:
    """Counters of this process; how the inbox stands is of the landing database, and so of all receivers."""

    def __init__(self, clock: Clock, count_queued: Callable[[], int]) -> None:
        self.state: InboxState | None = None
        self._registry = CollectorRegistry()
        # Plain numbers: a Counter's lock for each would cost as much as verifying a signature.
        self.landed_by_type = {JOB_POSTING_STATUS: 0, RESYNC_JOBS: 0, "other": 0}
        self.duplicate_count = 0
        self.quarantined = Counter("jobrecon_webhook_quarantined", "Signed bodies that were not understood", registry=self._registry)
        self.refused = Counter("jobrecon_webhook_refused", "Notifications refused", ["reason"], registry=self._registry)
        self.challenges = Counter("jobrecon_webhook_challenges", "Challenges, by outcome", ["outcome"], registry=self._registry)
        for reason in REASONS:
            self.refused.labels(reason)
        for outcome in ("answered", "refused"):
            self.challenges.labels(outcome)
        self._registry.register(_InboxGauges(self, clock, count_queued))

    def count_landed(self, type_: str, *, is_duplicate: bool) -> None:
        self.landed_by_type[type_ if type_ in self.landed_by_type else "other"] += 1
        self.duplicate_count += is_duplicate

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)


class _InboxGauges(Collector):
    """Gauges that exist only where there is something to say: nothing heard yet is not 'heard 0 seconds ago'."""

    def __init__(self, metrics: Metrics, clock: Clock, count_queued: Callable[[], int]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._count_queued = count_queued

    def collect(self) -> Iterator[Metric]:
        by_type = self._metrics.landed_by_type
        yield CounterMetricFamily("jobrecon_webhook_landed", "Notifications landed durably", sum(by_type.values()))
        types = CounterMetricFamily("jobrecon_webhook_landed_by_type", "Notifications landed durably, by type", labels=["type"])
        for type_, count in by_type.items():
            types.add_metric([type_], count)
        yield types
        duplicates = "Of the landed ones, those that say what this process last landed about the same job"
        yield CounterMetricFamily("jobrecon_webhook_duplicates", duplicates, self._metrics.duplicate_count)
        yield GaugeMetricFamily("jobrecon_webhook_queue_depth", "Writes that wait for the landing database", self._count_queued())
        state = self._metrics.state
        if state is None:
            return
        yield GaugeMetricFamily("jobrecon_webhook_inbox_depth", "Landed notifications that wait to be merged", state.unmerged_count)
        yield from self._since("jobrecon_webhook_inbox_age_seconds", "Age of the oldest that waits to be merged", state.oldest_unmerged_at)
        yield GaugeMetricFamily("jobrecon_webhook_quarantine_depth", "Bodies in quarantine, for all receivers", state.quarantined_count)
        yield self._silences(state)
        yield from self._since("jobrecon_webhook_seconds_since_challenge", "Since LinkedIn's last challenge", state.last_challenged_at)
        yield from self._since("jobrecon_webhook_seconds_since_notification", "Since the last notification", state.last_received_at)

    def _since(self, name: str, description: str, moment: datetime | None) -> Iterator[GaugeMetricFamily]:
        if moment is not None:
            yield GaugeMetricFamily(name, description, max(0.0, (self._clock() - moment).total_seconds()))

    def _silences(self, state: InboxState) -> GaugeMetricFamily:
        """1 for each voice of LinkedIn's that has fallen silent: challenges ('') by our own clock, applications by the last run."""
        silent = GaugeMetricFamily(
            "jobrecon_webhook_silent", "Whether LinkedIn has fallen silent; '' for challenges", labels=["application"]
        )
        challenged_at = state.last_challenged_at
        is_silent = challenged_at is not None and (self._clock() - challenged_at).total_seconds() >= CHALLENGE_SILENCE_SECONDS
        silent.add_metric([""], float(is_silent))
        for application_urn in sorted(state.silences.keys() - {""}):
            silent.add_metric([application_urn], 1.0)
        return silent

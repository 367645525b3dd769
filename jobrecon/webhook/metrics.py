"""Prometheus metrics of the receiver, in a registry of its own for each app."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jobrecon.clock import Clock
from jobrecon.landing.inbox_reader import InboxState
from jobrecon.webhook.parsing import JOB_POSTING_STATUS, RESYNC_JOBS

CHALLENGE_SILENCE_SECONDS = 5 * 3600

TYPES = (JOB_POSTING_STATUS, RESYNC_JOBS, "other")
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


class Metrics(Collector):
    """Counters of this process; gauges of the landing database, and so of all receivers.

    The gauges exist only once there is something to report: nothing received yet is not 'received 0 seconds ago'.
    """

    def __init__(self, clock: Clock, count_queued: Callable[[], int]) -> None:
        self.state: InboxState | None = None
        self._clock = clock
        self._count_queued = count_queued
        self._registry = registry = CollectorRegistry()
        self.landed = Counter("jobrecon_webhook_landed", "Notifications landed durably", registry=registry)
        self.landed_by_type = Counter(
            "jobrecon_webhook_landed_by_type", "Notifications landed durably, by type", ["type"], registry=registry
        )
        self.duplicates = Counter(
            "jobrecon_webhook_duplicates",
            "Of the landed ones, those that repeat what this process last landed about the same job",
            registry=registry,
        )
        self.quarantined = Counter("jobrecon_webhook_quarantined", "Signed bodies that are no notifications", registry=registry)
        self.refused = Counter("jobrecon_webhook_refused", "Notifications refused", ["reason"], registry=registry)
        self.challenges = Counter("jobrecon_webhook_challenges", "Challenges, by outcome", ["outcome"], registry=registry)
        # Each label exists from the start, so that rates can be computed from the first increase.
        for type_ in TYPES:
            self.landed_by_type.labels(type_)
        for reason in REASONS:
            self.refused.labels(reason)
        for outcome in ("answered", "refused"):
            self.challenges.labels(outcome)
        registry.register(self)

    @staticmethod
    def name_type(type_: str) -> str:
        """The label for a notification's type: a sender must not be able to make up new ones."""
        return type_ if type_ in TYPES else "other"

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("jobrecon_webhook_queue_depth", "Writes that wait for the landing database", self._count_queued())
        state = self.state
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
        """1 for each that is silent: challenges ('') by our own clock, applications by the last run."""
        silent = GaugeMetricFamily("jobrecon_webhook_silent", "Whether LinkedIn is silent; '' for challenges", labels=["application"])
        challenged_at = state.last_challenged_at
        is_silent = challenged_at is not None and (self._clock() - challenged_at).total_seconds() >= CHALLENGE_SILENCE_SECONDS
        silent.add_metric([""], float(is_silent))
        for application_urn in sorted(state.silences.keys() - {""}):
            silent.add_metric([application_urn], 1.0)
        return silent

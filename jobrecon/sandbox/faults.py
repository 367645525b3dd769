"""Fault injection: what can be made to go wrong in the sandbox, and the seeded choice of when it does."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from jobrecon.sandbox.rates import SeededRandom

MAX_SECONDS = 366 * 86_400
LATE_MEDIAN_SECONDS, HELD_BACK_MEDIAN_SECONDS, REPEATED_MEDIAN_SECONDS = 14_400.0, 600.0, 60.0
COMPANY_DETAILS = ("mixed", "documented", "sdk")


@dataclass(slots=True)
class FaultInjection:
    """Settings of every fault. Rates are from 0 (never) to 1 (always)."""

    latency_seconds: float = 0.0
    """Added to every response of the API and the token endpoint."""
    error_5xx_rate: float = 0.0
    """Responses with 500, 502, 503 or 504."""
    rate_429: float = 0.0
    """Responses with 429, whatever the limits."""
    calls_per_window: float = 0.0
    """Calls of one application to one resource in a window of time, before 429; 0: as many as come."""
    window_seconds: float = 60.0
    """How long such a window is; it begins at whole multiples of it."""
    retry_after_seconds: float = 0.0
    """The `Retry-After` of a 429; 0: none, as LinkedIn mostly does."""
    name_day_limit: bool = False
    """The 429 of a used-up day names the day's limit in its text, as users report."""
    dropped_connection_rate: float = 0.0
    """The connection is closed without a response."""
    truncated_json_rate: float = 0.0
    """The body of a response ends in the middle."""
    wrong_shape_rate: float = 0.0
    """The response is JSON, but not what is documented."""
    per_id_error_rate: float = 0.0
    """An id gets an error or is missing, while the rest of the batch is complete."""
    unrequested_key_rate: float = 0.0
    """A response also carries a result that was not requested."""
    percent_encode_keys: bool = False
    """The keys of a response come percent-encoded."""
    omit_unknown_ids: bool = False
    """An unknown job is missing from the response of `jobPostingStatus`, instead of a 404 in `errors`."""
    company_details: str = "mixed"
    """The keys of `companyDetails`: `documented` (companyName, companyPage), `sdk` (name, pageUrl), or `mixed` (sdk in the status only)."""
    token_lifetime_seconds: float = 1800.0
    """How long new tokens are valid."""
    token_error_rate: float = 0.0
    """The token endpoint returns 5xx."""
    expire_tokens_now: bool = False
    """Expires all tokens issued so far; is false again afterwards."""
    forbidden_applications: list[str] = field(default_factory=list)
    """Applications (URNs) whose calls get 403."""
    forbidden_resources: list[str] = field(default_factory=list)
    """Resources, such as jobPostingStatus, whose calls get 403."""
    denied_token_applications: list[str] = field(default_factory=list)
    """Applications (URNs) that get no token."""
    lost_rate: float = 0.0
    """Notifications never delivered."""
    duplicate_rate: float = 0.0
    """Notifications delivered twice."""
    late_rate: float = 0.0
    """Notifications delivered hours late."""
    reorder_rate: float = 0.0
    """Notifications held back for some minutes, so that later ones overtake them."""
    escaped_signature_rate: float = 0.0
    """Notifications whose signature is over the escaped unicode form of the body."""
    parent_signature_rate: float = 0.0
    """Notifications signed with the parent's secret, where there is one."""

    def update(self, settings: Any) -> None:
        """Apply `settings`. Raises ValueError, and changes nothing, where one is unknown or invalid."""
        if not isinstance(settings, dict):
            raise ValueError("settings must be a JSON object")
        known = {each.name for each in fields(self)}
        for name, value in settings.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known are {', '.join(sorted(known))}")
            _check(name, value, getattr(self, name))
        for name, value in settings.items():
            setattr(self, name, value)


def _check(name: str, value: Any, current: Any) -> None:
    if isinstance(current, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false")
    elif isinstance(current, str):
        if value not in COMPANY_DETAILS:
            raise ValueError(f"{name} must be one of {', '.join(COMPANY_DETAILS)}")
    elif isinstance(current, list):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name} must be a list of texts")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
        raise ValueError(f"{name} must be a number from 0 to {MAX_SECONDS}")
    elif (name.endswith("_rate") or name == "rate_429") and value > 1:
        raise ValueError(f"{name} must be a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class PlannedNotification:
    """When a notification is delivered, and what its signature is of; at no time where it is lost."""

    times: list[float] = field(default_factory=list)
    is_escaped_signed: bool = False
    is_parent_signed: bool = False


class FaultInjector:
    """Decides, call by call, what goes wrong. Seeded: the same calls in the same order get the same faults."""

    def __init__(self, seed: int) -> None:
        self._rng = SeededRandom(seed, "faults")

    def occurs(self, rate: float) -> bool:
        """Whether a fault of this rate occurs now. Draws nothing where the rate is 0."""
        return rate > 0 and self._rng.happens(rate)

    def wrong_shape(self) -> bytes:
        """A body that is JSON, but not as documented."""
        shapes = (b"[]", b"null", b'"OK"', b"{}", b'{"results":[],"errors":{}}', b'{"results":null}', b'{"results":{"":null}}')
        return self._rng.choice(shapes)

    def error_status(self) -> int:
        return self._rng.choice((500, 502, 503, 504))

    def id_error(self) -> int:
        """What one id gets: a status for `errors`, the negative of one for `statuses`, 0 for neither."""
        return self._rng.choice((500, 503, -503, 0))

    def hex_digits(self) -> str:
        return self._rng.draw(8).hex()

    def delay(self, median: float) -> float:
        return self._rng.lognormal(median, 0.7)

    def plan_notification(self, faults: FaultInjection, at: float, *, has_parent: bool) -> PlannedNotification:
        """When a notification that is ready `at` this time is delivered, how often, and what signs it."""
        if self.occurs(faults.lost_rate):
            return PlannedNotification()
        if self.occurs(faults.late_rate):
            at += self.delay(LATE_MEDIAN_SECONDS)
        elif self.occurs(faults.reorder_rate):
            at += self.delay(HELD_BACK_MEDIAN_SECONDS)
        is_escaped = self.occurs(faults.escaped_signature_rate)
        is_parent = has_parent and self.occurs(faults.parent_signature_rate)
        times = [at]
        if self.occurs(faults.duplicate_rate):
            times.append(at + self.delay(REPEATED_MEDIAN_SECONDS))
        return PlannedNotification(times, is_escaped, is_parent)

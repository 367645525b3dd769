"""What can be made to go wrong in the sandbox, and when it does."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from jobrecon.sandbox.seeded_random import SeededRandom

LARGEST_SECONDS = 366 * 86_400


@dataclass(slots=True)
class FaultInjection:
    """Settings of everything that can go wrong. Rates are from 0 (never) to 1 (always)."""

    latency_seconds: float = 0.0
    error_5xx_rate: float = 0.0
    rate_429: float = 0.0
    dropped_connection_rate: float = 0.0
    """The connection is closed without an answer."""
    cut_json_rate: float = 0.0
    """The body of an answer ends in the middle."""
    wrong_shape_rate: float = 0.0
    """The answer is JSON, but not what is documented."""
    per_id_error_rate: float = 0.0
    """An id is answered with an error or not at all, while the rest of the batch is answered well."""
    unasked_key_rate: float = 0.0
    """An answer also carries a result nobody asked for."""
    percent_encode_keys: bool = False
    token_life_seconds: float = 1800.0
    token_error_rate: float = 0.0
    """The token endpoint answers 5xx."""
    expire_tokens_now: bool = False
    """Ends all tokens given out so far; is false again afterwards."""
    forbidden_applications: list[str] = field(default_factory=list)
    """Applications (URNs) whose calls are answered 403."""
    denied_token_applications: list[str] = field(default_factory=list)
    """Applications (URNs) that get no token."""
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

    def merge(self, settings: Any) -> None:
        """Take over `settings`; raises ValueError, and changes nothing, where one is unknown or makes no sense."""
        if not isinstance(settings, dict):
            raise ValueError("settings must be a JSON object")
        known = {each.name for each in fields(self)}
        for name, value in settings.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known are {', '.join(sorted(known))}")
            _check(name, value, getattr(self, name))
        for name, value in settings.items():
            setattr(self, name, value)


def _check(name: str, value: Any, present: Any) -> None:
    if isinstance(present, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false")
    elif isinstance(present, list):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name} must be a list of application URNs")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST_SECONDS:
        raise ValueError(f"{name} must be a number from 0 to {LARGEST_SECONDS}")
    elif (name.endswith("_rate") or name == "rate_429") and value > 1:
        raise ValueError(f"{name} must be a number from 0 to 1")


class Mischief:
    """Decides, call by call, what goes wrong: seeded, so the same calls in the same order go wrong the same way."""

    def __init__(self, settings: FaultInjection, seed: int) -> None:
        self.settings = settings
        self._dice = SeededRandom(seed, "faults")

    def strikes(self, rate: float) -> bool:
        """Whether something that happens at `rate` happens now. Costs nothing where it never does."""
        return rate > 0 and self._dice.happens(rate)

    def wrong_shape(self) -> bytes:
        """A body that is JSON and not as documented."""
        shapes = (b"[]", b"null", b'"OK"', b"{}", b'{"results":[],"errors":{}}', b'{"results":null}', b'{"results":{"":null}}')
        return self._dice.choose(shapes)

    def error_status(self) -> int:
        return self._dice.choose((500, 502, 503, 504))

    def id_error(self) -> int:
        """What one id is answered with: a status for `errors`, the negative of one for `statuses`, 0 for nothing."""
        return self._dice.choose((500, 503, -503, 0))

    def draw_hex(self) -> str:
        return self._dice.draw(8).hex()

    def delay(self, median: float) -> float:
        return self._dice.spread(median, 0.7)

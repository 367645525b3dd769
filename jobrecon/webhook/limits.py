"""How much, and how long, strangers may ask for. Everything that bounds the receiver stands here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one request may cost, and what all of them together may hold."""

    body_bytes: int = 256 * 1024
    body_seconds: float = 10
    landing_seconds: float = 10
    # How long what is still coming of a body that was refused is thrown away, so that its sender hears the answer.
    linger_seconds: float = 1
    linger_bytes: int = 4 * 1024 * 1024
    challenge_bytes: int = 1024
    # Bodies that are being received, verified or landed, all together; beyond it a sender is told to come again.
    held_bytes: int = 128 * 1024 * 1024
    # Work up to this many bytes (body × secrets) is done at once; more of it in a thread, so that others are answered meanwhile.
    inline_bytes: int = 64 * 1024


@dataclass(frozen=True)
class ConnectionLimits:
    """What one connection may take, and how many there may be."""

    connections: int = 2_048
    header_bytes: int = 16 * 1024
    header_seconds: float = 10
    # Longer than the app's own `body_seconds`, which can still answer; this one only hangs up.
    body_seconds: float = 15
    idle_seconds: float = 20
    sweep_seconds: float = 0.1
    hang_ups_per_sweep: int = 32

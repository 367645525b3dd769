"""What bounds the receiver in size, time and number, and the cache that bounds how often it reads."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import TTLCache


@dataclass(frozen=True)
class Limits:
    """What one request may cost, and what all of them together may hold."""

    body_bytes: int = 256 * 1024
    body_seconds: float = 10
    landing_seconds: float = 10
    readiness_seconds: float = 2
    # How much longer a body that was rejected is read and discarded, so that its sender sees the response.
    linger_seconds: float = 1
    linger_bytes: int = 4 * 1024 * 1024
    challenge_bytes: int = 1024
    # Bodies being received, verified or landed, all together; beyond it a sender has to come again.
    held_bytes: int = 128 * 1024 * 1024
    # Work up to this many bytes (body × secrets) is done at once; more of it in a thread, so that others are served meanwhile.
    inline_bytes: int = 64 * 1024
    # Work (body × secrets) for bodies that name no configured application, for which every secret is tried. Hashing so much takes
    # about a tenth of a core.
    unknown_bytes_per_second: int = 16 * 1024 * 1024
    # Applications with their secrets, and the state of the inbox for the metrics, are read again after so long.
    cache_seconds: float = 1
    keyring_grace_seconds: float = 2


@dataclass(frozen=True)
class ConnectionLimits:
    """What one connection may take, and how many there may be."""

    connections: int = 2_048
    # Requests of one connection that wait for the response to the one before: nobody who is honest pipelines them.
    pipelined_requests: int = 8
    # How long a response may wait for its client to read.
    response_seconds: float = 10
    header_bytes: int = 16 * 1024
    header_seconds: float = 10
    # Longer than the app's own `body_seconds`, which still responds; this one only closes the connection.
    body_seconds: float = 15
    idle_seconds: float = 20
    sweep_seconds: float = 0.1
    closes_per_sweep: int = 32


class RateAllowance:
    """So much work a second on average; what is left over is saved for a second."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._left = per_second
        self._counted_at = time.monotonic()

    def take(self, amount: float) -> bool:
        """Whether there was any allowance left. A single large amount is granted, and paid off before the next one."""
        now = time.monotonic()
        self._left = min(self._per_second, self._left + (now - self._counted_at) * self._per_second)
        self._counted_at = now
        if self._left <= 0:
            return False
        self._left -= amount
        return True


T = TypeVar("T")


class Cached(Generic[T]):
    """Reads once at a time. An error reaches the callers that wait for the refresh, and is not cached."""

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float, grace_seconds: float = 0) -> None:
        """For `grace_seconds` after its time a value still serves other callers while one refreshes it."""
        self._read = read
        self._lock = asyncio.Lock()
        self._fresh: TTLCache[str, T] = TTLCache(1, seconds)
        self._usable: TTLCache[str, T] = TTLCache(1, seconds + grace_seconds)

    async def get(self) -> T:
        for value in (self._usable if self._lock.locked() else self._fresh).values():
            return value
        async with self._lock:
            for value in self._fresh.values():
                return value
            value = await self._read()
            self._fresh["value"] = self._usable["value"] = value
            return value

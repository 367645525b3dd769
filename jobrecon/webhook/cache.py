"""A value that is slow to read, cached for a while; concurrent callers share one refresh."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from cachetools import TTLCache

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

"""A value that is dear to read, read by one and shared by all who ask at the same time."""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")

# A value is kept ten times as long as it took to read: reading never takes more than a tenth of the time, however many
# ask, and what is read in a moment is as good as fresh.
KEEP_FACTOR = 10
KEEP_SECONDS_AT_MOST = 1.0


class Kept(Generic[T]):
    """Reads in a thread, at most one at a time. An error is passed on to who asked, and not kept."""

    def __init__(self, read: Callable[[], T], grace_seconds: float = 0) -> None:
        """For `grace_seconds` after its time a value is still good for others while one reads it anew."""
        self._read = read
        self._grace_seconds = grace_seconds
        self._lock = asyncio.Lock()
        self._values: list[T] = []
        self._good_until = 0.0

    def peek(self) -> T | None:
        """The value if it is good now; None: `get` has to read it."""
        return self._values[0] if time.monotonic() < self._good_until else None

    async def get(self) -> T:
        now = time.monotonic()
        if now < self._good_until or (self._values and self._lock.locked() and now < self._good_until + self._grace_seconds):
            return self._values[0]
        async with self._lock:
            if time.monotonic() >= self._good_until:
                started = time.monotonic()
                self._values = [await run_in_threadpool(self._read)]
                ended = time.monotonic()
                self._good_until = ended + min(KEEP_FACTOR * (ended - started), KEEP_SECONDS_AT_MOST)
            return self._values[0]

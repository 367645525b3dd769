"""The cache: one refresh for all callers, and others do not wait for it while the value is usable."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from jobrecon.webhook.limits import Cached

SECONDS = 0.05


@dataclass
class Source:
    """A value that counts its reads; a test may hold a read up, or have it fail."""

    reads: int = 0
    is_broken: bool = False
    may_read: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_read.set()

    async def read(self) -> int:
        self.reads += 1
        reads = self.reads
        await self.may_read.wait()
        if self.is_broken:
            raise ValueError("cannot be read")
        return reads


def test_a_value_is_read_once_until_its_time_is_over() -> None:
    async def main() -> None:
        source = Source()
        cached = Cached(source.read, SECONDS)
        assert [await cached.get() for _ in range(5)] == [1] * 5
        time.sleep(SECONDS)
        assert await cached.get() == 2

    asyncio.run(main())


def test_concurrent_callers_share_one_refresh() -> None:
    async def main() -> None:
        source = Source()
        cached = Cached(source.read, SECONDS)
        assert await asyncio.gather(*(cached.get() for _ in range(50))) == [1] * 50

    asyncio.run(main())


def test_in_the_grace_time_others_get_the_last_value_at_once_while_one_refreshes_it() -> None:
    async def main() -> None:
        source = Source()
        cached = Cached(source.read, SECONDS, grace_seconds=60)
        assert await cached.get() == 1
        time.sleep(SECONDS)
        source.may_read.clear()
        refreshing = asyncio.create_task(cached.get())
        await asyncio.sleep(0)
        assert [await asyncio.wait_for(cached.get(), 5) for _ in range(3)] == [1] * 3
        source.may_read.set()
        assert await refreshing == 2
        assert await cached.get() == 2

    asyncio.run(main())


@pytest.mark.parametrize("grace_seconds", [0, SECONDS])
def test_after_the_grace_time_others_wait_for_the_refresh(grace_seconds: float) -> None:
    async def main() -> None:
        source = Source()
        cached = Cached(source.read, SECONDS, grace_seconds)
        assert await cached.get() == 1
        time.sleep(SECONDS + grace_seconds)
        source.may_read.clear()
        callers = [asyncio.create_task(cached.get()) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert not any(caller.done() for caller in callers)
        source.may_read.set()
        assert await asyncio.gather(*callers) == [2] * 3

    asyncio.run(main())


def test_an_error_is_raised_and_not_cached() -> None:
    async def main() -> None:
        source = Source(is_broken=True)
        cached = Cached(source.read, SECONDS)
        for _ in range(2):
            with pytest.raises(ValueError, match="cannot be read"):
                await cached.get()
        source.is_broken = False
        assert await cached.get() == 3

    asyncio.run(main())

"""Group commit: what returns is written, what fails says so, and nothing is lost in between."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from jobrecon.errors import LandingUnavailable
from jobrecon.landing.batcher import Batcher


class Target:
    """Takes batches; a test may hold it up, or have it refuse them."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_write = threading.Event()
        self.may_write.set()
        self.is_writing = threading.Event()
        self.is_down = False

    def write(self, batch: Sequence[str]) -> None:
        self.is_writing.set()
        assert self.may_write.wait(20)
        if self.is_down:
            raise LandingUnavailable("the database is down")
        if "bad" in batch:
            raise ValueError("bad is refused, and the secret in it")
        self.batches.append(list(batch))

    @property
    def written(self) -> list[str]:
        return [item for batch in self.batches for item in batch]


@pytest.fixture
def target() -> Target:
    return Target()


async def put_all(batcher: Batcher[str], items: Sequence[str]) -> list[BaseException | None]:
    return await asyncio.gather(*(batcher.put(item, 20) for item in items), return_exceptions=True)


def test_callers_at_the_same_time_share_batches_in_their_order(target: Target) -> None:
    async def main() -> None:
        batcher = Batcher(target.write, batch_limit=100)
        assert await put_all(batcher, [str(number) for number in range(250)]) == [None] * 250
        await batcher.close()

    asyncio.run(main())
    assert target.written == [str(number) for number in range(250)]
    assert [len(batch) for batch in target.batches] == [100, 100, 50]


def test_while_a_batch_is_written_the_next_one_gathers(target: Target) -> None:
    async def main() -> None:
        batcher = Batcher(target.write)
        target.may_write.clear()
        first = asyncio.create_task(batcher.put("first", 20))
        await asyncio.to_thread(target.is_writing.wait)
        others = [asyncio.create_task(batcher.put(str(number), 20)) for number in range(5)]
        await asyncio.sleep(0)
        assert batcher.queue_depth == 5
        target.may_write.set()
        await asyncio.gather(first, *others)
        assert batcher.queue_depth == 0
        await batcher.close()

    asyncio.run(main())
    assert [len(batch) for batch in target.batches] == [1, 5]


def test_an_item_that_is_refused_does_not_take_its_neighbours_with_it(target: Target) -> None:
    async def main() -> list[BaseException | None]:
        batcher = Batcher(target.write)
        outcomes = await put_all(batcher, ["a", "b", "bad", "c"])
        await batcher.close()
        return outcomes

    outcomes = asyncio.run(main())
    assert [outcome for index, outcome in enumerate(outcomes) if index != 2] == [None] * 3
    assert isinstance(outcomes[2], LandingUnavailable)
    assert "did not take a row (ValueError)" in str(outcomes[2])
    assert "secret" not in str(outcomes[2])
    assert target.written == ["a", "b", "c"]


def test_a_database_that_is_down_fails_the_whole_batch_at_once_and_the_batcher_lives_on(target: Target) -> None:
    async def main() -> None:
        batcher = Batcher(target.write)
        target.is_down = True
        outcomes = await put_all(batcher, ["a", "b"])
        assert [str(outcome) for outcome in outcomes] == ["the database is down"] * 2
        assert outcomes[0] is not outcomes[1]
        target.is_down = False
        await batcher.put("c", 20)
        await batcher.close()

    asyncio.run(main())
    assert target.written == ["c"]


def test_a_full_queue_refuses_at_once_and_what_it_took_is_written(target: Target) -> None:
    async def main() -> None:
        batcher = Batcher(target.write, queue_limit=5)
        target.may_write.clear()
        first = asyncio.create_task(batcher.put("first", 20))
        await asyncio.to_thread(target.is_writing.wait)
        taken = [asyncio.create_task(batcher.put(str(number), 20)) for number in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(LandingUnavailable, match="already wait"):
            await batcher.put("too many", 20)
        target.may_write.set()
        await asyncio.gather(first, *taken)
        await batcher.put("again", 20)
        await batcher.close()

    asyncio.run(main())
    assert target.written == ["first", "0", "1", "2", "3", "4", "again"]


def test_what_its_caller_gave_up_before_it_began_is_not_written(target: Target) -> None:
    async def main() -> None:
        batcher = Batcher(target.write, batch_limit=1)
        target.may_write.clear()
        first = asyncio.create_task(batcher.put("first", 20))
        await asyncio.to_thread(target.is_writing.wait)
        with pytest.raises(LandingUnavailable, match=r"did not commit within 0\.01 s"):
            await batcher.put("second", 0.01)
        target.may_write.set()
        await first
        await batcher.put("third", 20)
        await batcher.close()

    asyncio.run(main())
    assert target.written == ["first", "third"]


def test_closing_writes_what_was_taken_and_takes_no_more(target: Target) -> None:
    async def main() -> None:
        batcher = Batcher(target.write)
        taken = [asyncio.create_task(batcher.put(str(number), 20)) for number in range(500)]
        await asyncio.sleep(0)
        await batcher.close()
        await asyncio.gather(*taken)
        with pytest.raises(LandingUnavailable, match="stopping"):
            await batcher.put("late", 20)
        await batcher.close()

    asyncio.run(main())
    assert len(target.written) == 500


def test_a_batcher_that_was_never_used_closes(target: Target) -> None:
    asyncio.run(Batcher(target.write).close())

"""Group commit: callers at the same time share one write, and each learns how its own item fared."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from jobrecon.errors import LandingUnavailable

T = TypeVar("T")

QUEUE_LIMIT = 1_000
BATCH_LIMIT = 200


class Batcher(Generic[T]):
    """Writes batches one after the other in a thread; while one is being written, the next one gathers.

    `write` takes a batch whole or not at all. It raises `LandingUnavailable` where the database is at fault; any other error is
    taken for the fault of a single item, and the items are then written one by one. Belongs to one event loop.
    """

    def __init__(self, write: Callable[[Sequence[T]], None], *, queue_limit: int = QUEUE_LIMIT, batch_limit: int = BATCH_LIMIT) -> None:
        self._write = write
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue: deque[tuple[T, asyncio.Future[None]]] = deque()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="landing-writer")
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def queue_depth(self) -> int:
        """How many items wait for the batch that is being written."""
        return len(self._queue)

    async def put(self, item: T, timeout_seconds: float) -> None:
        """Return once `item` is written. Raises `LandingUnavailable`; after a timeout it may have been written all the same."""
        if self._is_closed:
            raise LandingUnavailable("The receiver is stopping. Nothing was taken; send it again.")
        if len(self._queue) >= self._queue_limit:
            raise LandingUnavailable(f"{self._queue_limit} writes already wait for the landing database. Nothing was taken; send it again.")
        done = asyncio.get_running_loop().create_future()
        self._queue.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_queue())
        try:
            async with asyncio.timeout(timeout_seconds):
                await done
        except TimeoutError:
            raise LandingUnavailable(f"The landing database did not commit within {timeout_seconds:g} s. Send it again.") from None

    async def close(self) -> None:
        """Write what has been taken, then take no more."""
        self._is_closed = True
        if self._writer is not None:
            await self._writer
        self._executor.shutdown()

    async def _write_queue(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._batch_limit))]
            # What its caller gave up before it was begun is not written.
            batch = [(item, done) for item, done in batch if not done.done()]
            if not batch:
                continue
            errors = await loop.run_in_executor(self._executor, self._write_batch, [item for item, _ in batch])
            for (_, done), error in zip(batch, errors, strict=True):
                if done.done():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    # A new error for each: callers that raise the same object would share its traceback.
                    done.set_exception(LandingUnavailable(error))

    def _write_batch(self, items: Sequence[T]) -> list[str | None]:
        """For each item None, or why it was not written. Never raises: the writer must live on."""
        try:
            self._write(items)
        except LandingUnavailable as error:
            return [str(error)] * len(items)
        except Exception as error:  # noqa: BLE001  whatever it is, the callers must learn of it
            if len(items) > 1:
                return [outcome for item in items for outcome in self._write_batch([item])]
            # Never the error's own text: the database may quote the row in it.
            return [f"The landing database did not take a row ({type(error).__name__}). Nothing of it was stored."]
        return [None] * len(items)

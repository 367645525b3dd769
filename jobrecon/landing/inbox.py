"""The landing of notifications: one writer that commits what has gathered."""

import asyncio
import contextlib
import itertools
import logging
import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError, StatementError

from jobrecon.errors import LandingUnavailable
from jobrecon.landing.database import explain_landing_errors
from jobrecon.landing.rows import CHALLENGE, DELIVERY, PROBE, QUARANTINE, write_rows
from jobrecon.webhook.parsing import ParsedNotification

QUEUE_LIMIT = 1_000
BATCH_LIMIT = 200

log = logging.getLogger(__name__)


# Ids are unique, and rise: an index of random ones would be written all over.
_PROCESS = uuid4().hex[:16]
_numbers = itertools.count(1)


class _Work:
    """What one caller wants written, and where it waits: in a thread, or in an event loop."""

    __slots__ = ("kind", "row", "waiter")

    def __init__(self, kind: str, row: Any, waiter: "Future[None] | asyncio.Future[None]") -> None:
        self.kind = kind
        self.row = row
        self.waiter = waiter

    def begin(self) -> bool:
        """Whether the caller still waits; from here on it cannot take its write back."""
        return self.waiter.set_running_or_notify_cancel() if isinstance(self.waiter, Future) else not self.waiter.done()


class Inbox:
    """Notifications in the landing database, the same on SQLite and PostgreSQL.

    Callers at the same time share commits: one thread writes, and while a commit is under way the next batch gathers. What
    returns (or whose future is done) without an error is on disk. What raises `LandingUnavailable` may be sent again: every
    delivery is a row of its own, duplicates are recognised later, in the warehouse.
    """

    def __init__(self, engine: Engine, *, queue_limit: int = QUEUE_LIMIT, batch_limit: int = BATCH_LIMIT) -> None:
        self.engine = engine
        self._batch_limit = batch_limit
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._queue_limit = queue_limit
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Write what has been taken, then take no more. The engine stays open: it is the caller's."""
        with self._lock:
            writer, was_closed = self._writer, self._is_closed
            self._is_closed = True
        if writer is not None and not was_closed:
            self._queue.put(None)
        if writer is not None:
            writer.join()

    def land(self, read: ParsedNotification, body: bytes, received_at: datetime, signed_by: str) -> str:
        """Keep a delivery for good; returns its id once it is on disk. Raises `LandingUnavailable`."""
        delivery_id, done = self.submit_delivery(read, body, received_at, signed_by)
        done.result()
        return delivery_id

    def submit_delivery(self, read: ParsedNotification, body: bytes, received_at: datetime, signed_by: str) -> "tuple[str, Future[None]]":
        """As `land`, without waiting: the id, and a future that is done once it is on disk."""
        row = _describe(read, body, received_at, signed_by)
        return row[0], self._submit(DELIVERY, row)

    async def land_soon(self, read: ParsedNotification, body: bytes, received_at: datetime, signed_by: str, within_seconds: float) -> None:
        """As `land`, for an event loop. Raises `LandingUnavailable`, also where it took too long; it may have landed then."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._enqueue(_Work(DELIVERY, _describe(read, body, received_at, signed_by), done))
        giving_up = loop.call_later(within_seconds, _give_up, done, within_seconds)
        try:
            await done
        finally:
            giving_up.cancel()

    def quarantine(self, body: bytes, reason: str, received_at: datetime, signed_by: str) -> None:
        """Keep a signed body that was not understood. Raises `LandingUnavailable`."""
        self.submit_quarantine(body, reason, received_at, signed_by).result()

    def submit_quarantine(self, body: bytes, reason: str, received_at: datetime, signed_by: str) -> "Future[None]":
        return self._submit(QUARANTINE, {"received_at": received_at, "reason": reason, "body": body, "signed_by": signed_by})

    def record_challenge(self, application_urn: str, at: datetime) -> None:
        """Note when LinkedIn last challenged this application ('' for the parent, or unnamed). Raises `LandingUnavailable`."""
        self.submit_challenge(application_urn, at).result()

    def submit_challenge(self, application_urn: str, at: datetime) -> "Future[None]":
        return self._submit(CHALLENGE, {"application_urn": application_urn, "challenged_at": at, "challenge_count": 1})

    def is_ready(self, timeout_seconds: float = 2) -> bool:
        """Whether a notification could land now: a write that changes nothing goes the whole way, queue, writer and commit."""
        try:
            probe = self._submit(PROBE, {})
        except LandingUnavailable:
            return False
        try:
            probe.result(timeout_seconds)
        except (LandingUnavailable, FutureTimeout):
            probe.cancel()
            return False
        return True

    @property
    def queue_depth(self) -> int:
        """How many writes wait for the writer."""
        return self._queue.qsize()

    # The writer

    def _submit(self, kind: str, row: Any) -> "Future[None]":
        done: Future[None] = Future()
        self._enqueue(_Work(kind, row, done))
        return done

    def _enqueue(self, work: _Work) -> None:
        # Under the lock, so that nothing can enter the queue behind the mark that ends it.
        with self._lock:
            if self._is_closed:
                raise LandingUnavailable("The receiver is stopping. Nothing was taken; send it again.")
            if self._queue.qsize() >= self._queue_limit:
                raise LandingUnavailable(
                    f"{self._queue_limit} notifications already wait for the landing database. Nothing was taken; send it again."
                )
            self._queue.put(work)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_until_closed, name="inbox-writer", daemon=True)
                self._writer.start()

    def _write_until_closed(self) -> None:
        is_open = True
        while is_open:
            batch = [self._queue.get()]
            while len(batch) < self._batch_limit and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            is_open = None not in batch
            # A caller who has given up in the meantime has its write taken back.
            wanted = [work for work in batch if work is not None and work.begin()]
            if wanted:
                self._settle(wanted)

    def _settle(self, batch: list[_Work]) -> None:
        """Write the batch in one commit and tell every caller. Never raises: the writer must live on."""
        try:
            write_rows(self.engine, [(work.kind, work.row) for work in batch])
        except Exception as error:  # noqa: BLE001  whatever it is, the callers must hear of it
            if len(batch) > 1 and _is_fault_of_a_row(error):
                # One row that the database does not take must not take its neighbours with it.
                for work in batch:
                    self._settle([work])
            else:
                self._tell(batch, error)
        else:
            self._tell(batch, None)

    def _tell(self, batch: list[_Work], error: Exception | None) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for work in batch:
            if isinstance(work.waiter, asyncio.Future):
                loops.setdefault(work.waiter.get_loop(), []).append(work.waiter)
            elif error is None:
                work.waiter.set_result(None)
            else:
                # A new error for each: callers that raise the same object would share its traceback.
                work.waiter.set_exception(_explain(self.engine, error))
        for loop, waiters in loops.items():
            # One call for all of them; a loop that has ended has nobody left to tell.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_wake, waiters, None if error is None else str(_explain(self.engine, error)))


def _describe(read: ParsedNotification, body: bytes, received_at: datetime, signed_by: str) -> tuple[Any, ...]:
    """A delivery's row, in the order of `rows.DELIVERY_COLUMNS`."""
    job, type_ = read.external_job_posting_id, read.type
    return f"{_PROCESS}{next(_numbers):016x}", received_at, read.application_urn, job, type_, read.body_hash, read.payload, body, signed_by


def _wake(waiters: "list[asyncio.Future[None]]", trouble: str | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if trouble is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(LandingUnavailable(trouble))


def _give_up(waiter: "asyncio.Future[None]", seconds: float) -> None:
    if not waiter.done():
        waiter.set_exception(LandingUnavailable(f"no commit within {seconds:g} s"))


def _is_fault_of_a_row(error: Exception) -> bool:
    """Whether the database (or its driver) refused what a row holds; else it is in trouble itself, and for all of them."""
    return isinstance(error, DataError | IntegrityError) or type(error) is StatementError or not isinstance(error, SQLAlchemyError)


def _explain(engine: Engine, error: Exception) -> LandingUnavailable:
    """The error for the caller and the log: never with the row, which the database's own message may quote."""
    if isinstance(error, OperationalError | InterfaceError):
        try:
            with explain_landing_errors(engine):
                raise error
        except LandingUnavailable as explained:
            return explained
    return LandingUnavailable(f"The landing database did not take a row ({type(error).__name__}). It was not kept.")

"""The landing of notifications: one writer that commits what has gathered, and the reader's side of the same rows."""

import logging
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import uuid4

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError, StatementError

from jobrecon.errors import LandingUnavailable
from jobrecon.landing import explain_landing_trouble
from jobrecon.webhook.body import ReadBody
from models.landing import Challenge, InboxItem, QuarantinedBody

QUEUE_LIMIT = 1_000
BATCH_LIMIT = 200
MARK_LIMIT = 5_000

log = logging.getLogger(__name__)

_inbox: Any = InboxItem.__table__  # type: ignore[attr-defined]
_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]
_challenges: Any = Challenge.__table__  # type: ignore[attr-defined]


class UnmergedRow(NamedTuple):
    """What the reconciliation needs of a landed delivery, in the order of these columns."""

    inbox_id: int
    delivery_id: str
    received_at: datetime
    application_urn: str
    external_job_posting_id: str | None
    type: str
    body_hash: str
    payload: str


@dataclass(frozen=True)
class InboxState:
    """How the inbox stands: for the metrics and the doctor."""

    unmerged_count: int
    last_received_at: datetime | None
    last_challenged_at: datetime | None


@dataclass(frozen=True)
class _Work:
    """What one caller wants written: rows of one table, a challenge, or (no table) only the proof that it could be."""

    table: Any
    row: dict[str, Any]
    done: "Future[None]"


class Inbox:
    """Notifications in the landing database, the same on SQLite and PostgreSQL.

    Callers at the same time share commits: one thread writes, and while a commit is under way the next batch gathers. What
    returns (or whose future is done) without an error is on disk. What raises `LandingUnavailable` may be sent again: every
    delivery is a row of its own, duplicates are recognised later, in the warehouse.
    """

    def __init__(self, engine: Engine, *, queue_limit: int = QUEUE_LIMIT, batch_limit: int = BATCH_LIMIT) -> None:
        self._engine = engine
        self._batch_limit = batch_limit
        self._queue: queue.Queue[_Work | None] = queue.Queue(queue_limit)
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

    # What the receiver writes

    def land(self, read: ReadBody, body: bytes, received_at: datetime, signed_by: str) -> str:
        """Keep a delivery for good; returns its id once it is on disk. Raises `LandingUnavailable`."""
        delivery_id, done = self.submit_delivery(read, body, received_at, signed_by)
        done.result()
        return delivery_id

    def submit_delivery(self, read: ReadBody, body: bytes, received_at: datetime, signed_by: str) -> "tuple[str, Future[None]]":
        """As `land`, without waiting: the id, and a future that is done once it is on disk."""
        delivery_id = uuid4().hex
        row = {
            "delivery_id": delivery_id,
            "received_at": received_at,
            "application_urn": read.application_urn,
            "external_job_posting_id": read.external_job_posting_id,
            "type": read.type,
            "body_hash": read.body_hash,
            "payload": read.payload,
            "body": body,
            "signed_by": signed_by,
        }
        return delivery_id, self._submit(_inbox, row)

    def quarantine(self, body: bytes, reason: str, received_at: datetime, signed_by: str) -> None:
        """Keep a signed body that was not understood. Raises `LandingUnavailable`."""
        self.submit_quarantine(body, reason, received_at, signed_by).result()

    def submit_quarantine(self, body: bytes, reason: str, received_at: datetime, signed_by: str) -> "Future[None]":
        return self._submit(_quarantine, {"received_at": received_at, "reason": reason, "body": body, "signed_by": signed_by})

    def record_challenge(self, application_urn: str, at: datetime) -> None:
        """Note when LinkedIn last challenged this application ('' for the parent, or unnamed). Raises `LandingUnavailable`."""
        self.submit_challenge(application_urn, at).result()

    def submit_challenge(self, application_urn: str, at: datetime) -> "Future[None]":
        return self._submit(_challenges, {"application_urn": application_urn, "challenged_at": at, "challenge_count": 1})

    def is_ready(self, timeout_seconds: float = 2) -> bool:
        """Whether a notification could land now: a write that changes nothing goes the whole way, queue, writer and commit."""
        try:
            probe = self._submit(None, {})
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

    # What the reconciliation reads

    def read_unmerged(self, up_to: datetime, batch_size: int = 10_000) -> Iterator[list[UnmergedRow]]:
        """Deliveries received by `up_to` that are not merged, in order of (`received_at`, `inbox_id`), in batches.

        All batches are of one moment: what lands or is marked in the meantime changes nothing in them. Raises
        `LandingUnavailable`.
        """
        query = (
            select(*(_inbox.c[name] for name in UnmergedRow._fields))
            .where(_inbox.c.merged_at.is_(None), _inbox.c.received_at <= up_to)
            .order_by(_inbox.c.received_at, _inbox.c.inbox_id)
        )
        with explain_landing_trouble(self._engine), self._engine.connect() as connection:
            result = connection.execution_options(yield_per=batch_size).execute(query)
            for batch in result.partitions():
                yield [UnmergedRow._make(row) for row in batch]

    def mark_merged(self, inbox_ids: Iterable[int], at: datetime) -> None:
        """Note that the warehouse has committed these deliveries. Marking one twice changes nothing."""
        ids = list(inbox_ids)
        for start in range(0, len(ids), MARK_LIMIT):
            chosen = _inbox.c.inbox_id.in_(ids[start : start + MARK_LIMIT])
            # A transaction for each chunk: on SQLite nothing can land while one is open.
            with explain_landing_trouble(self._engine), self._engine.begin() as connection:
                connection.execute(update(_inbox).where(chosen, _inbox.c.merged_at.is_(None)).values(merged_at=at))

    def read_state(self) -> InboxState:
        """How many deliveries wait to be merged, and when LinkedIn was last heard of. Raises `LandingUnavailable`."""
        with explain_landing_trouble(self._engine), self._engine.connect() as connection:
            return InboxState(
                unmerged_count=connection.scalar(select(func.count()).select_from(_inbox).where(_inbox.c.merged_at.is_(None))) or 0,
                last_received_at=connection.scalar(select(_inbox.c.received_at).order_by(_inbox.c.inbox_id.desc()).limit(1)),
                last_challenged_at=connection.scalar(select(func.max(_challenges.c.challenged_at))),
            )

    # The writer

    def _submit(self, table: Any, row: dict[str, Any]) -> "Future[None]":
        work = _Work(table, row, Future())
        # Under the lock, so that nothing can enter the queue behind the mark that ends it.
        with self._lock:
            if self._is_closed:
                raise LandingUnavailable("The receiver is stopping. Nothing was taken; send it again.")
            try:
                self._queue.put_nowait(work)
            except queue.Full:
                raise LandingUnavailable(
                    f"{self._queue.maxsize} notifications already wait for the landing database. Nothing was taken; send it again."
                ) from None
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_until_closed, name="inbox-writer", daemon=True)
                self._writer.start()
        return work.done

    def _write_until_closed(self) -> None:
        is_open = True
        while is_open:
            batch = [self._queue.get()]
            while len(batch) < self._batch_limit and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            is_open = None not in batch
            # A caller who has given up in the meantime has its write taken back.
            wanted = [work for work in batch if work is not None and work.done.set_running_or_notify_cancel()]
            if wanted:
                self._settle(wanted)

    def _settle(self, batch: list[_Work]) -> None:
        """Write the batch in one commit and tell every caller. Never raises: the writer must live on."""
        try:
            self._commit(batch)
        except Exception as error:  # noqa: BLE001  whatever it is, the callers must hear of it
            if len(batch) > 1 and _is_fault_of_a_row(error):
                # One row that the database does not take must not take its neighbours with it.
                for work in batch:
                    self._settle([work])
            else:
                self._fail(batch, error)
        else:
            for work in batch:
                work.done.set_result(None)

    def _fail(self, batch: list[_Work], error: Exception) -> None:
        # A new error for each: callers that raise the same object would share its traceback.
        for work in batch:
            work.done.set_exception(_explain(self._engine, error))

    def _commit(self, batch: list[_Work]) -> None:
        with self._engine.begin() as connection:
            for table in (_inbox, _quarantine):
                if rows := [work.row for work in batch if work.table is table]:
                    connection.execute(insert(table), rows)
            challenges = [work.row for work in batch if work.table is _challenges]
            if challenges:
                _record_challenges(connection, challenges)
            if all(work.table is None for work in batch):
                connection.execute(update(_challenges).where(_challenges.c.challenge_count < 0).values(challenge_count=0))


def _record_challenges(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    # In one order everywhere: two receivers that record the same two challenges must not wait for each other.
    for row in sorted(rows, key=lambda row: str(row["application_urn"])):
        dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(_challenges).values(row)
        newest, known = statement.excluded.challenged_at, _challenges.c.challenged_at
        later = func.greatest(newest, known) if dialect is postgresql else func.max(newest, known)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["application_urn"], set_={"challenged_at": later, "challenge_count": _challenges.c.challenge_count + 1}
            )
        )


def _is_fault_of_a_row(error: Exception) -> bool:
    """Whether the database (or its driver) refused what a row holds; else it is in trouble itself, and for all of them."""
    return isinstance(error, DataError | IntegrityError) or type(error) is StatementError or not isinstance(error, SQLAlchemyError)


def _explain(engine: Engine, error: Exception) -> LandingUnavailable:
    """The error for the caller and the log: never with the row, which the database's own message may quote."""
    if isinstance(error, OperationalError | InterfaceError):
        try:
            with explain_landing_trouble(engine):
                raise error
        except LandingUnavailable as explained:
            return explained
    return LandingUnavailable(f"The landing database did not take a row ({type(error).__name__}). It was not kept.")

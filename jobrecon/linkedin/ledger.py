"""The call ledger: each call is charged, durably, before it is sent, to the UTC day of sending."""

import asyncio
import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, case, func, select, true, update

from jobrecon.clock import Clock, utc_now
from jobrecon.errors import BudgetExhausted, Throttled
from jobrecon.landing.database import explain_landing_errors, insert_or
from models import CallHour, LedgerEntry
from models.base import table_of

TASKS, POSTING_STATUS = "simpleJobPostingTasks", "jobPostingStatus"
HOURS = table_of(CallHour)
MAX_RESERVED_CALLS = 256
"""The most calls reserved at once, beyond those that wait: a transaction takes as long as a call."""
CALLS_PER_RESERVED = 8
"""A run reserves one call for every so many that it has made."""
MIN_LEFT_PER_RESERVED = 2_000
"""The day must have so many calls left for each one reserved; the last calls are charged one by one."""
LEDGER = table_of(LedgerEntry)
CARRIED_COLUMNS = ("throttle_count", "throttled_until", "probe_sent_at", "denied_until")
"""Columns that a new day's row takes over from the day before."""


class CallLedger:
    """One application's calls to one resource. Crashes, restarts and concurrent runs never push it over the limit of a UTC day."""

    def __init__(self, engine: Engine, application_urn: str, call_limit: int, clock: Clock = utc_now, resource: str = TASKS) -> None:
        self.engine = engine
        self.application_urn = application_urn
        self.resource = resource
        self.call_limit = call_limit
        self.clock = clock
        self.calls_used = 0
        """Calls charged through this object."""
        self._waiting: list[asyncio.Future[dt.date]] = []
        self._charging: asyncio.Task[None] | None = None
        self._reserved, self._reserved_on = 0, dt.date.min
        self._exhausted_on: dt.date | None = None

    async def charge(self) -> None:
        """Return once one call is charged to this UTC day. Raises `BudgetExhausted` where it has none left, `Throttled`.

        Callers that wait at the same time share one transaction; while the day has plenty, some calls are reserved. A process
        that is killed leaves a few charged that were never sent, never one sent that was not charged.
        """
        charged_on: dt.date | None = None
        # Midnight may come while a call is charged: the day of sending counts.
        while charged_on != (today := self.clock().date()):
            if self._exhausted_on == today:
                raise self.explain_exhausted()
            if self._reserved and self._reserved_on == today:
                self._reserved -= 1
                self.calls_used += 1
                return
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            if self._charging is None or self._charging.done():
                self._charging = asyncio.create_task(self._charge_waiting())
            charged_on = await waiter

    async def charge_probe(self) -> None:
        """Charge the one call that is sent to see whether LinkedIn still throttles the application. Raises `BudgetExhausted`."""
        charged_on: dt.date | None = None
        while charged_on != self.clock().date():
            charged_on = self.clock().date()
            if not await asyncio.to_thread(self.charge_now, 1, charged_on, is_probe=True):
                raise self.explain_exhausted()
            self.calls_used += 1

    async def _charge_waiting(self) -> None:
        # The reserve is counted on the event loop alone; the threads only run transactions.
        while self._waiting:
            today = self.clock().date()
            count = len(self._waiting)
            # The more calls a run has made, the more it will make: a short one is charged call by call.
            reserve = min(MAX_RESERVED_CALLS, self.calls_used // CALLS_PER_RESERVED)
            try:
                await self.refund()  # something is left only where its day has ended
                granted = await asyncio.to_thread(self._charge_and_reserve, count, reserve, today)
                if self.clock().date() != today:
                    await asyncio.to_thread(self._refund, granted, today)
                    continue
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised to those who wait
                self._resume_waiters(count, error)
                continue
            # Callers that came meanwhile take from the reserve.
            served = min(granted, len(self._waiting))
            self.calls_used += served
            self._resume_waiters(served, today)
            self._resume_waiters(count - served, self.explain_exhausted())
            self._reserved, self._reserved_on = granted - served, today

    def _resume_waiters(self, count: int, outcome: dt.date | Exception) -> None:
        """Give the first `count` waiters the day they are charged to, or the error. One that was cancelled meanwhile stays charged."""
        waiters, self._waiting = self._waiting[: max(0, count)], self._waiting[max(0, count) :]
        for waiter in waiters:
            if waiter.done():
                continue
            if isinstance(outcome, Exception):
                waiter.set_exception(outcome)
            else:
                waiter.set_result(outcome)

    def explain_throttled(self, until: dt.datetime) -> Throttled:
        return Throttled(
            f"LinkedIn throttles {self.application_urn} (HTTP 429 at {self.resource}): no calls until {until:%Y-%m-%d %H:%M:%S} UTC, then one as a "
            "probe. What was received is saved, everything else stays as it is.",
            application_urn=self.application_urn,
            status=429,
            until=until,
        )

    def explain_exhausted(self) -> BudgetExhausted:
        return BudgetExhausted(
            f"{self.application_urn} has no calls to {self.resource} left until 00:00 UTC. What was left over comes first then.",
            application_urn=self.application_urn,
        )

    def _charge_and_reserve(self, count: int, reserve: int, today: dt.date) -> int:
        return self.charge_now(count + min(reserve, self.count_left() // MIN_LEFT_PER_RESERVED), today)

    async def refund(self) -> None:
        """Refund the calls that were reserved and never sent. Calls that were sent stay charged."""
        unsent, self._reserved = self._reserved, 0
        if unsent:
            await asyncio.to_thread(self._refund, unsent, self._reserved_on)

    def _refund(self, unsent: int, day: dt.date) -> None:
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            connection.execute(update(LEDGER).where(*self.key(day)).values(calls_used=LEDGER.c.calls_used - unsent))
            if day == self.clock().date():
                self._add_to_hour(connection, -unsent)

    def charge_now(self, count: int, today: dt.date | None = None, *, is_probe: bool = False) -> int:
        """Charge up to `count` calls in one transaction, fewer where the day has fewer left; returns how many. Raises `Throttled`.

        After LinkedIn throttled a call, only a probe is charged until one has succeeded.
        """
        today = today or self.clock().date()
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            is_day_open = False
            while count > 0:
                charged = connection.execute(
                    update(LEDGER)
                    .where(
                        *self.key(today),
                        LEDGER.c.call_limit == self.call_limit,
                        LEDGER.c.calls_used + count <= LEDGER.c.call_limit,
                        LEDGER.c.exhausted_at.is_(None),
                        true() if is_probe else func.coalesce(LEDGER.c.throttle_count, 0) == 0,
                    )
                    .values(calls_used=LEDGER.c.calls_used + count)
                )
                if charged.rowcount:
                    break
                if not is_day_open:
                    self.open_day(connection, today)
                    is_day_open = True
                    continue
                used, limit, exhausted_at, throttled_until, throttle_count = connection.execute(
                    select(
                        LEDGER.c.calls_used, LEDGER.c.call_limit, LEDGER.c.exhausted_at, LEDGER.c.throttled_until, LEDGER.c.throttle_count
                    ).where(*self.key(today))
                ).one()
                if throttle_count and not is_probe and not exhausted_at:
                    raise self.explain_throttled(throttled_until)
                count = 0 if exhausted_at else min(count - 1, limit - used)
            if count <= 0:
                self._write_exhausted(connection, today)
            else:
                self._add_to_hour(connection, count)
        return max(count, 0)

    def open_day(self, connection: Any, today: dt.date) -> None:
        """Insert the day's row where it is missing, throttled as the day before ended."""
        yesterday = self.key(today - dt.timedelta(days=1))
        carried = connection.execute(select(*(LEDGER.c[name] for name in CARRIED_COLUMNS)).where(*yesterday)).mappings().first()
        connection.execute(
            insert_or(connection, LEDGER)
            .values(
                application_urn=self.application_urn,
                resource=self.resource,
                utc_date=today,
                call_limit=self.call_limit,
                calls_used=0,
                **(carried or {}),
            )
            .on_conflict_do_nothing()
        )
        # A limit that was raised ends an exhaustion; one that was lowered does not.
        connection.execute(
            update(LEDGER)
            .where(*self.key(today), LEDGER.c.call_limit != self.call_limit)
            .values(
                call_limit=self.call_limit,
                exhausted_at=case((LEDGER.c.call_limit < self.call_limit, None), else_=LEDGER.c.exhausted_at),
            )
        )

    async def mark_exhausted(self, day: dt.date) -> None:
        """LinkedIn says that the calls of the UTC day `day` are used up: none is made until it ends."""
        self._exhausted_on = day
        await self.refund()

        def write() -> None:
            with explain_landing_errors(self.engine), self.engine.begin() as connection:
                self._write_exhausted(connection, day)

        await asyncio.to_thread(write)

    def count_left(self) -> int:
        """Calls left today, by the ledger."""
        with explain_landing_errors(self.engine), self.engine.connect() as connection:
            row = connection.execute(
                select(LEDGER.c.calls_used, LEDGER.c.exhausted_at, LEDGER.c.call_limit).where(*self.key(self.clock().date()))
            ).first()
        if row is None:
            return self.call_limit
        used, exhausted_at, limit = row
        return 0 if exhausted_at and limit >= self.call_limit else max(0, self.call_limit - used)

    def _add_to_hour(self, connection: Any, count: int) -> None:
        """Add to the hour's calls, for the chart of the day: only the ledger itself enforces the limit."""
        hour = self.clock().replace(minute=0, second=0, microsecond=0)
        statement = insert_or(connection, HOURS).values(
            application_urn=self.application_urn, resource=self.resource, utc_hour=hour, calls_used=count
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["application_urn", "resource", "utc_hour"],
                set_={"calls_used": HOURS.c.calls_used + statement.excluded.calls_used},
            )
        )

    def _write_exhausted(self, connection: Any, today: dt.date) -> None:
        connection.execute(update(LEDGER).where(*self.key(today), LEDGER.c.exhausted_at.is_(None)).values(exhausted_at=self.clock()))

    def key(self, today: dt.date) -> tuple[Any, ...]:
        """Where the row of a day is."""
        return LEDGER.c.application_urn == self.application_urn, LEDGER.c.resource == self.resource, LEDGER.c.utc_date == today


def read_ledger(engine: Engine, since: dt.date) -> list[dict[str, Any]]:
    """The ledger's rows from the UTC day `since` on."""
    with explain_landing_errors(engine), engine.connect() as connection:
        rows = connection.execute(select(LEDGER).where(LEDGER.c.utc_date >= since).order_by(LEDGER.c.utc_date, LEDGER.c.application_urn))
        return [dict(row) for row in rows.mappings()]


def restore_ledger(engine: Engine, rows: Iterable[dict[str, Any]]) -> int:
    """Charge calls that the warehouse knows of and the ledger lacks because the landing database was restored; returns how many."""
    missing = 0
    with explain_landing_errors(engine), engine.begin() as connection:
        for row in rows:
            where = [LEDGER.c[name] == row[name] for name in ("application_urn", "resource", "utc_date")]
            used = connection.scalar(select(LEDGER.c.calls_used).where(*where))
            if used is None:
                connection.execute(LEDGER.insert().values(row))
            elif used < row["calls_used"]:
                connection.execute(update(LEDGER).where(*where).values(calls_used=row["calls_used"], exhausted_at=row["exhausted_at"]))
            missing += max(0, row["calls_used"] - (used or 0))
    return missing

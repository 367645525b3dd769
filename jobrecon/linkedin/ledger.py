"""The call ledger: each call is charged, durably, before it is sent, on the UTC day of sending."""

import asyncio
import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jobrecon.applications import Application
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import BudgetExhausted
from jobrecon.landing.database import explain_landing_errors
from models import CallHour, LedgerEntry

RESOURCE = "simpleJobPostingTasks"
HOURS: Any = CallHour.__table__  # type: ignore[attr-defined]
MAX_RESERVED_CALLS = 256
"""Calls charged in one transaction beyond those that wait: a transaction costs as much as a call."""
CALLS_PER_RESERVED = 8
"""Calls that a run has made for each that it reserves."""
MIN_LEFT_PER_RESERVED = 2_000
"""Calls that the day must have left for each that is reserved: the last ones are charged one by one."""
TABLE: Any = LedgerEntry.__table__  # type: ignore[attr-defined]


class CallLedger:
    """One application's calls. No crash, restart or number of concurrent runs lets it exceed its limit on a UTC day."""

    def __init__(self, engine: Engine, application_urn: str, call_limit: int, clock: Clock = utc_now) -> None:
        self.engine = engine
        self.application_urn = application_urn
        self.call_limit = call_limit
        self.clock = clock
        self.calls_used = 0
        """Calls charged through this object."""
        self._waiting: list[asyncio.Future[None]] = []
        self._charging: asyncio.Task[None] | None = None
        self._reserved, self._reserved_on = 0, dt.date.min
        self._exhausted_on: dt.date | None = None

    async def charge(self) -> None:
        """Return once one call is charged. Raises `BudgetExhausted` where the day has none left.

        Callers that wait at the same time share one transaction; while the day has plenty, some calls are reserved. A process
        that is killed leaves a few charged that were never sent, never one sent that was not charged.
        """
        today = self.clock().date()
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
        await waiter

    async def _charge_waiting(self) -> None:
        # The reserve is counted on the event loop alone; the threads only run transactions.
        while self._waiting:
            today = self.clock().date()
            count = len(self._waiting)
            # The more calls a run has made, the more it will make: a short one is charged call by call.
            reserve = min(MAX_RESERVED_CALLS, self.calls_used // CALLS_PER_RESERVED)
            try:
                await self.refund()  # something is left only where its day has ended
                granted = await asyncio.to_thread(self._charge_and_reserve, count, reserve)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised to those who wait
                self._resume_waiters(count, error)
                continue
            # Callers that came meanwhile take from the reserve, unless midnight came too: it may be charged to either day.
            served = min(granted, len(self._waiting) if self.clock().date() == today else count)
            self.calls_used += served
            self._resume_waiters(served)
            self._resume_waiters(count - served, self.explain_exhausted())
            self._reserved, self._reserved_on = (granted - served if self.clock().date() == today else 0), today

    def _resume_waiters(self, count: int, error: Exception | None = None) -> None:
        """Let the first `count` waiters go on, or raise the error to them. One that was cancelled meanwhile stays charged."""
        waiters, self._waiting = self._waiting[: max(0, count)], self._waiting[max(0, count) :]
        for waiter in waiters:
            if waiter.done():
                continue
            if error:
                waiter.set_exception(error)
            else:
                waiter.set_result(None)

    def explain_exhausted(self) -> BudgetExhausted:
        return BudgetExhausted(
            f"{self.application_urn} has no calls left until 00:00 UTC. The tasks that were not polled are polled first then.",
            application_urn=self.application_urn,
        )

    def _charge_and_reserve(self, count: int, reserve: int) -> int:
        return self.charge_now(count + min(reserve, self.count_left() // MIN_LEFT_PER_RESERVED))

    async def refund(self) -> None:
        """Refund the calls that were reserved and never sent. Calls that were sent stay charged."""
        unsent, self._reserved = self._reserved, 0
        if unsent:
            await asyncio.to_thread(self._refund, unsent, self._reserved_on)

    def _refund(self, unsent: int, day: dt.date) -> None:
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            connection.execute(update(TABLE).where(*self._key(day)).values(calls_used=TABLE.c.calls_used - unsent))
            if day == self.clock().date():
                self._add_to_hour(connection, -unsent)

    def charge_now(self, count: int) -> int:
        """Charge up to `count` calls in one transaction; returns how many the day still had."""
        today = self.clock().date()
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            is_day_open = False
            while count > 0:
                charged = connection.execute(
                    update(TABLE)
                    .where(
                        *self._key(today),
                        TABLE.c.call_limit == self.call_limit,
                        TABLE.c.calls_used + count <= TABLE.c.call_limit,
                        TABLE.c.exhausted_at.is_(None),
                    )
                    .values(calls_used=TABLE.c.calls_used + count)
                )
                if charged.rowcount:
                    break
                if not is_day_open:
                    self._open_day(connection, today)
                    is_day_open = True
                    continue
                used, limit, exhausted_at = connection.execute(
                    select(TABLE.c.calls_used, TABLE.c.call_limit, TABLE.c.exhausted_at).where(*self._key(today))
                ).one()
                count = 0 if exhausted_at else min(count - 1, limit - used)
            if count <= 0:
                self._mark_exhausted(connection, today)
            else:
                self._add_to_hour(connection, count)
        return max(count, 0)

    def _open_day(self, connection: Any, today: dt.date) -> None:
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(
            insert(TABLE)
            .values(application_urn=self.application_urn, resource=RESOURCE, utc_date=today, call_limit=self.call_limit, calls_used=0)
            .on_conflict_do_nothing()
        )
        # A limit that was raised ends an exhaustion; one that was lowered does not.
        connection.execute(
            update(TABLE)
            .where(*self._key(today), TABLE.c.call_limit != self.call_limit)
            .values(
                call_limit=self.call_limit,
                exhausted_at=case((TABLE.c.call_limit < self.call_limit, None), else_=TABLE.c.exhausted_at),
            )
        )

    async def mark_exhausted(self, day: dt.date) -> None:
        """LinkedIn says that the calls of the UTC day `day` are used up: none is made until it ends."""
        self._exhausted_on = day
        await self.refund()
        await asyncio.to_thread(self._write_exhausted, day)

    def _write_exhausted(self, day: dt.date) -> None:
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            self._mark_exhausted(connection, day)

    def count_left(self) -> int:
        """Calls left today, by the ledger."""
        with explain_landing_errors(self.engine), self.engine.connect() as connection:
            row = connection.execute(
                select(TABLE.c.calls_used, TABLE.c.exhausted_at, TABLE.c.call_limit).where(*self._key(self.clock().date()))
            ).first()
        if row is None:
            return self.call_limit
        used, exhausted_at, limit = row
        return 0 if exhausted_at and limit >= self.call_limit else max(0, self.call_limit - used)

    def _add_to_hour(self, connection: Any, count: int) -> None:
        """Add to the hour's calls, for the chart of the day: only the ledger itself enforces the limit."""
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        hour = self.clock().replace(minute=0, second=0, microsecond=0)
        statement = insert(HOURS).values(application_urn=self.application_urn, resource=RESOURCE, utc_hour=hour, calls_used=count)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["application_urn", "resource", "utc_hour"],
                set_={"calls_used": HOURS.c.calls_used + statement.excluded.calls_used},
            )
        )

    def _mark_exhausted(self, connection: Any, today: dt.date) -> None:
        connection.execute(update(TABLE).where(*self._key(today), TABLE.c.exhausted_at.is_(None)).values(exhausted_at=self.clock()))

    def _key(self, today: dt.date) -> tuple[Any, ...]:
        return TABLE.c.application_urn == self.application_urn, TABLE.c.resource == RESOURCE, TABLE.c.utc_date == today


def read_ledger(engine: Engine, since: dt.date) -> list[dict[str, Any]]:
    """The ledger's rows from the UTC day `since` on."""
    with explain_landing_errors(engine), engine.connect() as connection:
        rows = connection.execute(select(TABLE).where(TABLE.c.utc_date >= since).order_by(TABLE.c.utc_date, TABLE.c.application_urn))
        return [dict(row) for row in rows.mappings()]


def read_hours(engine: Engine, day: dt.date) -> dict[str, list[int]]:
    """Calls of each application in each of the 24 hours of a UTC day."""
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    hours: dict[str, list[int]] = {}
    with explain_landing_errors(engine), engine.connect() as connection:
        chosen = select(HOURS.c.application_urn, HOURS.c.utc_hour, HOURS.c.calls_used).where(
            HOURS.c.utc_hour >= start, HOURS.c.utc_hour < start + dt.timedelta(days=1)
        )
        for urn, hour, count in connection.execute(chosen):
            hours.setdefault(urn, [0] * 24)[hour.hour] = max(0, count)
    return hours


def describe_budget(engine: Engine, applications: Iterable[Application], now: dt.datetime) -> list[dict[str, Any]]:
    """Calls used and left on the day of `now`: every configured application, and any other that called."""
    entries = {row["application_urn"]: row for row in read_ledger(engine, now.date()) if row["utc_date"] == now.date()}
    hours = read_hours(engine, now.date())
    configured = {application.urn: application for application in applications}
    described = []
    for urn in [*configured, *(urn for urn in entries if urn not in configured)]:
        entry, application = entries.get(urn), configured.get(urn)
        limit = application.daily_call_limit if application else entry["call_limit"] if entry else 0
        used = entry["calls_used"] if entry else 0
        exhausted_at = entry["exhausted_at"] if entry and entry["call_limit"] >= limit else None
        described.append(
            {
                "application_urn": urn,
                "customer": application.customer if application else None,
                "call_limit": limit,
                "calls_used": used,
                "calls_left": 0 if exhausted_at else max(0, limit - used),
                "exhausted_at": exhausted_at,
                "calls_by_hour": hours.get(urn, [0] * 24),
            }
        )
    return described

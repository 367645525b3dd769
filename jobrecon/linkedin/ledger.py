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
AHEAD_CALLS = 256
"""Calls charged in one transaction beyond those that wait: a transaction costs as much as a call."""
AHEAD_AFTER = 8
"""Calls of a run for each that is charged ahead."""
AHEAD_PLENTY = 2_000
"""None are charged ahead unless the day has this many times as many left: the last ones are charged one by one."""
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
        self._ahead, self._ahead_on = 0, dt.date.min
        self._resting_on: dt.date | None = None

    async def charge(self) -> None:
        """Return once one call is charged. Raises `BudgetExhausted` where the day has none left.

        Callers that wait at the same time share one transaction; while the day has plenty, some calls are charged ahead. A process
        that is killed leaves a few charged that were never sent, never one sent that was not charged.
        """
        today = self.clock().date()
        if self._resting_on == today:
            raise self.explain_exhausted()
        if self._ahead and self._ahead_on == today:
            self._ahead -= 1
            self.calls_used += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        if self._charging is None or self._charging.done():
            self._charging = asyncio.create_task(self._charge_waiting())
        await waiter

    async def _charge_waiting(self) -> None:
        # What is charged ahead is counted here on the loop alone; the threads only do as they are told.
        while self._waiting:
            today = self.clock().date()
            count = len(self._waiting)
            # The more a run has called, the more it will: a short one is charged call by call.
            ahead = min(AHEAD_CALLS, self.calls_used // AHEAD_AFTER)
            try:
                await self.release()  # something is left only where its day has ended
                granted = await asyncio.to_thread(self._charge_some_ahead, count, ahead)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                self._answer(count, error)
                continue
            # Who came meanwhile takes from what is ahead, unless midnight came too: nobody can say on which day that is charged.
            served = min(granted, len(self._waiting) if self.clock().date() == today else count)
            self.calls_used += served
            self._answer(served)
            self._answer(count - served, self.explain_exhausted())
            self._ahead, self._ahead_on = (granted - served if self.clock().date() == today else 0), today

    def _answer(self, count: int, error: Exception | None = None) -> None:
        """Let the first `count` of those who wait go on, or hear of the error. Who gave up meanwhile is charged all the same."""
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
            f"{self.application_urn} has no call left until 00:00 UTC. What was not looked at is looked at first then.",
            application_urn=self.application_urn,
        )

    def _charge_some_ahead(self, count: int, ahead: int) -> int:
        return self.charge_now(count + min(ahead, self.count_left() // AHEAD_PLENTY))

    async def release(self) -> None:
        """Give back what was charged ahead and never sent. Calls that were sent stay charged."""
        unsent, self._ahead = self._ahead, 0
        if unsent:
            await asyncio.to_thread(self._give_back, unsent, self._ahead_on)

    def _give_back(self, unsent: int, day: dt.date) -> None:
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            connection.execute(update(TABLE).where(*self._row(day)).values(calls_used=TABLE.c.calls_used - unsent))
            if day == self.clock().date():
                self._note_hour(connection, -unsent)

    def charge_now(self, count: int) -> int:
        """Charge up to `count` calls in one transaction; returns how many the day still had."""
        today = self.clock().date()
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            is_day_open = False
            while count > 0:
                charged = connection.execute(
                    update(TABLE)
                    .where(
                        *self._row(today),
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
                    select(TABLE.c.calls_used, TABLE.c.call_limit, TABLE.c.exhausted_at).where(*self._row(today))
                ).one()
                count = 0 if exhausted_at else min(count - 1, limit - used)
            if count <= 0:
                self._mark_exhausted(connection, today)
            else:
                self._note_hour(connection, count)
        return max(count, 0)

    def _open_day(self, connection: Any, today: dt.date) -> None:
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(
            insert(TABLE)
            .values(application_urn=self.application_urn, resource=RESOURCE, utc_date=today, call_limit=self.call_limit, calls_used=0)
            .on_conflict_do_nothing()
        )
        # A limit that was raised gives an exhausted day another chance; one that was lowered does not.
        connection.execute(
            update(TABLE)
            .where(*self._row(today), TABLE.c.call_limit != self.call_limit)
            .values(
                call_limit=self.call_limit,
                exhausted_at=case((TABLE.c.call_limit < self.call_limit, None), else_=TABLE.c.exhausted_at),
            )
        )

    async def mark_exhausted(self, day: dt.date) -> None:
        """LinkedIn says the calls of the UTC day `day` are used up: rest until it ends."""
        self._resting_on = day
        await self.release()
        await asyncio.to_thread(self._rest, day)

    def _rest(self, day: dt.date) -> None:
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            self._mark_exhausted(connection, day)

    def count_left(self) -> int:
        """Calls left today, by the ledger."""
        with explain_landing_errors(self.engine), self.engine.connect() as connection:
            row = connection.execute(
                select(TABLE.c.calls_used, TABLE.c.exhausted_at, TABLE.c.call_limit).where(*self._row(self.clock().date()))
            ).first()
        if row is None:
            return self.call_limit
        used, exhausted_at, limit = row
        return 0 if exhausted_at and limit >= self.call_limit else max(0, self.call_limit - used)

    def _note_hour(self, connection: Any, count: int) -> None:
        """Add to the hour's calls, for the picture of the day: the limit is kept by the ledger alone."""
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
        connection.execute(update(TABLE).where(*self._row(today), TABLE.c.exhausted_at.is_(None)).values(exhausted_at=self.clock()))

    def _row(self, today: dt.date) -> tuple[Any, ...]:
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

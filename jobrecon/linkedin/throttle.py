"""HTTP 429: how long an application makes no calls, kept in the ledger for all runs and machines, ended by one probe."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
from sqlalchemy import func, or_, select, update

from jobrecon.errors import AccessDenied
from jobrecon.landing.database import explain_landing_errors
from jobrecon.linkedin.ledger import LEDGER, CallLedger

LADDER_SECONDS = (60, 300, 900, 3600)
"""Without `Retry-After`, for the first throttled call in a row, the second, …; the last one from then on."""
MIN_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS = 1, 86_400
MAX_WAIT_SECONDS = 10
"""A `Retry-After` this short is waited out, so many times in a row; after a longer pause the next run goes on."""
MAX_WAITS = 3
EXHAUSTED_PART = 0.9
"""Of the day's limit: from here on a 429 means the day."""
PROBE_SECONDS = 150
"""After which a probe without an outcome counts as lost: its process was killed."""
POLL_SECONDS = 0.2
"""Between two reads of the ledger for the outcome of another one's probe."""
DENIED_SECONDS = 86_400
LIMIT = r"(limit|quota|throttle)"
NAMES_DAY_LIMIT = re.compile(rf"(?<![a-z])(daily\b.{{0,40}}\b|day[ _]){LIMIT}|\b{LIMIT} (per|for|of) (the |this |a )?day\b", re.IGNORECASE)
"""In LinkedIn's text about the day's calls: "APPLICATION DAY limit", "Daily request limit". The word alone says nothing."""


class State(NamedTuple):
    """The throttling as the ledger has it."""

    throttle_count: int = 0
    until: datetime | None = None
    probe_sent_at: datetime | None = None
    denied_until: datetime | None = None


COLUMNS = [func.coalesce(LEDGER.c.throttle_count, 0), LEDGER.c.throttled_until, LEDGER.c.probe_sent_at, LEDGER.c.denied_until]


class Throttle:
    """Admits one application's calls to one resource, from however many workers, processes and machines."""

    def __init__(self, ledger: CallLedger) -> None:
        self.ledger = ledger
        self.clock = ledger.clock
        self._state: State | None = None
        self._is_pause_short = False

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[bool]:
        """Enter to make one call; gives whether it is a probe. Raises `Throttled`, and `AccessDenied` while that is remembered."""
        if (state := self._state) is None:
            state = self._state = await asyncio.to_thread(self._read)
        if state.denied_until and state.denied_until > self.clock():
            raise AccessDenied(
                f"{self.ledger.application_urn} had no access to {self.ledger.resource}: not called again until {state.denied_until:%Y-%m-%d %H:%M} UTC.",
                application_urn=self.ledger.application_urn,
            )
        if state.throttle_count and (claimed_at := await self._claim_probe()):
            try:
                yield True
            finally:
                await asyncio.to_thread(self._release_probe, claimed_at)
        else:
            yield False

    async def _claim_probe(self) -> datetime | None:
        """When this call was made the probe; None once another one has succeeded, whose outcome is waited for."""
        began = self.clock()
        waits = 0
        while True:
            now = max(self.clock(), began)
            state = self._state = await asyncio.to_thread(self._claim, now)
            if not state.throttle_count:
                return None
            if state.until and state.until > now:
                if not self._is_pause_short or state.throttle_count > MAX_WAITS:
                    raise self.ledger.explain_throttled(state.until)
                await asyncio.sleep((state.until - now).total_seconds())
                began = state.until
            elif state.probe_sent_at == now:
                return now
            elif waits * POLL_SECONDS > PROBE_SECONDS:
                raise self.ledger.explain_throttled(now + timedelta(seconds=PROBE_SECONDS))
            else:
                # Another worker, process or machine probes.
                waits += 1
                await asyncio.sleep(POLL_SECONDS)

    async def record(self, response: httpx.Response, sent_at: datetime, *, is_probe: bool) -> None:
        """Take note of a 429. Raises `BudgetExhausted` where it means the day."""
        retry_after = read_retry_after(response.headers.get("Retry-After"), self.clock())
        if NAMES_DAY_LIMIT.search(response.text) or (retry_after is None and await asyncio.to_thread(self._is_nearly_exhausted)):
            await self.ledger.mark_exhausted(sent_at.date())
            raise self.ledger.explain_exhausted()
        await self.ledger.refund()
        self._is_pause_short = retry_after is not None and retry_after <= MAX_WAIT_SECONDS
        self._state = await asyncio.to_thread(self._step, retry_after, sent_at, is_probe)

    async def clear(self) -> None:
        """A probe got a response."""
        self._state = State()
        await asyncio.to_thread(self._write, throttle_count=None, throttled_until=None, probe_sent_at=None)

    def forget(self) -> None:
        """Read the ledger again before the next call."""
        self._state = None

    async def deny(self) -> datetime:
        """The application has no access to the resource: it is not called for a day. Gives the end of that."""
        until = self.clock() + timedelta(seconds=DENIED_SECONDS)
        self._state = None
        await asyncio.to_thread(self._write, denied_until=until)
        return until

    def _read(self) -> State:
        with explain_landing_errors(self.ledger.engine), self.ledger.engine.begin() as connection:
            return self._select(connection)

    def _select(self, connection: Any) -> State:
        """The state as of today's row, which is inserted where it is missing."""
        query = select(*COLUMNS).where(*self.ledger.key(self.clock().date()))
        if (row := connection.execute(query).first()) is None:
            self.ledger.open_day(connection, self.clock().date())
            row = connection.execute(query).one()
        return State(*row)

    def _claim(self, now: datetime) -> State:
        """The state; where its `probe_sent_at` is `now`, the probe is the caller's."""
        with explain_landing_errors(self.ledger.engine), self.ledger.engine.begin() as connection:
            state = self._select(connection)
            if not state.throttle_count or (state.until and state.until > now):
                return state
            lost = now - timedelta(seconds=PROBE_SECONDS)
            claimed = connection.execute(
                update(LEDGER)
                .where(
                    *self.ledger.key(self.clock().date()),
                    LEDGER.c.throttled_until <= now,
                    or_(LEDGER.c.probe_sent_at.is_(None), LEDGER.c.probe_sent_at < lost),
                )
                .values(probe_sent_at=now)
            )
            return state._replace(probe_sent_at=now if claimed.rowcount else None)

    def _release_probe(self, claimed_at: datetime) -> None:
        """After an outcome that says nothing about throttling, such as a timeout, another call may probe."""
        with explain_landing_errors(self.ledger.engine), self.ledger.engine.begin() as connection:
            key = self.ledger.key(self.clock().date())
            connection.execute(update(LEDGER).where(*key, LEDGER.c.probe_sent_at == claimed_at).values(probe_sent_at=None))

    def _step(self, retry_after: float | None, sent_at: datetime, is_probe: bool) -> State:
        """Throttle for longer than the time before. Calls that were under way together count as one."""
        with explain_landing_errors(self.ledger.engine), self.ledger.engine.begin() as connection:
            state = self._select(connection)
            if state.until and state.until > sent_at and not is_probe:
                return state
            seconds = LADDER_SECONDS[min(state.throttle_count, len(LADDER_SECONDS) - 1)] if retry_after is None else retry_after
            until = self.clock() + timedelta(seconds=seconds)
            connection.execute(
                update(LEDGER)
                .where(*self.ledger.key(self.clock().date()), func.coalesce(LEDGER.c.throttle_count, 0) == state.throttle_count)
                .values(throttle_count=state.throttle_count + 1, throttled_until=until, probe_sent_at=None)
            )
            return self._select(connection)

    def _write(self, **values: Any) -> None:
        with explain_landing_errors(self.ledger.engine), self.ledger.engine.begin() as connection:
            self._select(connection)
            connection.execute(update(LEDGER).where(*self.ledger.key(self.clock().date())).values(**values))

    def _is_nearly_exhausted(self) -> bool:
        left, limit = self.ledger.count_left(), self.ledger.call_limit
        return limit - left >= EXHAUSTED_PART * limit


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that `Retry-After` names, as a number or a date; None where it names none."""
    if value is None:
        return None
    try:
        seconds = float(value) if value.strip().isdecimal() else (parsedate_to_datetime(value).astimezone(UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, MIN_RETRY_AFTER_SECONDS), MAX_RETRY_AFTER_SECONDS)

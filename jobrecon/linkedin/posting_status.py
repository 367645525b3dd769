"""Posting statuses from `jobPostingStatus`: what LinkedIn says of jobs, by the partner's own ids."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import NamedTuple

import httpx
from sqlalchemy import Engine

from jobrecon.applications import Application
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import AccessDenied, BatchRefused
from jobrecon.linkedin.batches import pack
from jobrecon.linkedin.client import INVALID_KEY_MESSAGE, ResourceClient
from jobrecon.linkedin.ledger import POSTING_STATUS
from jobrecon.linkedin.responses import canonicalize, is_404, parse_batch
from jobrecon.settings import Settings


class PostingStatus(NamedTuple):
    """What LinkedIn says of one job."""

    external_job_posting_id: str
    is_known: bool
    """False: LinkedIn knows no such job."""
    record: bytes | None = None
    """LinkedIn's record of it as canonical JSON, integers exact, nulls as they came; None of an unknown job.

    The company stands in `companyDetails`, as `companyName` and `companyPage` or as `name` and `pageUrl`.
    """


def parse_posting_statuses(body: bytes, requested: Sequence[str]) -> list[PostingStatus]:
    """A row for each requested id that LinkedIn says something of; the others are as they were. Raises `MalformedResponse`."""
    results, errors, statuses = parse_batch(body, set(requested))
    rows = []
    for id_ in requested:
        if isinstance(record := results.get(id_), dict) and record:
            if written := canonicalize(record):
                rows.append(PostingStatus(id_, True, written.encode()))
            continue
        error = errors.get(id_)
        code = error.get("status") if isinstance(error, dict) else error
        if is_404(code) or (code is None and is_404(statuses.get(id_))):
            rows.append(PostingStatus(id_, False))
    return rows


class PostingStatusClient:
    """One application's calls to `jobPostingStatus`, with a ledger and a throttling of their own."""

    def __init__(
        self, application: Application, settings: Settings, engine: Engine, http: httpx.AsyncClient, clock: Clock = utc_now
    ) -> None:
        self.application = application
        self.concurrency = settings.concurrency
        # This resource has no versioned twin.
        self.resource = ResourceClient(application, settings, engine, http, clock, POSTING_STATUS, settings.check_limit)
        self.ledger = self.resource.ledger

    def pack(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """The ids in the fewest calls: at most 100 each, as many as a query string carries percent-encoded."""
        return pack(ids, self.resource.query_limit_bytes)

    async def fetch_batch(self, ids: Sequence[str]) -> list[PostingStatus]:
        """The statuses of one call's ids.

        Raises `AccessDenied` where the application has no access to the resource (remembered in the ledger: it is not called
        again for a day), and any other `LinkedInError` as `ResourceClient.fetch` does.
        """
        try:
            return await self.resource.fetch(ids, parse_posting_statuses)
        except BatchRefused as error:
            if INVALID_KEY_MESSAGE not in str(error).lower():
                raise
            # Some id is not accepted: it gets no row, the others do.
            middle = len(ids) // 2
            return [row for half in (ids[:middle], ids[middle:]) if middle and half for row in await self.fetch_batch(half)]
        except AccessDenied as error:
            if error.status not in (403, 404):
                raise
            until = await self.resource.throttle.deny()
            raise AccessDenied(
                f"{error} Jobs are not checked until {until:%Y-%m-%d %H:%M} UTC.", application_urn=self.application.urn, status=error.status
            ) from error

    async def fetch(self, ids: Sequence[str], max_calls: int | None = None) -> AsyncGenerator[list[PostingStatus], None]:
        """The statuses of all ids, call by call as responses arrive, several calls in flight; of the first `max_calls` calls.

        After an error no further call is made; what others received is given first, then the error is raised.
        """
        batches = self.pack(ids)
        # Bounded: whoever stores the rows may be slower than LinkedIn.
        received: asyncio.Queue[list[PostingStatus] | None] = asyncio.Queue(self.concurrency)
        errors: list[Exception] = []
        left = max_calls

        async def work() -> None:
            nonlocal left
            try:
                while not errors and left != 0 and (batch := next(batches, None)):
                    left = None if left is None else left - 1
                    await received.put(await self.fetch_batch(batch))
            except Exception as error:  # noqa: BLE001 - raised below, once everything received is given
                errors.append(error)
            await received.put(None)

        workers = [asyncio.create_task(work()) for _ in range(self.concurrency)]
        try:
            running = len(workers)
            while running:
                if (rows := await received.get()) is None:
                    running -= 1
                else:
                    yield rows
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self.ledger.refund()
        if errors:
            raise errors[0]

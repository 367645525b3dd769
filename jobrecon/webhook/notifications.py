"""Notifications: read, verified, made durable, and only then acknowledged."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec, TypeVar

from cachetools import LRUCache
from sqlalchemy import Engine, delete, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from jobrecon.clock import Clock
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.batcher import Batcher
from jobrecon.landing.database import explain_landing_errors
from jobrecon.landing.inbox import Delivery, InboxWrite, InvalidBody, insert_deliveries
from jobrecon.webhook.limits import Cached, Limits, RateAllowance
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.parsing import InvalidNotification, ParsedNotification, find_application, parse_body
from jobrecon.webhook.signature import Keyring, find_signer, read_signature
from models.base import table_of
from models.inbox import QuarantinedBody

P = ParamSpec("P")
R = TypeVar("R")

JOBS_REMEMBERED = 50_000

log = logging.getLogger(__name__)


class Rejected(Exception):
    """A request that ends here, with this status and for this reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Notifications:
    """Receives what LinkedIn posts: 200 once it is on disk, and every other response of the contract."""

    def __init__(self, keyring: Cached[Keyring], inbox: Batcher[InboxWrite], clock: Clock, limits: Limits, metrics: Metrics) -> None:
        self._keyring = keyring
        self._inbox = inbox
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._held_bytes = 0
        self._unknown_allowance = RateAllowance(limits.unknown_bytes_per_second)
        self._last_hashes: LRUCache[tuple[str, str], str] = LRUCache(JOBS_REMEMBERED)

    async def receive(self, request: Request) -> Response:
        """The response to a notification: 200 once it is on disk."""
        body = bytearray()
        try:
            await self._read_body(request, body)
            return await self._land(bytes(body), request.headers.get("x-li-signature"))
        except Rejected as rejection:
            self._metrics.refused.labels(rejection.reason).inc()
            if rejection.status in (408, 413):
                return _CutShort(rejection.status, self._limits)
            return Response(status_code=rejection.status)
        finally:
            request.scope["received_bytes"] = len(body)
            self._held_bytes -= len(body)

    async def _read_body(self, request: Request, body: bytearray) -> None:
        """Read into `body`; what it holds counts as held until the response."""
        length = request.headers.get("content-length", "")
        if length.isdigit() and (len(length) > 15 or int(length) > self._limits.body_bytes):
            raise Rejected(413, "too_large")
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    self._held_bytes += len(chunk)
                    if len(body) > self._limits.body_bytes:
                        raise Rejected(413, "too_large")
                    if self._held_bytes > self._limits.held_bytes:
                        raise Rejected(500, "too_busy")
        except ClientDisconnect:
            raise Rejected(400, "disconnected") from None
        except TimeoutError:
            raise Rejected(408, "too_slow") from None

    async def _land(self, body: bytes, header: str | None) -> Response:
        if header is None:
            raise Rejected(401, "signature_missing")
        if read_signature(header) is None:
            raise Rejected(401, "signature_malformed")
        parsed, signed_by = await self._verify(body, header)
        received_at = self._clock()
        write: InboxWrite
        if isinstance(parsed, ParsedNotification):
            write = make_delivery(parsed, body, received_at, signed_by)
        else:
            write = InvalidBody(received_at, parsed.reason, body, signed_by)
        try:
            await self._inbox.put(write, self._limits.landing_seconds)
        except LandingUnavailable as error:
            log.error("a notification could not land: %s", error)
            raise Rejected(500, "cannot_land") from None
        if isinstance(parsed, ParsedNotification):
            self._count_landed(parsed)
            return Response()
        self._metrics.quarantined.inc()
        log.warning("a body signed by %s is in quarantine: %s", signed_by, parsed.reason)
        return JSONResponse({"errorMessage": parsed.reason}, status_code=400)

    async def _verify(self, body: bytes, header: str) -> tuple[ParsedNotification | InvalidNotification, str]:
        """The parsed body and who signed it. Parsed first, since it names the application whose secrets are tried."""
        try:
            keyring = await self._keyring.get()
        except ConfigurationError as error:
            log.error("a notification cannot be verified: %s", error)
            raise Rejected(500, "cannot_verify") from None
        parsed = await self._compute(len(body), _parse_or_explain, body)
        application_urn = parsed.application_urn if isinstance(parsed, ParsedNotification) else find_application(body)
        candidates = keyring.find_candidates(application_urn)
        if not keyring.is_known(application_urn) and not self._unknown_allowance.take(len(body) * len(candidates)):
            # Anyone can send bodies for which every secret has to be tried; a genuine one is sent again after a 500.
            log.warning("a notification of an unknown application was not verified: too many of them came")
            raise Rejected(500, "too_busy")
        signed_by = await self._compute(len(body) * len(candidates), find_signer, body, header, candidates)
        if signed_by is not None:
            return parsed, signed_by
        if keyring.is_missing(application_urn):
            # It may be genuine: after a 500 it is sent again, when its secret can be read.
            log.error("a notification for %s cannot be verified: none of its secrets can be read", application_urn)
            raise Rejected(500, "cannot_verify")
        raise Rejected(401, "signature_wrong")

    async def _compute(self, size_bytes: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Small work at once; large work in a thread, so that others are served meanwhile."""
        if size_bytes <= self._limits.inline_bytes:
            return work(*args, **kwargs)
        return await run_in_threadpool(work, *args, **kwargs)

    def _count_landed(self, parsed: ParsedNotification) -> None:
        self._metrics.landed.inc()
        self._metrics.landed_by_type.labels(self._metrics.name_type(parsed.type)).inc()
        # A duplicate as far as this process remembers. The warehouse decides, by all deliveries of all receivers.
        job = (parsed.application_urn, parsed.external_job_posting_id or parsed.type)
        if self._last_hashes.get(job) == parsed.body_hash:
            self._metrics.duplicates.inc()
        self._last_hashes[job] = parsed.body_hash


class _CutShort(Response):
    """The response to a body that was not read to its end: sent at once, then the connection ends.

    Closing it with bytes unread would reset it, and the sender might never see the response: so a little more is discarded.
    """

    def __init__(self, status: int, limits: Limits) -> None:
        super().__init__(status_code=status, headers={"connection": "close"})
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the signature is ASGI's
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        discarded = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_seconds):
                while discarded < self._limits.linger_bytes:
                    message = await receive()
                    discarded += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        break
        await send({"type": "http.response.body", "body": b""})


def make_delivery(parsed: ParsedNotification, body: bytes, received_at: datetime, signed_by: str) -> Delivery:
    job = parsed.external_job_posting_id
    return Delivery(received_at, parsed.application_urn, job, parsed.type, parsed.body_hash, parsed.payload, body, signed_by)


def _parse_or_explain(body: bytes) -> ParsedNotification | InvalidNotification:
    try:
        return parse_body(body)
    except InvalidNotification as error:
        return error


CHUNK_ROWS = 2_000

_quarantine = table_of(QuarantinedBody)


@dataclass
class RedriveResult:
    """How many quarantined bodies are notifications now, and how many are still invalid, by reason."""

    landed: int = 0
    invalid: dict[str, int] = field(default_factory=dict)


def redrive_quarantine(engine: Engine, parse: Callable[[bytes], ParsedNotification] = parse_body) -> RedriveResult:
    """Parse every quarantined body again; a valid one lands with its first time of receipt, and leaves the quarantine.

    Each moves in a transaction of its own, so that an interruption or a second run loses and duplicates nothing. Raises
    `LandingUnavailable`.
    """
    result = RedriveResult()
    last_id = 0
    while True:
        with explain_landing_errors(engine), engine.connect() as connection:
            query = select(_quarantine).where(_quarantine.c.quarantine_id > last_id).order_by(_quarantine.c.quarantine_id)
            rows = connection.execute(query.limit(CHUNK_ROWS)).all()
        if not rows:
            return result
        last_id = rows[-1].quarantine_id
        for row in rows:
            try:
                parsed = parse(row.body)
            except InvalidNotification as error:
                result.invalid[error.reason] = result.invalid.get(error.reason, 0) + 1
                continue
            delivery = make_delivery(parsed, row.body, row.received_at, row.signed_by)
            with explain_landing_errors(engine), engine.begin() as connection:
                # Whoever deletes it lands it: of two concurrent redrives only one does.
                if connection.execute(delete(_quarantine).where(_quarantine.c.quarantine_id == row.quarantine_id)).rowcount:
                    insert_deliveries(connection, [delivery])
                    result.landed += 1

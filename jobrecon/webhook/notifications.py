"""Notifications: read, verified, made durable, and only then acknowledged."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobrecon.clock import Clock
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.inbox import Inbox
from jobrecon.webhook.cache import Kept
from jobrecon.webhook.keyring import Keyring
from jobrecon.webhook.limits import Limits
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.parsing import InvalidNotification, ParsedNotification, guess_application, read_body
from jobrecon.webhook.signature import find_signer, read_signature

P = ParamSpec("P")
R = TypeVar("R")

JOBS_REMEMBERED = 50_000

log = logging.getLogger(__name__)


class _Taken:
    """The answer that is sent nearly always: 200, empty. Made once."""

    def __init__(self) -> None:
        self._start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
        self._end: Message = {"type": "http.response.body", "body": b""}

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send(self._start)
        await send(self._end)


TAKEN = _Taken()


class Refused(Exception):
    """A request that ends here, with this status and for this reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Notifications:
    """Receives what LinkedIn posts: 200 once it is on disk, and every other answer of the contract."""

    def __init__(self, keyring: Kept[Keyring], inbox: Inbox, clock: Clock, limits: Limits, metrics: Metrics) -> None:
        self._keyring = keyring
        self._inbox = inbox
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._held_bytes = 0
        self._last_hashes: dict[tuple[str, str], str] = {}

    async def receive(self, scope: Scope, receive: Receive) -> ASGIApp:
        """The answer to a notification: 200 once it is on disk."""
        signature, length = None, b""
        for name, value in scope["headers"]:
            if name == b"x-li-signature" and signature is None:
                signature = value.decode("latin-1")
            elif name == b"content-length":
                length = value
        body = bytearray()
        try:
            await self._read_body(body, length, receive)
            return await self._take(bytes(body), signature)
        except Refused as refusal:
            self._metrics.refused.labels(refusal.reason).inc()
            is_cut = refusal.status in (408, 413)
            return _CutShort(refusal.status, self._limits) if is_cut else Response(status_code=refusal.status)
        finally:
            scope["received_bytes"] = len(body)
            self._held_bytes -= len(body)

    async def _read_body(self, body: bytearray, length: bytes, receive: Receive) -> None:
        """Read into `body`; what it holds is counted as held until the answer."""
        if length.isdigit() and (len(length) > 15 or int(length) > self._limits.body_bytes):
            raise Refused(413, "too_large")
        # Most bodies come whole. For the first of it only the protocol sets a deadline: a clock for each costs too much.
        if self._hold(body, await receive()):
            return
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while not self._hold(body, await receive()):
                    pass
        except TimeoutError:
            raise Refused(408, "too_slow") from None

    def _hold(self, body: bytearray, message: Message) -> bool:
        """Whether that was the last of it."""
        if message["type"] == "http.disconnect":
            raise Refused(400, "disconnected")
        chunk = message.get("body", b"")
        body += chunk
        self._held_bytes += len(chunk)
        if len(body) > self._limits.body_bytes:
            raise Refused(413, "too_large")
        if self._held_bytes > self._limits.held_bytes:
            raise Refused(500, "too_busy")
        return not message.get("more_body", False)

    async def _take(self, body: bytes, header: str | None) -> ASGIApp:
        if header is None:
            raise Refused(401, "signature_missing")
        if read_signature(header) is None:
            raise Refused(401, "signature_malformed")
        read, signed_by = await self._verify(body, header)
        received_at = self._clock()
        try:
            if isinstance(read, InvalidNotification):
                done = asyncio.wrap_future(self._inbox.submit_quarantine(body, read.reason, received_at, signed_by))
                await asyncio.wait_for(done, self._limits.landing_seconds)
                self._metrics.quarantined.inc()
                log.warning("a body signed by %s is in quarantine: %s", signed_by, read.reason)
                return JSONResponse({"errorMessage": read.reason}, status_code=400)
            await self._inbox.land_soon(read, body, received_at, signed_by, self._limits.landing_seconds)
        except (LandingUnavailable, TimeoutError) as error:
            log.error("a notification could not land: %s", str(error) or f"no commit within {self._limits.landing_seconds:g} s")
            raise Refused(500, "cannot_land") from None
        self._metrics.count_landed(read.type, is_duplicate=self._is_duplicate(read))
        return TAKEN

    async def _verify(self, body: bytes, header: str) -> tuple[ParsedNotification | InvalidNotification, str]:
        """What the body says and who signed it. It is read first, since it names the application whose secrets are tried."""
        keyring = self._keyring.peek()
        if keyring is None:
            try:
                keyring = await self._keyring.get()
            except ConfigurationError as error:
                log.error("a notification cannot be verified: %s", error)
                raise Refused(500, "cannot_verify") from None
        read = await self._think(len(body), _try_to_read, body)
        application_urn = read.application_urn if isinstance(read, ParsedNotification) else guess_application(body)
        candidates = keyring.find_candidates(application_urn)
        signed_by = await self._think(len(body) * len(candidates), find_signer, body, header, candidates)
        if signed_by is not None:
            return read, signed_by
        if keyring.is_missing(application_urn):
            # It may be genuine: a 500 has it sent again, when its secret can be read.
            log.error("a notification for %s cannot be verified: none of its secrets can be read", application_urn)
            raise Refused(500, "cannot_verify")
        raise Refused(401, "signature_wrong")

    async def _think(self, size_bytes: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if size_bytes <= self._limits.inline_bytes:
            return work(*args, **kwargs)
        return await run_in_threadpool(work, *args, **kwargs)

    def _is_duplicate(self, read: ParsedNotification) -> bool:
        """Whether it says what the last one about its job said, as far as this process remembers: for the metrics.

        The warehouse decides, by all deliveries of all receivers: `notifications.deliveries`.
        """
        job = (read.application_urn, read.external_job_posting_id or read.type)
        last = self._last_hashes.pop(job, None)
        self._last_hashes[job] = read.body_hash
        if len(self._last_hashes) > JOBS_REMEMBERED:
            del self._last_hashes[next(iter(self._last_hashes))]
        return last == read.body_hash


class _CutShort(Response):
    """The answer to a body that was not read to its end: said at once, then the connection ends.

    Closing it with bytes unread would reset it, and the sender might never see the answer: so a little more is thrown away.
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


def _try_to_read(body: bytes) -> ParsedNotification | InvalidNotification:
    try:
        return read_body(body)
    except InvalidNotification as refusal:
        return refusal

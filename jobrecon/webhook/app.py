"""The receiver as an ASGI application: the answers of contract §6, and nothing said before it is true."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from jobrecon.applications import Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.webhook.body import NotUnderstood, ReadBody, read_body
from jobrecon.webhook.inbox import Inbox
from jobrecon.webhook.kept import Kept
from jobrecon.webhook.keyring import Keyring, read_keyring
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.signature import answer_challenge, find_signer, is_forgery, read_signature

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How much, and how long, one stranger may ask for."""

    body_bytes: int = 256 * 1024
    body_seconds: float = 10
    landing_seconds: float = 10
    # How long what is still coming of a body that was refused is thrown away, so that its sender hears the answer.
    linger_seconds: float = 1
    linger_bytes: int = 4 * 1024 * 1024
    challenge_bytes: int = 1024
    # Work up to this many bytes (body × secrets) is done at once; more of it in a thread, so that others are answered meanwhile.
    inline_bytes: int = 64 * 1024


class _Refused(Exception):
    """A request that ends here, with this status and for this reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def create_app(
    applications_loader: Callable[[], Applications], inbox: Inbox | Engine, clock: Clock = utc_now, *, limits: Limits | None = None
) -> Starlette:
    """The receiver over an inbox, or over a landing database's engine (then the inbox is its own, and closed with it).

    Applications and secrets are loaded anew all the time, so that they rotate without a restart; while the configuration
    cannot be read, the last one that could be counts.
    """
    is_own = isinstance(inbox, Engine)
    used = Inbox(inbox) if isinstance(inbox, Engine) else inbox
    receiver = Receiver(applications_loader, used, clock, limits or Limits())

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        if is_own:
            await run_in_threadpool(used.close)

    routes = [
        _route("/webhook", receiver.answer, "GET", "POST"),
        _route("/healthz", receiver.say_alive, "GET"),
        _route("/readyz", receiver.say_ready, "GET"),
        _route("/metrics", receiver.show_metrics, "GET"),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _answer_fault})
    app.router.redirect_slashes = False
    return app


def _route(path: str, endpoint: Callable[[Request], Awaitable[Response]], *methods: str) -> Route:
    route = Route(path, endpoint, methods=list(methods))
    # Starlette adds HEAD to every GET; here it would count as a challenge that nobody reads.
    route.methods = set(methods)
    return route


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


async def _answer_fault(_request: Request, _error: Exception) -> Response:
    """A fault of our own: an empty 500, which LinkedIn sends again. What it was goes to the log only."""
    # uvicorn ends the connection after an error that it was shown: the client has to know.
    return Response(status_code=500, headers={"connection": "close"})


class Receiver:
    """The answers. Its state is what it has read of configuration and inbox, kept for moments."""

    def __init__(self, applications_loader: Callable[[], Applications], inbox: Inbox, clock: Clock, limits: Limits) -> None:
        self._applications_loader = applications_loader
        self._inbox = inbox
        self._clock = clock
        self._limits = limits
        self._metrics = Metrics(clock, lambda: inbox.queue_depth)
        self._last_keyring: Keyring | None = None
        self._keyring = Kept(self._read_keyring)
        self._readiness = Kept(inbox.is_ready)
        self._state = Kept(inbox.read_state)

    async def answer(self, request: Request) -> Response:
        return await (self.receive(request) if request.method == "POST" else self.answer_challenge(request))

    async def receive(self, request: Request) -> Response:
        """A notification: 200 once it is on disk."""
        try:
            body = await self._read_body(request)
            read, signed_by = await self._verify(body, request.headers.get("x-li-signature"))
            return await self._land(read, body, signed_by)
        except _Refused as refusal:
            self._metrics.refused.labels(refusal.reason).inc()
            if refusal.status in (408, 413):
                return _CutShort(refusal.status, self._limits)
            return Response(status_code=refusal.status)

    async def _read_body(self, request: Request) -> bytes:
        length = request.headers.get("content-length", "")
        if length.isdigit() and (len(length) > 15 or int(length) > self._limits.body_bytes):
            raise _Refused(413, "too_large")
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds), contextlib.aclosing(request.stream()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > self._limits.body_bytes:
                        raise _Refused(413, "too_large")
        except TimeoutError:
            raise _Refused(408, "too_slow") from None
        except ClientDisconnect:
            raise _Refused(400, "disconnected") from None
        return bytes(body)

    async def _verify(self, body: bytes, header: str | None) -> tuple[ReadBody | NotUnderstood, str]:
        """What the body says and who signed it. It is read first, since it names the application whose secrets are tried."""
        if header is None:
            raise _Refused(401, "signature_missing")
        if read_signature(header) is None:
            raise _Refused(401, "signature_malformed")
        try:
            keyring = await self._keyring.get()
        except ConfigurationError as error:
            log.error("a notification cannot be verified: %s", error)
            raise _Refused(500, "cannot_verify") from None
        read = await self._think(len(body), _try_to_read, body)
        application_urn = read.application_urn if isinstance(read, ReadBody) else None
        candidates = keyring.find_candidates(application_urn)
        signed_by = await self._think(len(body) * len(candidates), find_signer, body, header, candidates)
        if signed_by is not None:
            return read, signed_by
        if keyring.is_missing(application_urn):
            # It may be genuine: a 500 has it sent again, when its secret can be read.
            log.error("a notification for %s cannot be verified: none of its secrets can be read", application_urn)
            raise _Refused(500, "cannot_verify")
        raise _Refused(401, "signature_wrong")

    async def _land(self, read: ReadBody | NotUnderstood, body: bytes, signed_by: str) -> Response:
        received_at = self._clock()
        try:
            if isinstance(read, NotUnderstood):
                await self._wait_for(self._inbox.submit_quarantine(body, read.reason, received_at, signed_by))
                self._metrics.quarantined.inc()
                log.warning("a body signed by %s is in quarantine: %s", signed_by, read.reason)
                return JSONResponse({"errorMessage": read.reason}, status_code=400)
            _delivery_id, done = self._inbox.submit_delivery(read, body, received_at, signed_by)
            await self._wait_for(done)
        except (LandingUnavailable, TimeoutError) as error:
            log.error("a notification could not land: %s", str(error) or f"no commit within {self._limits.landing_seconds:g} s")
            raise _Refused(500, "cannot_land") from None
        self._metrics.landed.inc()
        return Response(status_code=200)

    async def _wait_for(self, done: "Future[None]") -> None:
        await asyncio.wait_for(asyncio.wrap_future(done), self._limits.landing_seconds)

    async def answer_challenge(self, request: Request) -> Response:
        """LinkedIn's proof that we know the secret, every two hours and within 3 seconds; the database is not asked."""
        code = request.query_params.get("challengeCode", "")
        if not code or len(code.encode()) > self._limits.challenge_bytes or is_forgery(code):
            return self._refuse_challenge(400, f"challengeCode must be a code of 1 to {self._limits.challenge_bytes} bytes.")
        try:
            keyring = await self._keyring.get()
        except ConfigurationError as error:
            log.error("a challenge cannot be answered: %s", error)
            self._metrics.challenges.labels("refused").inc()
            return Response(status_code=500)
        challenged = keyring.find_challenged(request.query_params.get("applicationId"))
        if challenged is None:
            return self._refuse_challenge(404, "applicationId names no application that is configured here.")
        application_urn, secret = challenged
        answer = JSONResponse({"challengeCode": code, "challengeResponse": answer_challenge(code, secret)})
        try:
            self._inbox.submit_challenge(application_urn, self._clock()).add_done_callback(_log_unrecorded)
        except LandingUnavailable as error:
            log.error("a challenge was answered, but not recorded: %s", error)
        self._metrics.challenges.labels("answered").inc()
        return answer

    def _refuse_challenge(self, status: int, message: str) -> Response:
        self._metrics.challenges.labels("refused").inc()
        return JSONResponse({"errorMessage": message}, status_code=status)

    async def say_alive(self, _request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def say_ready(self, _request: Request) -> Response:
        if await self._readiness.get():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready: the landing database takes nothing\n", status_code=503)

    async def show_metrics(self, _request: Request) -> Response:
        try:
            self._metrics.state = await self._state.get()
        except LandingUnavailable as error:
            # Counters are worth most when the database is away; the rest is as it was last seen.
            log.error("metrics without a fresh look at the inbox: %s", error)
        return Response(self._metrics.render(), media_type=CONTENT_TYPE_LATEST)

    def _read_keyring(self) -> Keyring:
        try:
            self._last_keyring = read_keyring(self._applications_loader())
        except ConfigurationError as error:
            if self._last_keyring is None:
                raise
            log.error("the applications cannot be read, the last ones that could be are used: %s", error)
        return self._last_keyring

    async def _think(self, size_bytes: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if size_bytes <= self._limits.inline_bytes:
            return work(*args, **kwargs)
        return await run_in_threadpool(work, *args, **kwargs)


def _try_to_read(body: bytes) -> ReadBody | NotUnderstood:
    try:
        return read_body(body)
    except NotUnderstood as refusal:
        return refusal


def _log_unrecorded(done: "Future[None]") -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("a challenge was answered, but not recorded: %s", error)

"""The receiver as an ASGI application: which request goes where, and an empty 500 for a fault of our own."""

import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from jobrecon.applications import Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.challenges import Challenges
from jobrecon.landing.inbox import Inbox
from jobrecon.landing.inbox_reader import read_state
from jobrecon.webhook.cache import Kept
from jobrecon.webhook.keyring import Keyring, read_keyring
from jobrecon.webhook.limits import Limits
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.notifications import Notifications

__all__ = ["PATHS", "Limits", "Receiver", "create_app"]

PATHS = ("/webhook", "/healthz", "/readyz", "/metrics")
KEYRING_GRACE_SECONDS = 2

log = logging.getLogger(__name__)

Answer = Callable[[Scope, Receive], Awaitable[ASGIApp]]


def create_app(
    applications_loader: Callable[[], Applications],
    inbox: Inbox | Engine,
    clock: Clock = utc_now,
    *,
    limits: Limits | None = None,
    paths: Collection[str] = PATHS,
) -> "Receiver":
    """The receiver over an inbox, or over a landing database's engine (then the inbox is its own, and closed with it).

    Applications and secrets are loaded anew all the time, so that they rotate without a restart; while the configuration
    cannot be read, the last one that could be counts. Only `paths` are answered, everything else is 404.
    """
    is_own = isinstance(inbox, Engine)
    used = Inbox(inbox) if isinstance(inbox, Engine) else inbox
    return Receiver(applications_loader, used, clock, limits or Limits(), paths, is_own)


class Receiver:
    """The answers of contract §6, and nothing said before it is true.

    Plain ASGI: routing and request objects of a framework took longer than reading, verifying and landing together.
    """

    def __init__(
        self,
        applications_loader: Callable[[], Applications],
        inbox: Inbox,
        clock: Clock,
        limits: Limits,
        paths: Collection[str],
        is_inbox_own: bool,
    ) -> None:
        self._applications_loader = applications_loader
        self._inbox = inbox
        self._is_inbox_own = is_inbox_own
        self._last_keyring: Keyring | None = None
        keyring = Kept(self._read_keyring, KEYRING_GRACE_SECONDS)
        self._metrics = Metrics(clock, lambda: inbox.queue_depth)
        self._readiness = Kept(inbox.is_ready)
        self._state = Kept(partial(read_state, inbox.engine))
        answers: dict[str, dict[str, Answer]] = {
            "/webhook": {
                "POST": Notifications(keyring, inbox, clock, limits, self._metrics).receive,
                "GET": Challenges(keyring, inbox, clock, limits, self._metrics).answer,
            },
            "/healthz": {"GET": self.say_alive},
            "/readyz": {"GET": self.say_ready},
            "/metrics": {"GET": self.show_metrics},
        }
        self._answers = {path: answers[path] for path in PATHS if path in paths}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            answer = await self._find_answer(scope)(scope, receive)
        except Exception:
            # To the log only: a stranger learns nothing of it.
            log.exception("a request could not be answered")
            answer = Response(status_code=500, headers={"connection": "close"})
        await answer(scope, receive, send)

    def _find_answer(self, scope: Scope) -> Answer:
        methods = self._answers.get(scope["path"])
        if methods is None:
            return _not_found
        answer = methods.get(scope["method"])
        return _wrong_method if answer is None else answer

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._is_inbox_own:
            await run_in_threadpool(self._inbox.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def say_alive(self, _scope: Scope, _receive: Receive) -> ASGIApp:
        return PlainTextResponse("alive\n")

    async def say_ready(self, _scope: Scope, _receive: Receive) -> ASGIApp:
        if await self._readiness.get():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready: the landing database takes nothing\n", status_code=503)

    async def show_metrics(self, _scope: Scope, _receive: Receive) -> ASGIApp:
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


async def _not_found(_scope: Scope, _receive: Receive) -> ASGIApp:
    return PlainTextResponse("Not Found", status_code=404)


async def _wrong_method(_scope: Scope, _receive: Receive) -> ASGIApp:
    return PlainTextResponse("Method Not Allowed", status_code=405)

"""The receiver as a Starlette application: which request goes where."""

import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jobrecon.applications import Applications
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.batcher import Batcher
from jobrecon.landing.inbox import ReadinessProbe, write_inbox
from jobrecon.landing.inbox_reader import read_state
from jobrecon.webhook.challenges import Challenges
from jobrecon.webhook.limits import Cached, Limits
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.notifications import Notifications
from jobrecon.webhook.signature import Keyring, load_keyring

PATHS = ("/webhook", "/healthz", "/readyz", "/metrics")

log = logging.getLogger(__name__)


def create_app(
    applications_loader: Callable[[], Applications],
    engine: Engine,
    clock: Clock = utc_now,
    *,
    limits: Limits | None = None,
    paths: Collection[str] = PATHS,
) -> Starlette:
    """The receiver over a landing database.

    Applications and secrets are reloaded continually, so that they rotate without a restart; while the configuration cannot be
    read, the last one that could be is used. Only `paths` are served, everything else is 404.
    """
    limits = limits or Limits()
    inbox = Batcher(partial(write_inbox, engine))
    metrics = Metrics(clock, lambda: inbox.queue_depth)
    read_keyring = partial(run_in_threadpool, _KeyringReader(applications_loader).read)
    keyring = Cached(read_keyring, limits.cache_seconds, limits.keyring_grace_seconds)
    state = Cached(partial(run_in_threadpool, read_state, engine), limits.cache_seconds)
    readiness = Cached(partial(inbox.put, ReadinessProbe(), limits.readiness_seconds), limits.cache_seconds)
    notifications = Notifications(keyring, inbox, clock, limits, metrics)
    challenges = Challenges(keyring, inbox, clock, limits, metrics)

    async def serve_webhook(request: Request) -> Response:
        return await (notifications.receive if request.method == "POST" else challenges.respond)(request)

    async def serve_health(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def serve_readiness(_request: Request) -> Response:
        try:
            await readiness.get()
        except LandingUnavailable as error:
            log.error("not ready: %s", error)
            return PlainTextResponse("not ready: the landing database takes no writes\n", status_code=503)
        return PlainTextResponse("ready\n")

    async def serve_metrics(_request: Request) -> Response:
        try:
            metrics.state = await state.get()
        except LandingUnavailable as error:
            # Counters matter most while the database is away; the rest is as it was last read.
            log.error("metrics without the current state of the inbox: %s", error)
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    @asynccontextmanager
    async def close_inbox(_app: Starlette) -> AsyncIterator[None]:
        yield
        await inbox.close()

    routes = [
        Route("/webhook", serve_webhook, methods=["GET", "POST"]),
        Route("/healthz", serve_health),
        Route("/readyz", serve_readiness),
        Route("/metrics", serve_metrics),
    ]
    served = [route for route in routes if route.path in paths]
    app = Starlette(routes=served, lifespan=close_inbox, exception_handlers={Exception: _respond_to_fault})
    app.router.redirect_slashes = False
    return app


async def _respond_to_fault(_request: Request, _error: Exception) -> Response:
    """A fault of our own; the server logs it. Nothing of it leaves."""
    return Response(status_code=500, headers={"connection": "close"})


class _KeyringReader:
    """Reads the keyring anew each time; the last one that could be read is used while the configuration cannot be."""

    def __init__(self, applications_loader: Callable[[], Applications]) -> None:
        self._applications_loader = applications_loader
        self._last: Keyring | None = None

    def read(self) -> Keyring:
        try:
            self._last = load_keyring(self._applications_loader())
        except ConfigurationError as error:
            if self._last is None:
                raise
            log.error("the applications cannot be read, the last ones that could be are used: %s", error)
        return self._last

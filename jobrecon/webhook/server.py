"""Serve the receiver for the command line: bounded in time and size; it stops once everything it took has landed."""

import contextlib
import logging
import resource
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from jobrecon.errors import ConfigurationError
from jobrecon.landing.database import open_landing
from jobrecon.settings import Settings
from jobrecon.webhook.access_log import AccessLog, logging_to_stderr
from jobrecon.webhook.app import create_app
from jobrecon.webhook.limits import ConnectionLimits
from jobrecon.webhook.protocol import GuardedProtocol
from jobrecon.webhook.serving import listen

STOP_SECONDS = 30

log = logging.getLogger(__name__)


def serve_webhook(settings: Settings, host: str, port: int) -> None:
    """Receive until SIGTERM or Ctrl-C, then finish what has been taken and return.

    Raises `ConfigurationError` where the configuration or the address cannot be used, `LandingUnavailable` where the landing
    database cannot be reached; both before anything is received.
    """
    applications = settings.load_applications()
    engine = open_landing(settings.landing_url)
    try:
        with _listen(host, port) as listener, logging_to_stderr():
            log.info("receiving for %d applications on http://%s:%d/webhook", len(applications), host, listener.getsockname()[1])
            _allow_connections(ConnectionLimits().connections)
            app = create_app(settings.load_applications, engine, paths=settings.list_webhook_paths())
            server = uvicorn.Server(configure(AccessLog(app)))
            with _ignoring_signals():
                server.run(sockets=[listener])
            log.info("stopped; everything acknowledged is in the landing database")
    finally:
        engine.dispose()


def configure(app: ASGIApp) -> uvicorn.Config:
    """uvicorn's settings for an address that anyone can reach."""
    return uvicorn.Config(
        app,
        # Over httptools; deadlines and the bound on connections are the protocol's own.
        http=GuardedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=int(GuardedProtocol.limits.idle_seconds),
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _allow_connections(count: int) -> None:
    """Each connection takes a file descriptor, and many systems start with 1,024 allowed."""
    wanted = count + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        # The resolver would take it modulo 65,536.
        raise ConfigurationError(f"The receiver cannot listen on port {port}: choose one from 1 to 65535, or 0 for a free one.")
    try:
        return listen(host, port)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f"The receiver cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}. Nothing was started. "
            "Choose another address or port, or end what holds this one."
        ) from None


@contextlib.contextmanager
def _ignoring_signals() -> Iterator[None]:
    """uvicorn stops in good order at a signal, then raises it again, which is no failure here."""

    def ignore(_number: int, _frame: FrameType | None) -> None: ...

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

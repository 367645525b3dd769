"""Serve the receiver for the command line: bounded in time and size, stopping only when it has kept what it took."""

import contextlib
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import uvicorn

from jobrecon.errors import ConfigurationError
from jobrecon.landing import open_landing
from jobrecon.serving import listen
from jobrecon.settings import Settings
from jobrecon.webhook.access_log import AccessLog
from jobrecon.webhook.app import create_app

KEEP_ALIVE_SECONDS = 20
CONNECTION_LIMIT = 512
HEADER_BYTES = 16 * 1024
STOP_SECONDS = 30

log = logging.getLogger(__name__)


def serve_webhook(settings: Settings, host: str, port: int) -> None:
    """Receive until the process is told to stop (SIGTERM, Ctrl-C), then finish what has been taken and return.

    Raises `ConfigurationError` where the configuration or the address cannot be used, `LandingUnavailable` where the landing
    database cannot be reached; both before anything is received.
    """
    applications = settings.load_applications()
    engine = open_landing(settings.landing_url)
    try:
        with _listen(host, port) as listener:
            logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
            log.info("receiving for %d applications on http://%s:%d/webhook", len(applications), host, listener.getsockname()[1])
            server = uvicorn.Server(configure(AccessLog(create_app(settings.load_applications, engine))))
            with _stopping_quietly():
                server.run(sockets=[listener])
    finally:
        engine.dispose()
    log.info("stopped; everything acknowledged is in the landing database")


def configure(app: AccessLog) -> uvicorn.Config:
    """uvicorn's settings for an address that anyone can reach."""
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=CONNECTION_LIMIT,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        # The resolver would take it modulo 65,536, and the receiver would listen where nobody calls.
        raise ConfigurationError(f"{port} is no port: the receiver cannot listen on it. Choose one from 1 to 65535, or 0 for a free one.")
    try:
        return listen(host, port)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f"The receiver cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}. Nothing was started. "
            "Choose another address or port, or end what holds this one."
        ) from None


@contextlib.contextmanager
def _stopping_quietly() -> Iterator[None]:
    """uvicorn stops in good order at a signal, then raises it again: being asked to stop is no failure of ours."""

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

"""uvicorn serves the receiver: for the command, bounded in time and size; in a thread for the demo and the tests."""

import contextlib
import logging
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from jobrecon.errors import ConfigurationError, JobreconError
from jobrecon.landing.database import using_landing
from jobrecon.settings import Settings
from jobrecon.webhook.access_log import AccessLog, logging_to_stderr
from jobrecon.webhook.app import create_app
from jobrecon.webhook.limits import ConnectionLimits
from jobrecon.webhook.protocol import GuardedProtocol

STOP_SECONDS = 30

log = logging.getLogger(__name__)


def serve_webhook(settings: Settings, host: str, port: int) -> None:
    """Receive until SIGTERM or Ctrl-C, then finish what has been taken and return.

    Raises `ConfigurationError` where the configuration or the address cannot be used, `LandingUnavailable` where the landing
    database cannot be reached; both before anything is received.
    """
    applications = settings.load_applications()
    with using_landing(settings.landing_url) as engine, _listen_or_explain(host, port) as listener, logging_to_stderr():
        log.info("receiving for %d applications on http://%s:%d/webhook", len(applications), host, listener.getsockname()[1])
        _allow_connections(ConnectionLimits().connections)
        app = create_app(settings.load_applications, engine, paths=settings.list_webhook_paths())
        server = uvicorn.Server(configure(AccessLog(app)))
        with _ignoring_signals():
            server.run(sockets=[listener])
        log.info("stopped; everything acknowledged is in the landing database")


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


def _listen_or_explain(host: str, port: int) -> socket.socket:
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


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises `OSError` where the address cannot be used.

    Its protocol is named: only then does asyncio set TCP_NODELAY, without which a response on a kept connection takes 40 ms.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def serve_in_thread(app: ASGIApp, *, start_timeout_seconds: float = 20) -> Iterator[str]:
    """Serve `app` on a free loopback port while the block runs; yields its address, without a slash at the end."""
    listener = listen("127.0.0.1", 0)
    # Named, or it would depend on what else is installed. The receiver's own server has another protocol: webhook/protocol.py.
    config = uvicorn.Config(app, http="h11", loop="asyncio", log_level="critical", access_log=False, lifespan="on", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + start_timeout_seconds
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise JobreconError(f"A local server did not start within {start_timeout_seconds:.0f} s on {listener.getsockname()}.")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()

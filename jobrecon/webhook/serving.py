"""Serve an ASGI application with uvicorn: in the foreground for a command, in a thread for the demo and the tests."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from jobrecon.errors import JobreconError


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

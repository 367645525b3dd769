"""The served receiver against slow, large and many senders: deadlines, bounds, and room for new connections."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine

from jobrecon.webhook.app import create_app
from jobrecon.webhook.limits import ConnectionLimits
from jobrecon.webhook.protocol import GuardedProtocol
from jobrecon.webhook.server import configure, listen
from tests.webhook.conftest import configured
from tests.webhook.test_receiver import notification, post, read_to_end

pytestmark = pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)

HURRIED = ConnectionLimits(header_seconds=0.4, body_seconds=0.6, idle_seconds=1, sweep_seconds=0.05)


@contextmanager
def served(engine: Engine, limits: ConnectionLimits, send_buffer: int | None = None) -> Iterator[tuple[str, int]]:
    """The receiver as `jobrecon webhook` serves it, but for its limits."""

    class Protocol(GuardedProtocol):
        pass

    Protocol.limits = limits
    listener = listen("127.0.0.1", 0)
    if send_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config = configure(create_app(configured, engine))
    config.http = Protocol
    config.timeout_keep_alive = int(limits.idle_seconds)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield "127.0.0.1", listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def is_serving(address: tuple[str, int]) -> bool:
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        return post(client, notification(), "acme-new").status_code == 200


SLOW = [
    # what is sent, and then nothing more                                    the response begins
    (b"", b""),
    (b"P", b"HTTP/1.1 408"),
    (b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"HTTP/1.1 408"),
    (b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", b""),
    (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", b"HTTP/1.1 404"),
    (b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", b""),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200"),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he", b"HTTP/1.1 200"),
]


def test_senders_that_stop_are_closed_and_others_are_served_meanwhile(engine: Engine) -> None:
    with served(engine, HURRIED) as address, ExitStack() as stack:
        started = time.monotonic()
        connections = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in SLOW]
        for connection, (sent, _) in zip(connections, SLOW, strict=True):
            connection.sendall(sent)
        assert is_serving(address)
        responses = [read_to_end(connection) for connection in connections]
        assert time.monotonic() - started < 5
        for response, (sent, begins) in zip(responses, SLOW, strict=True):
            assert response.startswith(begins), sent
            assert begins or not response, sent


def test_a_header_that_comes_byte_by_byte_is_cut_at_the_deadline(engine: Engine) -> None:
    with served(engine, HURRIED) as address, socket.create_connection(address, timeout=10) as connection:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - started < 5:
                connection.sendall(b"\r\n" if time.monotonic() - started < 0.2 else b"X")
                time.sleep(0.02)
        assert time.monotonic() - started < 4


LARGE = [
    b"GET /healthz HTTP/1.1\r\nX-Large: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + b"X-Many: a\r\n" * 3_000 + b"\r\n",
    b"GET /healthz?" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nX-Endless: " + b"a" * 3_000_000,
    b"GET /webhook?challengeCode=" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-Trailer: a\r\n" * 3_000,
]


@pytest.mark.parametrize("sent", LARGE, ids=lambda sent: repr(sent[:30]))
def test_headers_beyond_their_bound_are_refused(engine: Engine, sent: bytes) -> None:
    with served(engine, ConnectionLimits()) as address, socket.create_connection(address, timeout=10) as connection:
        try:
            connection.sendall(sent)
            response = read_to_end(connection)
        except OSError:
            response = b""
        assert b" 200 " not in response
        assert is_serving(address)


def test_when_it_is_full_the_slowest_makes_room(engine: Engine) -> None:
    limits = replace(HURRIED, connections=20, header_seconds=30, idle_seconds=30)
    with served(engine, limits) as address, ExitStack() as stack:
        slow = []
        for _ in range(20):
            slow.append(stack.enter_context(socket.create_connection(address, timeout=10)))
            slow[-1].sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            time.sleep(0.2 if len(slow) == 1 else 0.01)
        for _ in range(5):
            assert is_serving(address)
        # The first ones had to go, the last ones may go on.
        assert read_to_end(slow[0]).startswith(b"HTTP/1.1 503")
        slow[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            slow[-1].recv(1)


REQUESTS = 24


def send_and_never_read(address: tuple[str, int], stack: ExitStack) -> socket.socket:
    """A connection whose responses fill every buffer, with no more requests waiting than are allowed."""
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(10)
    connection.connect(address)
    for _ in range(REQUESTS):
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.01)
    return connection


def test_clients_that_never_read_do_not_lock_out_others(engine: Engine) -> None:
    limits = replace(HURRIED, connections=10, header_seconds=30, body_seconds=30, idle_seconds=30, response_seconds=30)
    with served(engine, limits, send_buffer=4_096) as address, ExitStack() as stack:
        assert len([send_and_never_read(address, stack) for _ in range(10)]) == 10
        for _ in range(10):
            assert is_serving(address)


@pytest.mark.parametrize(("seconds", "is_closed"), [(0.3, True), (30, False)])
def test_a_client_that_never_reads_is_closed_after_its_time(engine: Engine, seconds: float, is_closed: bool) -> None:
    limits = replace(HURRIED, response_seconds=seconds, header_seconds=30, body_seconds=30, idle_seconds=30)
    with served(engine, limits, send_buffer=4_096) as address, ExitStack() as stack:
        connection = send_and_never_read(address, stack)
        time.sleep(1.5)
        response = b""
        with contextlib.suppress(ConnectionError):
            while response.count(b"HTTP/1.1 200 OK") < REQUESTS and (chunk := connection.recv(65_536)):
                response += chunk
        assert (response.count(b"HTTP/1.1 200 OK") < REQUESTS) == is_closed


def test_floods_of_pipelined_requests_are_cut_and_stall_nobody(engine: Engine) -> None:
    is_over = threading.Event()

    def flood(address: tuple[str, int]) -> None:
        while not is_over.is_set():
            with contextlib.suppress(OSError), socket.create_connection(address, timeout=1) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000)
                while not is_over.is_set() and connection.recv(65_536):
                    pass

    with served(engine, ConnectionLimits()) as address:
        threads = [threading.Thread(target=flood, args=(address,)) for _ in range(10)]
        for thread in threads:
            thread.start()
        try:
            slowest = 0.0
            for _ in range(10):
                started = time.monotonic()
                with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=20) as client:
                    assert client.get("/healthz").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        assert slowest < 3


def test_a_few_pipelined_requests_are_answered_in_order(engine: Engine) -> None:
    with served(engine, ConnectionLimits()) as address, socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 4 + b"GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n")
        response = read_to_end(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", response) == [b"200"] * 4 + [b"404"]


def test_a_request_on_a_kept_connection_has_deadlines_too_and_an_idle_one_is_closed(engine: Engine) -> None:
    with served(engine, HURRIED) as address, socket.create_connection(address, timeout=10) as connection:
        for _ in range(3):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /healthz HTT")
        assert read_to_end(connection).startswith(b"HTTP/1.1 408")

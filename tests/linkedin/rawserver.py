"""A LinkedIn that is no HTTP server at all, or stops being one in the middle of a response."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Handle = Callable[[socket.socket], None]


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        server.count += 1
        self.request.recv(65_536)
        server.handle_connection(self.request)


class RawServer(socketserver.ThreadingTCPServer):
    """Counts connections and hands each to a function once it has sent something."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handle: Handle) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.handle_connection = handle
        self.count = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """That the other side closes the connection is what some tests are about."""


@contextmanager
def serve_raw(handle: Handle) -> Iterator[tuple[str, RawServer]]:
    """The address of a server that handles its connections so, and the server."""
    with RawServer(handle) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", server
        server.shutdown()


@contextmanager
def listen_but_never_accept(host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """An address where connecting never ends: its backlog is full and nobody accepts."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind((host, port))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://{host}:{listener.getsockname()[1]}"


def reset(connection: socket.socket) -> None:
    """End a connection as a crash ends it: with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def begin(connection: socket.socket, length: int, *headers: str) -> None:
    """The head of a response of so many bytes."""
    lines = ["HTTP/1.1 200 OK", "content-type: application/json", f"content-length: {length}", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())

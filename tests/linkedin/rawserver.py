"""A LinkedIn that is no HTTP server at all, or stops being one in the middle of an answer."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Treat = Callable[[socket.socket], None]


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        server.count += 1
        self.request.recv(65_536)
        server.treat(self.request)


class RawServer(socketserver.ThreadingTCPServer):
    """Counts connections and treats each as told, once it has asked something."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, treat: Treat) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.treat = treat
        self.count = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """That the other side hung up is what some tests are about."""


@contextmanager
def serve_raw(treat: Treat) -> Iterator[tuple[str, RawServer]]:
    """The address of a server that treats its connections so, and the server."""
    with RawServer(treat) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", server
        server.shutdown()


@contextmanager
def listen_but_never_accept(host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """An address where connecting takes for ever: its queue is full and nobody takes from it."""
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
    """The head of an answer of so many bytes."""
    lines = ["HTTP/1.1 200 OK", "content-type: application/json", f"content-length: {length}", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())

"""HTTP with deadlines: uvicorn's protocol waits for ever for headers and bodies, takes headers of any size, and refuses
newcomers when it is full. This one hangs up on who is slow, and when it is full on who has been slow for longest.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jobrecon.webhook.limits import ConnectionLimits

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_CROWDED = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Sweeper:
    """Looks at all connections of a server a few times a second: cheaper than a timer for each request."""

    def __init__(self, connections: "set[Any]", limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        self._connections = connections
        self._limits = limits
        self._loop = loop
        self._is_running = False

    def start(self) -> None:
        if not self._is_running:
            self._is_running = True
            self._loop.call_later(self._limits.sweep_seconds, self._sweep)

    def _sweep(self) -> None:
        self._is_running = False
        now = self._loop.time()
        late = [one for one in self._connections if one.deadline is not None and one.deadline <= now]
        # Not all at once: they may come again at once, and who is quick would wait for them.
        for connection in late[: self._limits.hang_ups_per_sweep]:
            connection.hang_up(_TOO_SLOW)
        if self._connections:
            self.start()

    def make_room(self, newcomer: "GuardedProtocol") -> bool:
        """Hang up on the connection that has been waited for longest; False where all of them are being answered."""
        waiting = [one for one in self._connections if one is not newcomer and not one.is_being_answered]
        if not waiting:
            return False
        min(waiting, key=lambda one: one.waiting_since).hang_up(_CROWDED)
        return True


class GuardedProtocol(HttpToolsProtocol):
    """One connection: bounded in the size of its headers and in the time it may take to send them and the body."""

    limits = ConnectionLimits()

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.deadline: float | None = None
        self.waiting_since = 0.0
        self._is_in_header = True
        self._fed_bytes = 0
        self._header_bytes = 0
        # One for all connections of a server; the state is what they share.
        shared = vars(server_state)
        self._sweeper: _Sweeper = shared.setdefault("sweeper", _Sweeper(self.connections, self.limits, self.loop))

    @property
    def is_being_answered(self) -> bool:
        """Whether a whole request is here and its answer is not yet sent."""
        return self.deadline is None and self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(self.limits.header_seconds)
        self._sweeper.start()
        if len(self.connections) > self.limits.connections and not self._sweeper.make_room(self):
            self.hang_up(_CROWDED)

    def data_received(self, data: bytes) -> None:
        if self._is_in_header:
            # What the parser gathers of a header that has no end is not yet told to us.
            self._fed_bytes += len(data)
            if self.deadline is None:
                self._expect(self.limits.header_seconds)
        super().data_received(data)
        if self._is_in_header and self._fed_bytes > self.limits.header_bytes:
            self.hang_up(_TOO_LARGE)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Who has said all it has to say still gets its answer."""
        if not self.is_being_answered:
            return None
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count_header(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        # Also for the fields behind a chunked body.
        self._count_header(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_header = False
        self._expect(self.limits.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_header = True
        self._fed_bytes = 0
        self.deadline = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.waiting_since = self.loop.time()
        super().on_response_complete()

    def hang_up(self, farewell: bytes) -> None:
        """End the connection; with a word where a request has begun and no answer has."""
        self.deadline = None
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering and self._fed_bytes:
            self.transport.write(farewell)
        self.transport.close()

    def _expect(self, seconds: float) -> None:
        self.waiting_since = self.loop.time()
        self.deadline = self.waiting_since + seconds

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self.limits.header_bytes:
            self.hang_up(_TOO_LARGE)
            # The parser goes no further; its owner would answer 400, but the connection is closing.
            raise ValueError("header fields too large")

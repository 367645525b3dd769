"""HTTP with deadlines for slow senders, which uvicorn's own protocol lacks (docs/webhook.md says why no other server is used).

Beyond the limit on connections, the one that has kept the server waiting longest is closed to make room.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jobrecon.webhook.limits import ConnectionLimits

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Sweeper:
    """Closes late connections several times a second, cheaper than a timer for each request, and makes room for new ones."""

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
        late = [one for one in self._connections if one.is_late(now)]
        # Not all at once: their senders may reconnect at once, and others would wait behind them.
        for connection in late[: self._limits.closes_per_sweep]:
            connection.close(_TOO_SLOW)
        if self._connections:
            self.start()

    def make_room(self, newcomer: "GuardedProtocol") -> bool:
        """Close the connection that has been waited for longest; False where every connection has a request being handled."""
        waiting = [one for one in self._connections if one is not newcomer and not one.is_in_request]
        if not waiting:
            return False
        min(waiting, key=lambda one: one.waiting_since).close(_TOO_MANY)
        return True


class GuardedProtocol(HttpToolsProtocol):
    """One connection: bounded in the size of its headers, in the time it may take to send them and the body and to read the
    responses, and in the number of requests that it sends ahead of them.
    """

    limits = ConnectionLimits()

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.deadline: float | None = None
        self.response_deadline: float | None = None
        """Until when its client has to read what is written; None while it reads."""
        self.waiting_since = 0.0
        self._is_in_header = True
        self._fed_bytes = 0
        """Bytes that came since the head of the request began, also those of a line that has not ended."""
        self._header_bytes = 0
        """Bytes of the header's fields, as the parser reports them."""
        # One for all connections of a server; the state is what they share.
        shared = vars(server_state)
        self._sweeper: _Sweeper = shared.setdefault("sweeper", _Sweeper(self.connections, self.limits, self.loop))

    @property
    def is_in_request(self) -> bool:
        """Whether a whole request is being handled; False also while its client does not read the response."""
        is_waiting = self.deadline is not None or self.response_deadline is not None
        return not is_waiting and self.cycle is not None and not self.cycle.response_complete

    def is_late(self, now: float) -> bool:
        return any(deadline is not None and deadline <= now for deadline in (self.deadline, self.response_deadline))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(self.limits.header_seconds)
        self._sweeper.start()
        if len(self.connections) > self.limits.connections and not self._sweeper.make_room(self):
            self.close(_TOO_MANY)

    def data_received(self, data: bytes) -> None:
        if self._is_in_header:
            # The parser reports nothing of a header that has not ended.
            self._fed_bytes += len(data)
            if self.deadline is None:
                self._expect(self.limits.header_seconds)
        super().data_received(data)
        if self._is_in_header and self._fed_bytes > self.limits.header_bytes:
            self.close(_TOO_LARGE)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """A sender that closed its side after a whole request still gets the response to it; the connection ends then."""
        if not self.is_in_request:
            return None
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self.waiting_since = self.loop.time()
        self.response_deadline = self.waiting_since + self.limits.response_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self.response_deadline = None

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= self.limits.pipelined_requests:
            self.close(_TOO_MANY)
            # Stops the parser, as below.
            raise ValueError("too many pipelined requests")
        super().on_message_begin()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count_header(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        # Also for the trailers of a chunked body.
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

    def close(self, response: bytes) -> None:
        """Close the connection; with a response where a request has begun and none has been started."""
        self.deadline = self.response_deadline = None
        if self.transport.is_closing() or self.flow.write_paused:
            # It would be closed only once its client has read all.
            self.transport.abort()
            return
        is_responding = self.cycle is not None and not self.cycle.response_complete
        if not is_responding and self._fed_bytes:
            self.transport.write(response)
        self.transport.close()

    def _expect(self, seconds: float) -> None:
        self.waiting_since = self.loop.time()
        self.deadline = self.waiting_since + seconds

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self.limits.header_bytes:
            self.close(_TOO_LARGE)
            # Stops the parser; its owner would respond 400, but the connection is closing.
            raise ValueError("header fields too large")

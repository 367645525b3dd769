"""One connection to an HTTP server: a question goes out, its answer comes in, as llhttp reads it. Faults are httpx's."""

import asyncio
import select
import zlib
from dataclasses import dataclass
from typing import NamedTuple, cast

import httptools
import httpx

from jobrecon.linkedin.retry import describe

ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
"""An answer about 100 tasks is 100 KB; one beyond this is no answer, and must not fill the memory."""
HEAD_LIMIT_BYTES = 64 * 1024
"""Status and headers are 1 KB; of small headers, each costs many times its size."""


@dataclass(frozen=True)
class Limits:
    """How long to wait, in seconds: however an answer trickles, it holds no run up for longer."""

    connect: float = 10
    silence: float = 30
    """Without a byte."""
    total: float = 120
    """Of a whole call, once connected."""
    idle: float = 15
    """After which a kept connection is not trusted any more: who is between may have forgotten it."""


class Reply(NamedTuple):
    """What came back, unpacked."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Connection(asyncio.Protocol):
    """Asks one question at a time and never asks it again by itself: each send has to be charged first."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._reply: asyncio.Future[Reply] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._size_bytes = 0
        self._began_at = self._heard_at = 0.0
        self._is_headed = False

    @property
    def is_open(self) -> bool:
        """Whether another question can be asked here: whatever came since the last answer, its end too, answers no question."""
        is_fresh = self._loop.time() - self.idle_since < self.limits.idle
        return is_fresh and not self._transport.is_closing() and not self._arrivals.poll(0)

    @property
    def _awaited(self) -> asyncio.Future[Reply] | None:
        """What somebody waits for."""
        return None if self._reply is None or self._reply.done() else self._reply

    def close(self) -> None:
        self._transport.abort()

    async def ask(self, question: bytes) -> Reply:
        """Send a request as it stands and return its answer. After a fault the connection is closed."""
        reply: asyncio.Future[Reply] = self._loop.create_future()
        self._reply = reply
        self._size_bytes, self._is_headed = 0, False
        self._began_at = self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(min(self.limits.silence, self.limits.total), self._check_time)
        self._transport.write(question)
        try:
            return await reply
        except BaseException:
            # What still comes must not be taken for the next question's answer.
            self.close()
            raise
        finally:
            self._timer.cancel()
            self._reply = None
            self._forget()
            self.idle_since = self._heard_at

    def _check_time(self) -> None:
        silent_at, over_at = self._heard_at + self.limits.silence, self._began_at + self.limits.total
        now = self._loop.time()
        if now < min(silent_at, over_at):
            self._timer = self._loop.call_at(min(silent_at, over_at), self._check_time)
        elif now >= over_at:
            self._fail(httpx.ReadTimeout(f"Timeout: the answer was not there within {self.limits.total:g} s"))
        else:
            self._fail(httpx.ReadTimeout(f"Timeout: not a byte of the answer for {self.limits.silence:g} s"))

    def _fail(self, error: httpx.TransportError) -> None:
        if self._awaited:
            self._awaited.set_exception(error)
        self.close()

    def _forget(self) -> None:
        self._headers, self._body = [], bytearray()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpResponseParser(self)
        self._arrivals = select.poll()
        self._arrivals.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if not self._awaited:
            # An answer that nobody asked for.
            self.close()
            return
        self._heard_at = self._loop.time()
        self._size_bytes += len(data)
        if self._size_bytes > ANSWER_LIMIT_BYTES:
            self._fail(too_long())
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(f"the answer is no HTTP: {error}"))
        if self._awaited and not self._is_headed and self._size_bytes > HEAD_LIMIT_BYTES:
            self._fail(httpx.RemoteProtocolError(f"the head of the answer is longer than {HEAD_LIMIT_BYTES // 1024} KB"))

    def connection_lost(self, error: Exception | None) -> None:
        if not self._awaited:
            return
        names = {name for name, _ in self._headers}
        if error is not None:
            self._fail(httpx.ReadError(describe(error)))
        elif not self._size_bytes:
            self._fail(httpx.RemoteProtocolError("the server disconnected instead of answering"))
        elif not self._is_headed or names & {b"content-length", b"transfer-encoding"}:
            self._fail(httpx.ReadError("the answer is not completed: the server disconnected"))
        else:
            # Without a length, the end of the connection is the end of the answer.
            self._complete()

    # Called by the parser.

    def on_message_begin(self) -> None:
        if not self._awaited:
            # More than one answer to one question: whatever it is, it answers none of ours.
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes behind the body looks the same, but may be anybody's.
        if not self._is_headed:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._is_headed = True

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            # The answer proper follows.
            self._forget()
            self._is_headed = False
            return
        if not self._parser.should_keep_alive():
            self.close()
        self._complete()

    def _complete(self) -> None:
        if not self._awaited:
            return
        try:
            body = unpack(bytes(self._body), dict(self._headers).get(b"content-encoding", b""))
        except httpx.TransportError as error:
            self._fail(error)
        else:
            self._awaited.set_result(Reply(self._parser.get_status_code(), self._headers, body))


def unpack(body: bytes, encoding: bytes) -> bytes:
    """The body as it was before it was packed for the way: with gzip, the one packing that is asked for."""
    if not body or encoding.lower() in (b"", b"identity"):
        return body
    if encoding.lower() not in (b"gzip", b"x-gzip"):
        raise httpx.RemoteProtocolError(f"the answer is packed in a way that was not asked for: {encoding.decode('latin-1')[:50]}")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, ANSWER_LIMIT_BYTES)
    except zlib.error as error:
        raise httpx.ReadError(f"the packed answer is broken: {error}") from error
    if not unpacker.eof:
        del plain  # the error would hold on to it
        raise too_long() if unpacker.unconsumed_tail else httpx.ReadError("the packed answer is not completed")
    return plain


def too_long() -> httpx.ReadError:
    return httpx.ReadError(f"the answer is longer than {ANSWER_LIMIT_BYTES // 1024**2} MB")

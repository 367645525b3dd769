"""One line of JSON for each request: what was asked and answered, never a body, a query string or a header."""

import asyncio
import sys
import time
from typing import TextIO

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_PATH = 200
FLUSH_SECONDS = 0.1


class AccessLog:
    """Writes a line for each request of the app it wraps when it has been answered; status 0 where it never was.

    Lines of a tenth of a second are written at once: a write for each would cost more than the answer. What a crash takes
    with it is these lines, never a notification.
    """

    def __init__(self, app: ASGIApp, stream: TextIO | None = None) -> None:
        self._app = app
        self._stream = stream
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            self.flush()
            return
        started = time.perf_counter()
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            client = scope.get("client")
            self._write(
                {
                    "method": scope["method"],
                    # JSON escapes what a stranger may have put in there to forge a line.
                    "path": scope["path"][:LONGEST_PATH],
                    "status": status,
                    # The receiver counts what it reads.
                    "received_bytes": scope.get("received_bytes", 0),
                    "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                    "client": client[0] if client else None,
                }
            )

    def flush(self) -> None:
        """Write what has gathered."""
        if self._lines:
            text = "".join(self._lines)
            self._lines.clear()
            (self._stream or sys.stderr).write(text)
            (self._stream or sys.stderr).flush()

    def _write(self, line: dict[str, str | int | float | None]) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        self._lines.append(f"{self._stamp}+0000 INFO jobrecon.webhook.access {_encode(line)}\n")


def _encode(line: dict[str, str | int | float | None]) -> str:
    try:
        return orjson.dumps(line).decode()
    except orjson.JSONEncodeError:
        # A path with lone surrogates.
        return orjson.dumps({**line, "path": str(line["path"]).encode("utf-8", "replace").decode()}).decode()

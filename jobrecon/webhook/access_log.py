"""The receiver's log: one JSON object a line, for each request and for whatever else happens.

Of a request never a body, a query string or a header.
"""

import contextlib
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator

from pythonjsonlogger.json import JsonFormatter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_PATH_LENGTH = 200
QUEUE_LINES = 10_000
STOP_SECONDS = 2
FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}

log = logging.getLogger("jobrecon.webhook.access")


class AccessLog:
    """Logs each request of the app it wraps once its response is sent; status 0 where none was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            client = scope.get("client")
            request = {
                "method": scope["method"],
                "path": scope["path"][:MAX_PATH_LENGTH],
                "status": status,
                # Set by the receiver, which counts what it reads.
                "received_bytes": scope.get("received_bytes", 0),
                "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                "client": client[0] if client else None,
            }
            log.info("request", extra=request)


class _BoundedQueueHandler(logging.handlers.QueueHandler):
    """Loses a line rather than wait: a stderr that nobody reads must not stop the receiver."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Everything logged while the block runs is written to stderr by a thread of its own."""
    lines: queue.Queue[logging.LogRecord | None] = queue.Queue(QUEUE_LINES)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[_BoundedQueueHandler(lines)], force=True)
    writer = threading.Thread(target=_write_lines, args=(lines,), daemon=True)
    writer.start()
    try:
        yield
    finally:
        with contextlib.suppress(queue.Full):
            lines.put_nowait(None)
        writer.join(STOP_SECONDS)


def _write_lines(lines: "queue.Queue[logging.LogRecord | None]") -> None:
    formatter = JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=FIELDS)
    for record in iter(lines.get, None):
        # Past Python's buffer: a thread that waits in it would keep the process from ending.
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), f"{formatter.format(record)}\n".encode("utf-8", "replace"))

"""One line of JSON for each request: what was asked and answered, never a body, a query string or a header."""

import json
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("jobrecon.webhook.access")

LONGEST_PATH = 200


class AccessLog:
    """Logs each request of the app it wraps when it has been answered; status 0 where it never was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, received_bytes = 0, 0

        async def count(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        async def measure() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            return message

        try:
            await self._app(scope, measure, count)
        finally:
            client = scope.get("client")
            line = {
                "method": scope["method"],
                # JSON escapes what a stranger may have put in there to forge a line.
                "path": scope["path"][:LONGEST_PATH],
                "status": status,
                "received_bytes": received_bytes,
                "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                "client": client[0] if client else None,
            }
            log.info(json.dumps(line))

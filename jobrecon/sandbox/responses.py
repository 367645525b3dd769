"""What goes over the wire: answers, refusals in LinkedIn's words, and connections that end without either."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.types import Receive, Send


class Refused(Exception):
    """The request gets an answer other than 2xx."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class TooLarge(Exception):
    """The body is larger than anything the sandbox has use for."""


def refuse(status: int, message: str, service_error_code: int | None = None) -> Refused:
    body: dict[str, Any] = {"message": message, "status": status}
    if service_error_code is not None:
        body = {"serviceErrorCode": service_error_code, **body}
    return Refused(status, body)


def bad_request(message: str) -> Refused:
    return refuse(400, message)


def throttled() -> Refused:
    return refuse(429, "Resource level throttle limit for calls to this resource is reached.", 101)


async def send_answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_refusal(send: Send, refused: Refused) -> None:
    await send_answer(send, refused.status, orjson.dumps(refused.body))


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The request's body; raises TooLarge where it exceeds the limit."""
    body = b""
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge
        if not message.get("more_body", False):
            return body


async def drop_connection(receive: Receive, send: Send) -> None:
    """Close the socket without an answer.

    ASGI has no word for this. uvicorn's `receive` is a method of the object that holds the transport; on another server
    a 502 stands in.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        await send_answer(send, 502, b"")
        return
    transport.abort()
    # Until the server has noticed: it would log the missing answer as our mistake.
    while (await receive())["type"] != "http.disconnect":
        pass

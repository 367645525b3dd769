"""The API's wire format: requests in both protocols and their ids, responses, and errors in LinkedIn's words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson
from starlette.types import Receive, Send

QUERY_LIMIT_BYTES = 4096
PROTOCOL_2 = b"2.0.0"
FORM = b"application/x-www-form-urlencoded"


class ErrorResponse(Exception):
    """The request gets a status other than 2xx."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


class BodyTooLarge(Exception):
    """The request's body is larger than the sandbox reads."""


def error_response(status: int, message: str, service_error_code: int | None = None) -> ErrorResponse:
    body: dict[str, Any] = {"message": message, "status": status}
    if service_error_code is not None:
        body = {"serviceErrorCode": service_error_code, **body}
    return ErrorResponse(status, body)


def bad_request(message: str) -> ErrorResponse:
    return error_response(400, message)


def throttled(retry_after_seconds: float = 0, limit: str = "") -> ErrorResponse:
    """A 429, with or without the name of the limit in its text and a `Retry-After`."""
    error = error_response(429, f"Resource level throttle {limit}limit for calls to this resource is reached.", 101)
    if retry_after_seconds > 0:
        error.headers["Retry-After"] = str(math.ceil(retry_after_seconds))
    return error


def version_error(code: str, message: str, status: int) -> ErrorResponse:
    return ErrorResponse(status, {"status": status, "code": code, "message": message})


@dataclass(slots=True)
class ApiRequest:
    """An admitted request to a resource of the API."""

    method: str
    headers: dict[bytes, bytes]
    query: bytes
    body: bytes
    key: str | None = None
    """The id in the path, of a request for a single entity."""

    def read_ids(self, max_count: int | None = None) -> list[str]:
        """The ids of a get: from the path, the query or, with query tunneling, the body."""
        if self.key is not None:
            return [self.key]
        if self.method == "GET":
            query = self.query
            if len(query) > QUERY_LIMIT_BYTES:
                raise error_response(414, "Request-URI Too Long")
        else:
            if self.headers.get(b"x-http-method-override", b"").upper() != b"GET":
                raise bad_request("POST needs the header X-HTTP-Method-Override: GET")
            if self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != FORM:
                raise error_response(415, "A tunneled query needs Content-Type: application/x-www-form-urlencoded")
            query = self.body
        try:
            ids = parse_list(query) if self.headers.get(b"x-restli-protocol-version") == PROTOCOL_2 else parse_ids(query)
        except UnicodeDecodeError:
            raise bad_request("Batch key parameter value is invalid") from None
        if not ids:
            raise bad_request("Query parameter 'ids' is missing")
        if max_count is not None and len(ids) > max_count:
            raise bad_request(f"Too many ids: at most {max_count} in one call")
        return ids


def parse_ids(query: bytes) -> list[str]:
    """The `ids` of a query string, in order. Raises UnicodeDecodeError for bytes that are not UTF-8."""
    if b"%3" in query:
        # The one escape that a task URN needs: it comes up to 236 times a call.
        query = query.replace(b"%3A", b":").replace(b"%3a", b":")
    text = query.decode()
    parts = [part[4:] for part in text.split("&") if part.startswith("ids=")]
    if "%" in text or "+" in text:
        return [unquote_plus(part, errors="strict") for part in parts]
    return parts


def parse_list(query: bytes) -> list[str]:
    """The ids of a query string of protocol 2.0.0: `ids=List(a,b)`, each percent-encoded."""
    value = next((part[4:] for part in query.decode().split("&") if part.startswith("ids=")), "")
    if not (value.startswith("List(") and value.endswith(")")):
        raise bad_request("Invalid query parameters passed to request")
    return [unquote_plus(part, errors="strict") for part in value[5:-1].split(",") if part]


async def send_json(send: Send, status: int, body: bytes, more_headers: dict[str, str] | None = None) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in (more_headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: ErrorResponse) -> None:
    await send_json(send, error.status, orjson.dumps(error.body), error.headers)


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The request's body. Raises BodyTooLarge where it exceeds the limit."""
    body = b""
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > limit_bytes:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return body


async def drop_connection(receive: Receive, send: Send) -> None:
    """Close the socket without a response.

    ASGI has no message for this. uvicorn's `receive` is a method of the object that holds the transport; on another server
    the client gets a 502.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        await send_json(send, 502, b"")
        return
    transport.abort()
    # Wait until the server has noticed, or it logs the missing response as an error.
    while (await receive())["type"] != "http.disconnect":
        pass

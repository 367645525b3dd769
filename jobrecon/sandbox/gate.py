"""What every request to the API passes: token, access, version, limits, injected faults; then its resource's handler."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote_plus

import orjson
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jobrecon.sandbox.applications import ApplicationState
from jobrecon.sandbox.world import World

QUERY_LIMIT_BYTES = 4096
BODY_LIMIT_BYTES = 16 * 1024 * 1024
VERSION_LIFETIME_MONTHS = 24
JSON = "application/json"


class ErrorResponse(HTTPException):
    """The request gets a status other than 2xx, and this body."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(status, headers=headers)
        self.body = body


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type=JSON)


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
    error.headers = {"Retry-After": str(math.ceil(retry_after_seconds))} if retry_after_seconds > 0 else None
    return error


def version_error(status: int, message: str, code: str) -> ErrorResponse:
    return ErrorResponse(status, {"status": status, "code": code, "message": message})


@dataclass(slots=True)
class ApiRequest:
    """An admitted request to a resource of the API."""

    method: str
    headers: Headers
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
            if self.headers.get("x-http-method-override", "").upper() != "GET":
                raise bad_request("POST needs the header X-HTTP-Method-Override: GET")
            if not is_form(self.headers):
                raise error_response(415, "A tunneled query needs Content-Type: application/x-www-form-urlencoded")
            query = self.body
        try:
            ids = parse_ids_of_protocol_2(query) if self.headers.get("x-restli-protocol-version") == "2.0.0" else parse_ids(query)
        except UnicodeDecodeError:
            raise bad_request("Batch key parameter value is invalid") from None
        if not ids:
            raise bad_request("Query parameter 'ids' is missing")
        if max_count is not None and len(ids) > max_count:
            raise bad_request(f"Too many ids: at most {max_count} in one call")
        return ids


def is_form(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def parse_ids(query: bytes) -> list[str]:
    """The `ids` of a query string, in order. Raises UnicodeDecodeError for bytes that are not UTF-8."""
    return [unquote_plus(part[4:], errors="strict") for part in query.decode().split("&") if part.startswith("ids=")]


def parse_ids_of_protocol_2(query: bytes) -> list[str]:
    """The ids of a query string of protocol 2.0.0: `ids=List(a,b)`, each percent-encoded."""
    value = next((part[4:] for part in query.decode().split("&") if part.startswith("ids=")), "")
    if not (value.startswith("List(") and value.endswith(")")):
        raise bad_request("Invalid query parameters passed to request")
    return [unquote_plus(part, errors="strict") for part in value[5:-1].split(",") if part]


async def read_body(request: Request, limit_bytes: int, too_large: ErrorResponse) -> bytes:
    """The request's body. Raises `too_large` where it exceeds the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise too_large
    return bytes(body)


async def drop_connection(request: Request) -> Response:
    """Close the socket without a response.

    ASGI has no message for this. uvicorn's `receive` is a method of the object that holds the transport; on another server
    the client gets a 502.
    """
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        # Wait until the server has noticed, or it logs the missing response as an error.
        while (await request.receive())["type"] != "http.disconnect":
            pass
    return Response(status_code=502)


Handler = Callable[[World, ApplicationState, ApiRequest], dict[str, Any]]


class Resource:
    """One resource: admission, faults, then its handler."""

    def __init__(self, world: World, name: str, handler: Handler, *, is_versioned: bool = False) -> None:
        self.world = world
        self.name = name
        self.handler = handler
        self.is_versioned = is_versioned

    async def serve(self, request: Request) -> Response:
        world, faults, injector = self.world, self.world.faults, self.world.injector
        state = self._admit(request.headers)
        if faults.latency_seconds > 0:
            await asyncio.sleep(faults.latency_seconds)
        if injector.occurs(faults.dropped_connection_rate):
            return await drop_connection(request)
        if injector.occurs(faults.error_5xx_rate):
            raise error_response(injector.error_status(), "Internal Server Error")
        if injector.occurs(faults.rate_429):
            raise throttled(faults.retry_after_seconds)
        body = (
            b"" if request.method == "GET" else await read_body(request, BODY_LIMIT_BYTES, error_response(413, "Request Entity Too Large"))
        )
        key = request.path_params.get("key")
        response = self.handler(world, state, ApiRequest(request.method, request.headers, request.scope["query_string"], body, key))
        if key is not None:
            return json_response(_single(response, key))
        # Responses to accepted postings stay intact, or the partner would not learn of tasks that exist.
        return json_response(response) if "results" not in response else Response(self._inject_faults(response), media_type=JSON)

    def _admit(self, headers: Headers) -> ApplicationState:
        """The application that calls. Its call is counted once the token is known, also where it is then refused."""
        world, faults = self.world, self.world.faults
        scheme, _, token = headers.get("authorization", "").partition(" ")
        known = world.tokens.get(token) if scheme.lower() == "bearer" else None
        if known is None:
            raise error_response(401, "Invalid access token", 65600)
        state, expires_at = known
        calls = state.calls[self.name]
        calls.charge(world.seconds, faults.window_seconds)
        if expires_at <= world.seconds:
            raise error_response(401, "The token used in the request has expired", 65602)
        if state.urn in faults.forbidden_applications or self.name in faults.forbidden_resources:
            raise error_response(403, f"Not enough permissions to access: {self.name}", 100)
        if self.is_versioned:
            _check_version(headers.get("linkedin-version", ""), world.now)
        limit = world.call_limits.get(self.name)
        if limit is not None and calls.today > limit:
            calls.refused += 1
            raise throttled(faults.retry_after_seconds, "APPLICATION DAY " if faults.name_day_limit else "")
        if faults.calls_per_window and calls.in_window > faults.calls_per_window:
            calls.throttled += 1
            raise throttled(faults.retry_after_seconds)
        return state

    def _inject_faults(self, response: dict[str, Any]) -> bytes:
        faults, injector = self.world.faults, self.world.injector
        if injector.occurs(faults.wrong_shape_rate):
            return injector.wrong_shape()
        if faults.per_id_error_rate > 0:
            for key in list(response["results"]):
                if injector.occurs(faults.per_id_error_rate):
                    _replace_result(response, key, injector.id_error())
        if faults.percent_encode_keys:
            response = {part: {quote(key, safe=""): value for key, value in response[part].items()} for part in response}
        content = orjson.dumps(response)
        return content[: len(content) // 2] if injector.occurs(faults.truncated_json_rate) else content


def _check_version(version: str, now: datetime) -> None:
    """Versions are months, and each lives two years."""
    if not version:
        message = "A version must be present. Please specify a version by adding the LinkedIn-Version header."
        raise version_error(400, message, "VERSION_MISSING")
    if len(version) != 6 or not version.isdecimal() or not 1 <= int(version[4:]) <= 12:
        raise version_error(400, f"Requested version {version} is not valid: use YYYYMM.", "VERSION_INVALID")
    age = (now.year - int(version[:4])) * 12 + now.month - int(version[4:])
    if not 0 <= age < VERSION_LIFETIME_MONTHS:
        raise version_error(426, f"Requested version {version}01 is not active", "NONEXISTENT_VERSION")


def _single(response: dict[str, Any], key: str) -> Any:
    """The entity of a batch of one. Raises the error that stands there instead."""
    if key in response["results"]:
        return response["results"][key]
    error = response["errors"].get(key, {"status": 404, "message": "Not Found"})
    raise ErrorResponse(error["status"], error)


def _replace_result(response: dict[str, Any], key: str, status: int) -> None:
    del response["results"][key]
    if status > 0:
        response["errors"][key] = {"status": status, "message": "Internal Server Error"}
    elif status < 0:
        response["statuses"][key] = -status

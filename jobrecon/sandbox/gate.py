"""The gate before every resource of the API: token, version, limits and injected faults, then the resource's handler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
from starlette.types import Receive, Scope, Send

from jobrecon.sandbox.applications import ApplicationState
from jobrecon.sandbox.protocol import (
    ApiRequest,
    BodyTooLarge,
    ErrorResponse,
    drop_connection,
    error_response,
    read_body,
    send_error,
    send_json,
    throttled,
    version_error,
)
from jobrecon.sandbox.world import World

BODY_LIMIT_BYTES = 16 * 1024 * 1024
VERSION_LIFETIME_MONTHS = 24

Handler = Callable[[World, ApplicationState, ApiRequest], dict[str, Any]]


class Resource:
    """One resource as an ASGI application: admission, faults, then its handler. Written close to the wire: it is benchmarked."""

    def __init__(self, world: World, name: str, handler: Handler, *, is_versioned: bool = False) -> None:
        self.world = world
        self.name = name
        self.handler = handler
        self.is_versioned = is_versioned

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        world, faults, injector = self.world, self.world.faults, self.world.injector
        headers = dict(scope["headers"])
        try:
            state = self._admit(headers)
            if faults.latency_seconds > 0:
                await asyncio.sleep(faults.latency_seconds)
            if injector.occurs(faults.dropped_connection_rate):
                await drop_connection(receive, send)
                return
            if injector.occurs(faults.error_5xx_rate):
                raise error_response(injector.error_status(), "Internal Server Error")
            if injector.occurs(faults.rate_429):
                raise throttled(faults.retry_after_seconds)
            method = scope["method"]
            body = b"" if method == "GET" else await read_body(receive, BODY_LIMIT_BYTES)
            key = scope["path_params"].get("key")
            response = self.handler(world, state, ApiRequest(method, headers, scope["query_string"], body, key))
            if key is not None:
                content = orjson.dumps(_single(response, key))
            else:
                # Responses to accepted postings stay intact, or the partner would not learn of tasks that exist.
                content = self._inject_faults(response) if "results" in response else orjson.dumps(response)
        except ErrorResponse as error:
            await send_error(send, error)
        except BodyTooLarge:
            await send_error(send, error_response(413, "Request Entity Too Large"))
        else:
            await send_json(send, 200, content)

    def _admit(self, headers: dict[bytes, bytes]) -> ApplicationState:
        """The application that calls. Its call is counted once the token is known, also where it is then refused."""
        world, faults = self.world, self.world.faults
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
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
            _check_version(headers.get(b"linkedin-version", b"").decode("latin-1"), world.now)
        if calls.today > world.call_limits.get(self.name, calls.today):
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
        raise version_error("VERSION_MISSING", message, 400)
    if len(version) != 6 or not version.isdecimal() or not 1 <= int(version[4:]) <= 12:
        raise version_error("VERSION_INVALID", f"Requested version {version} is not valid: use YYYYMM.", 400)
    age = (now.year - int(version[:4])) * 12 + now.month - int(version[4:])
    if not 0 <= age < VERSION_LIFETIME_MONTHS:
        raise version_error("NONEXISTENT_VERSION", f"Requested version {version}01 is not active", 426)


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

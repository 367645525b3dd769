"""The endpoints of LinkedIn that the sandbox serves: the Talent API's resources and the token endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson
from starlette.types import Receive, Scope, Send

from jobrecon.sandbox.applications import POSTING_STATUS, POSTINGS, TASKS, ApplicationState
from jobrecon.sandbox.jobs import status_record
from jobrecon.sandbox.protocol import (
    FORM,
    ApiRequest,
    BodyTooLarge,
    ErrorResponse,
    bad_request,
    drop_connection,
    error_response,
    read_body,
    send_error,
    send_json,
    throttled,
)
from jobrecon.sandbox.tasks import OPERATIONS, TASK_LIFESPAN_SECONDS, TASK_URN_PREFIX
from jobrecon.sandbox.world import World

BODY_LIMIT_BYTES = 16 * 1024 * 1024
TOKEN_BODY_LIMIT_BYTES = 64 * 1024
MAX_POSTINGS_PER_CALL = 100
MAX_EXTERNAL_ID_LENGTH = 200
MAX_ALTERNATE_LOCATIONS = 100
POSTING_STATUS_CALL_LIMIT = 1_000_000

Handler = Callable[[World, ApplicationState, ApiRequest], dict[str, Any]]


class Resource:
    """One resource as an ASGI application: admission, faults, then its handler. Written close to the wire: it is benchmarked."""

    def __init__(self, world: World, name: str, handler: Handler, call_limit: int | None, *, is_versioned: bool = False) -> None:
        self.world = world
        self.name = name
        self.handler = handler
        self.call_limit = call_limit
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
                raise throttled()
            method = scope["method"]
            body = b"" if method == "GET" else await read_body(receive, BODY_LIMIT_BYTES)
            response = self.handler(world, state, ApiRequest(method, headers, scope["query_string"], body))
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
        world = self.world
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        known = world.tokens.get(token) if scheme.lower() == "bearer" else None
        if known is None:
            raise error_response(401, "Invalid access token", 65600)
        state, expires_at = known
        calls = state.calls[self.name]
        used = calls.charge(world.seconds)
        if expires_at <= world.seconds:
            raise error_response(401, "The token used in the request has expired", 65602)
        if state.urn in world.faults.forbidden_applications:
            raise error_response(403, f"Not enough permissions to access: {self.name}", 100)
        if self.is_versioned and not headers.get(b"linkedin-version", b"").isdigit():
            raise bad_request("A version must be present. Please specify a version by adding the LinkedIn-Version header.")
        if self.call_limit is not None and used > self.call_limit:
            calls.refused += 1
            raise throttled()
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


def _replace_result(response: dict[str, Any], key: str, status: int) -> None:
    del response["results"][key]
    if status > 0:
        response["errors"][key] = {"status": status, "message": "Internal Server Error"}
    elif status < 0:
        response["statuses"][key] = -status


def get_tasks(world: World, state: ApplicationState, request: ApiRequest) -> dict[str, Any]:
    """simpleJobPostingTasks: the status of tasks."""
    now = world.seconds
    oldest = now - TASK_LIFESPAN_SECONDS
    tasks = state.tasks
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    announced: list[str] = []
    for urn in request.read_ids():
        task = tasks.get(urn)
        if task is not None and task.requested_at > oldest:
            results[urn] = task.result(now)
            if task.siblings and task.settles_at <= now:
                announced.extend(task.siblings)
        elif len(urn) > len(TASK_URN_PREFIX) and urn.startswith(TASK_URN_PREFIX):
            errors[urn] = {"status": 404, "message": f"Task {urn} is not found"}
        else:
            raise bad_request("Batch key parameter value is invalid")
    for urn in announced:
        if urn not in results:
            results[urn] = tasks[urn].result(now)
    if world.injector.occurs(world.faults.unrequested_key_rate):
        _add_unrequested(world, state, results)
    return {"results": results, "statuses": {}, "errors": errors}


def _add_unrequested(world: World, state: ApplicationState, results: dict[str, Any]) -> None:
    """Add a task of the application that was not requested, or where there is none, one of an unknown job."""
    for urn in state.recent:
        if urn not in results:
            results[urn] = state.tasks[urn].result(world.seconds)
            return
    digits = world.injector.hex_digits()
    urn = f"{TASK_URN_PREFIX}{digits[:8]}-{digits[8:12]}-4000-8000-{digits[:12]}"
    results[urn] = {"id": urn, "externalJobPostingId": f"not-ours-{digits[:6]}", "status": "SUCCEEDED"}


def get_posting_status(world: World, state: ApplicationState, request: ApiRequest) -> dict[str, Any]:
    """jobPostingStatus: the status of jobs."""
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for external_id in request.read_ids():
        job = state.jobs.get(external_id)
        # LinkedIn shows no job before an operation on it has taken effect.
        if job is not None and job.generation:
            results[external_id] = status_record(job)
        else:
            errors[external_id] = {"status": 404, "message": f"Job posting {external_id} is not found"}
    return {"results": results, "statuses": {}, "errors": errors}


def create_postings(world: World, state: ApplicationState, request: ApiRequest) -> dict[str, Any]:
    """simpleJobPostings: accept operations on jobs, each by itself."""
    if request.headers.get(b"x-restli-method", b"").lower() != b"batch_create":
        raise bad_request("The header X-RestLi-Method: batch_create is missing")
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise bad_request("The body is not JSON") from None
    elements = body.get("elements") if isinstance(body, dict) else None
    if not isinstance(elements, list) or not elements:
        raise bad_request("The body needs a list of elements")
    if len(elements) > MAX_POSTINGS_PER_CALL:
        raise bad_request(f"Too many elements: at most {MAX_POSTINGS_PER_CALL} in one call")
    return {"elements": [_create_posting(world, state, element) for element in elements]}


def _create_posting(world: World, state: ApplicationState, element: Any) -> dict[str, Any]:
    problem = _validate_posting(element)
    if problem is not None:
        return {"error": {"message": problem, "status": 422}, "status": 422}
    others = element.get("alternateLocations")
    task = world.submit(
        state,
        external_id=element["externalJobPostingId"],
        operation=element["jobPostingOperationType"],
        title=element.get("title"),
        location=element.get("location"),
        other_locations=None if others is None else tuple(dict.fromkeys(each for each in others if each != element.get("location"))),
    )
    return {"location": f"/simpleJobPostings/{quote(task.urn, safe='')}", "status": 202, "id": task.urn}


def _validate_posting(element: Any) -> str | None:
    """Why a posting cannot be accepted; None where it can."""
    if not isinstance(element, dict):
        return "An element must be an object"
    external_id = element.get("externalJobPostingId")
    if not isinstance(external_id, str) or not external_id.strip():
        return "externalJobPostingId is required"
    if len(external_id) > MAX_EXTERNAL_ID_LENGTH:
        return f"externalJobPostingId is longer than {MAX_EXTERNAL_ID_LENGTH} characters"
    if element.get("jobPostingOperationType") not in OPERATIONS:
        return f"jobPostingOperationType must be one of {', '.join(OPERATIONS)}"
    for name in ("title", "location"):
        if element.get(name) is not None and not isinstance(element[name], str):
            return f"{name} must be text"
    others = element.get("alternateLocations")
    if others is not None and (not isinstance(others, list) or not all(isinstance(each, str) and each for each in others)):
        return "alternateLocations must be a list of texts"
    if others is not None and len(others) > MAX_ALTERNATE_LOCATIONS:
        return f"alternateLocations holds more than {MAX_ALTERNATE_LOCATIONS} places"
    return None


def api_resources(world: World) -> list[tuple[str, list[str], Resource]]:
    """Path, methods and application of every resource."""
    limit = world.call_limit
    return [
        (f"/v2/{TASKS}", ["GET", "POST"], Resource(world, TASKS, get_tasks, limit)),
        (f"/rest/{TASKS}", ["GET", "POST"], Resource(world, TASKS, get_tasks, limit, is_versioned=True)),
        (f"/v2/{POSTINGS}", ["POST"], Resource(world, POSTINGS, create_postings, None)),
        (f"/v2/{POSTING_STATUS}", ["GET", "POST"], Resource(world, POSTING_STATUS, get_posting_status, POSTING_STATUS_CALL_LIMIT)),
    ]


class TokenEndpoint:
    """Issues a token for a client's id and secret. `expires_in` is text, as in LinkedIn's own sample."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = self.world.faults
        try:
            body = await read_body(receive, TOKEN_BODY_LIMIT_BYTES)
            if faults.latency_seconds > 0:
                await asyncio.sleep(faults.latency_seconds)
            if self.world.injector.occurs(faults.token_error_rate):
                raise _oauth_error(503, "temporarily_unavailable", "The service is temporarily unavailable")
            response = self._grant(body, dict(scope["headers"]).get(b"content-type", b""))
        except ErrorResponse as error:
            await send_error(send, error)
        except BodyTooLarge:
            await send_error(send, _oauth_error(413, "invalid_request", "The request is too large"))
        else:
            await send_json(send, 200, orjson.dumps(response))

    def _grant(self, body: bytes, content_type: bytes) -> dict[str, str]:
        if content_type.partition(b";")[0].strip().lower() != FORM:
            raise _oauth_error(400, "invalid_request", "The request needs a form body")
        try:
            form = dict(parse_qsl(body.decode(), errors="strict"))
        except ValueError:
            raise _oauth_error(400, "invalid_request", "The form body cannot be read") from None
        for name in ("grant_type", "client_id", "client_secret"):
            if not form.get(name):
                raise _oauth_error(400, "invalid_request", f'A required parameter "{name}" is missing')
        if form["grant_type"] != "client_credentials":
            raise _oauth_error(400, "unsupported_grant_type", "The grant type is not supported")
        for state in self.world.applications.values():
            if state.application.client_id == form["client_id"] and form["client_secret"] in state.application.client_secrets:
                break
        else:
            raise _oauth_error(401, "invalid_client", "Client authentication failed")
        if state.urn in self.world.faults.denied_token_applications:
            raise _oauth_error(401, "access_denied", "This application is not allowed to create application tokens")
        token, lifetime_seconds = self.world.issue_token(state)
        return {"access_token": token, "expires_in": str(lifetime_seconds)}


def _oauth_error(status: int, error: str, description: str) -> ErrorResponse:
    return ErrorResponse(status, {"error": error, "error_description": description})

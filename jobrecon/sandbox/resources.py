"""The Talent API's resources: what each answers, and the gate (token, limits, faults) before all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from starlette.types import Receive, Scope, Send

from jobrecon.sandbox.applications import POSTING_STATUS, POSTINGS, TASKS, ApplicationState
from jobrecon.sandbox.jobs import status_record
from jobrecon.sandbox.queries import IDS_PER_CALL, QUERY_LIMIT_BYTES, read_ids
from jobrecon.sandbox.responses import (
    Refused,
    TooLarge,
    bad_request,
    drop_connection,
    read_body,
    refuse,
    send_answer,
    send_refusal,
    throttled,
)
from jobrecon.sandbox.tasks import OPERATIONS, TASK_LIFESPAN_SECONDS, TASK_URN_PREFIX
from jobrecon.sandbox.world import World

BODY_LIMIT_BYTES = 16 * 1024 * 1024
POSTINGS_PER_CALL = 100
EXTERNAL_ID_LIMIT = 200
OTHER_LOCATIONS_LIMIT = 100
POSTING_STATUS_CALL_LIMIT = 1_000_000
FORM = b"application/x-www-form-urlencoded"

Answer = Callable[[World, ApplicationState, "Asked"], dict[str, Any]]


@dataclass(slots=True)
class Asked:
    """A request that has passed the gate."""

    method: str
    headers: dict[bytes, bytes]
    query: bytes
    body: bytes

    def ids(self) -> list[str]:
        """The ids of a batch get, whether they come in the address or tunneled in the body."""
        if self.method == "GET":
            query = self.query
            if len(query) > QUERY_LIMIT_BYTES:
                raise refuse(414, "Request-URI Too Long")
        else:
            if self.headers.get(b"x-http-method-override", b"").upper() != b"GET":
                raise bad_request("POST needs the header X-HTTP-Method-Override: GET")
            if self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != FORM:
                raise refuse(415, "A tunneled query needs Content-Type: application/x-www-form-urlencoded")
            query = self.body
        try:
            ids = read_ids(query)
        except UnicodeDecodeError:
            raise bad_request("Batch key parameter value is invalid") from None
        if not ids:
            raise bad_request("Query parameter 'ids' is missing")
        if len(ids) > IDS_PER_CALL:
            raise bad_request(f"Too many ids: at most {IDS_PER_CALL} in one call")
        return ids


class Resource:
    """One resource of the API as an ASGI application: the gate, then its answer. Written close to the wire: it is benchmarked."""

    def __init__(self, world: World, name: str, answer: Answer, call_limit: int | None, *, is_versioned: bool = False) -> None:
        self.world = world
        self.name = name
        self.answer = answer
        self.call_limit = call_limit
        self.is_versioned = is_versioned

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        world, settings, strikes = self.world, self.world.faults, self.world.mischief.strikes
        headers = dict(scope["headers"])
        try:
            state = self._admit(headers)
            if settings.latency_seconds > 0:
                await asyncio.sleep(settings.latency_seconds)
            if strikes(settings.dropped_connection_rate):
                await drop_connection(receive, send)
                return
            if strikes(settings.error_5xx_rate):
                raise refuse(world.mischief.error_status(), "Internal Server Error")
            if strikes(settings.rate_429):
                raise throttled()
            method = scope["method"]
            body = b"" if method == "GET" else await read_body(receive, BODY_LIMIT_BYTES)
            answer = self.answer(world, state, Asked(method, headers, scope["query_string"], body))
            # Accepted postings are never spoilt: the partner would not learn of tasks that exist.
            wire = self._spoil(answer) if "results" in answer else orjson.dumps(answer)
        except Refused as refused:
            await send_refusal(send, refused)
        except TooLarge:
            await send_refusal(send, refuse(413, "Request Entity Too Large"))
        else:
            await send_answer(send, 200, wire)

    def _admit(self, headers: dict[bytes, bytes]) -> ApplicationState:
        """Whose call this is; counted against the application's day as soon as that is known, whatever becomes of it."""
        world = self.world
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        known = world.tokens.get(token) if scheme.lower() == "bearer" else None
        if known is None:
            raise refuse(401, "Invalid access token", 65600)
        state, expires_at = known
        calls = state.calls[self.name]
        used = calls.charge(world.seconds)
        if expires_at <= world.seconds:
            raise refuse(401, "The token used in the request has expired", 65602)
        if state.urn in world.faults.forbidden_applications:
            raise refuse(403, f"Not enough permissions to access: {self.name}", 100)
        if self.is_versioned and not headers.get(b"linkedin-version", b"").isdigit():
            raise bad_request("A version must be present. Please specify a version by adding the LinkedIn-Version header.")
        if self.call_limit is not None and used > self.call_limit:
            calls.refused += 1
            raise throttled()
        return state

    def _spoil(self, answer: dict[str, Any]) -> bytes:
        settings, mischief = self.world.faults, self.world.mischief
        if mischief.strikes(settings.wrong_shape_rate):
            return mischief.wrong_shape()
        if settings.per_id_error_rate > 0:
            for key in list(answer["results"]):
                if mischief.strikes(settings.per_id_error_rate):
                    _spoil_id(answer, key, mischief.id_error())
        if settings.percent_encode_keys:
            answer = {part: {quote(key, safe=""): value for key, value in answer[part].items()} for part in answer}
        wire = orjson.dumps(answer)
        return wire[: len(wire) // 2] if mischief.strikes(settings.cut_json_rate) else wire


def _spoil_id(answer: dict[str, Any], key: str, status: int) -> None:
    del answer["results"][key]
    if status > 0:
        answer["errors"][key] = {"status": status, "message": "Internal Server Error"}
    elif status < 0:
        answer["statuses"][key] = -status


def answer_tasks(world: World, state: ApplicationState, asked: Asked) -> dict[str, Any]:
    """simpleJobPostingTasks: what became of the tasks."""
    now = world.seconds
    oldest = now - TASK_LIFESPAN_SECONDS
    tasks = state.tasks
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    announced: list[str] = []
    for urn in asked.ids():
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
    if world.mischief.strikes(world.faults.unasked_key_rate):
        _add_unasked(world, state, results)
    return {"results": results, "statuses": {}, "errors": errors}


def _add_unasked(world: World, state: ApplicationState, results: dict[str, Any]) -> None:
    """A task of the application that was not asked for, or where there is none, one of a job nobody knows."""
    for urn in state.recent:
        if urn not in results:
            results[urn] = state.tasks[urn].result(world.seconds)
            return
    digits = world.mischief.draw_hex()
    urn = f"{TASK_URN_PREFIX}{digits[:8]}-{digits[8:12]}-4000-8000-{digits[:12]}"
    results[urn] = {"id": urn, "externalJobPostingId": f"not-ours-{digits[:6]}", "status": "SUCCEEDED"}


def answer_posting_status(world: World, state: ApplicationState, asked: Asked) -> dict[str, Any]:
    """jobPostingStatus: how the jobs stand."""
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for external_id in asked.ids():
        job = state.jobs.get(external_id)
        # A job of which nothing has taken effect yet is one that LinkedIn does not show.
        if job is not None and job.generation:
            results[external_id] = status_record(job)
        else:
            errors[external_id] = {"status": 404, "message": f"Job posting {external_id} is not found"}
    return {"results": results, "statuses": {}, "errors": errors}


def answer_postings(world: World, state: ApplicationState, asked: Asked) -> dict[str, Any]:
    """simpleJobPostings: accept operations on jobs, each by itself."""
    if asked.headers.get(b"x-restli-method", b"").lower() != b"batch_create":
        raise bad_request("The header X-RestLi-Method: batch_create is missing")
    try:
        body = orjson.loads(asked.body)
    except orjson.JSONDecodeError:
        raise bad_request("The body is not JSON") from None
    elements = body.get("elements") if isinstance(body, dict) else None
    if not isinstance(elements, list) or not elements:
        raise bad_request("The body needs a list of elements")
    if len(elements) > POSTINGS_PER_CALL:
        raise bad_request(f"Too many elements: at most {POSTINGS_PER_CALL} in one call")
    return {"elements": [_answer_posting(world, state, element) for element in elements]}


def _answer_posting(world: World, state: ApplicationState, element: Any) -> dict[str, Any]:
    fault = _find_fault(element)
    if fault is not None:
        return {"error": {"message": fault, "status": 422}, "status": 422}
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


def _find_fault(element: Any) -> str | None:
    """Why a posting cannot be accepted; None where it can."""
    if not isinstance(element, dict):
        return "An element must be an object"
    external_id = element.get("externalJobPostingId")
    if not isinstance(external_id, str) or not external_id.strip():
        return "externalJobPostingId is required"
    if len(external_id) > EXTERNAL_ID_LIMIT:
        return f"externalJobPostingId is longer than {EXTERNAL_ID_LIMIT} characters"
    if element.get("jobPostingOperationType") not in OPERATIONS:
        return f"jobPostingOperationType must be one of {', '.join(OPERATIONS)}"
    for name in ("title", "location"):
        if element.get(name) is not None and not isinstance(element[name], str):
            return f"{name} must be text"
    others = element.get("alternateLocations")
    if others is not None and (not isinstance(others, list) or not all(isinstance(each, str) and each for each in others)):
        return "alternateLocations must be a list of texts"
    if others is not None and len(others) > OTHER_LOCATIONS_LIMIT:
        return f"alternateLocations holds more than {OTHER_LOCATIONS_LIMIT} places"
    return None


def api_resources(world: World) -> list[tuple[str, list[str], Resource]]:
    """Path, methods and application of every resource."""
    limit = world.call_limit
    return [
        (f"/v2/{TASKS}", ["GET", "POST"], Resource(world, TASKS, answer_tasks, limit)),
        (f"/rest/{TASKS}", ["GET", "POST"], Resource(world, TASKS, answer_tasks, limit, is_versioned=True)),
        (f"/v2/{POSTINGS}", ["POST"], Resource(world, POSTINGS, answer_postings, None)),
        (f"/v2/{POSTING_STATUS}", ["GET", "POST"], Resource(world, POSTING_STATUS, answer_posting_status, POSTING_STATUS_CALL_LIMIT)),
    ]

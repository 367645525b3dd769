"""The endpoints of LinkedIn that the sandbox serves: the Talent API's resources and the token endpoint."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobrecon.sandbox.applications import POSTING_STATUS, POSTINGS, TASKS, WEBHOOKS, ApplicationState
from jobrecon.sandbox.gate import ApiRequest, ErrorResponse, Resource, bad_request, error_response, is_form, json_response, read_body
from jobrecon.sandbox.jobs import Content, status_record
from jobrecon.sandbox.tasks import OPERATIONS, TASK_LIFESPAN_SECONDS, TASK_URN_PREFIX
from jobrecon.sandbox.world import World

TOKEN_BODY_LIMIT_BYTES = 64 * 1024
MAX_POSTINGS_PER_CALL = 100
MAX_EXTERNAL_ID_LENGTH = 200
MAX_ALTERNATE_LOCATIONS = 100
MAX_STATUS_IDS_PER_CALL = 100
MANDATORY = ("externalJobPostingId", "jobPostingOperationType", "title", "description", "location", "listedAt", "companyApplyUrl")
NUMBERS = ("listedAt", "expireAt")
TEXTS = ("title", "description", "location", "companyApplyUrl", "listingType")
WEBHOOK_STATUS = re.compile(r"webhookStatus:(\w+)")


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
    for external_id in request.read_ids(MAX_STATUS_IDS_PER_CALL):
        job = state.jobs.get(external_id)
        # LinkedIn shows no job before an operation on it has taken effect.
        if job is not None and job.generation:
            results[external_id] = status_record(job, world.faults.company_details)
        elif not world.faults.omit_unknown_ids or request.key is not None:
            errors[external_id] = {"status": 404, "message": f"Job posting {external_id} is not found"}
    return {"results": results, "statuses": {}, "errors": errors}


def create_postings(world: World, state: ApplicationState, request: ApiRequest) -> dict[str, Any]:
    """simpleJobPostings: accept operations on jobs, each by itself."""
    if request.headers.get("x-restli-method", "").lower() != "batch_create":
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
    seen: set[Any] = set()
    return {"elements": [_create_posting(world, state, element, seen) for element in elements]}


def _create_posting(world: World, state: ApplicationState, element: Any, seen: set[Any]) -> dict[str, Any]:
    problem = _validate_posting(element)
    if problem is None and element["externalJobPostingId"] in seen:
        problem = f"ERROR :: /externalJobPostingId :: {element['externalJobPostingId']} is in this request more than once"
    if problem is not None:
        return {"error": {"message": problem, "status": 422}, "status": 422}
    seen.add(element["externalJobPostingId"])
    others = element.get("alternateLocations")
    expire_at = element.get("expireAt")
    listing_type = element.get("listingType")
    task = world.submit(
        state,
        external_id=element["externalJobPostingId"],
        operation=element["jobPostingOperationType"],
        title=element.get("title"),
        location=element.get("location"),
        other_locations=None if others is None else tuple(dict.fromkeys(each for each in others if each != element.get("location"))),
        content=Content(
            description_length=len(element["description"]),
            apply_url=element["companyApplyUrl"],
            expire_at=None if expire_at is None else expire_at / 1000,
            is_premium=None if listing_type is None else listing_type == "PREMIUM",
        ),
    )
    return {"location": f"/simpleJobPostings/{quote(task.urn, safe='')}", "status": 202, "id": task.urn}


def _validate_posting(element: Any) -> str | None:
    """Why a posting is refused, in the words of LinkedIn's schema validation; None where it is accepted."""
    if not isinstance(element, dict):
        return f"ERROR ::  :: {_shown(element)} is not a record"
    missing = [name for name in MANDATORY if element.get(name) is None]
    if missing:
        return "\n".join(f"ERROR :: /{name} :: field is required but not found and has no default value" for name in missing)
    external_id, operation = element["externalJobPostingId"], element["jobPostingOperationType"]
    if not isinstance(external_id, str):
        return f"ERROR :: /externalJobPostingId :: {_shown(external_id)} cannot be coerced to String"
    if not external_id.strip() or len(external_id) > MAX_EXTERNAL_ID_LENGTH:
        return f'ERROR :: /externalJobPostingId :: length of "{external_id}" is out of range 1...{MAX_EXTERNAL_ID_LENGTH}'
    if operation not in OPERATIONS:
        return f"ERROR :: /jobPostingOperationType :: {_shown(operation)} is not an enum symbol"
    for names, kind, title in ((TEXTS, str, "String"), (NUMBERS, int, "Long")):
        for name in names:
            value = element.get(name)
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                return f"ERROR :: /{name} :: {_shown(value)} cannot be coerced to {title}"
    others = element.get("alternateLocations")
    if others is not None and (not isinstance(others, list) or not all(isinstance(each, str) and each for each in others)):
        return f"ERROR :: /alternateLocations :: {_shown(others)} is not an array of String"
    if others is not None and len(others) > MAX_ALTERNATE_LOCATIONS:
        return f"ERROR :: /alternateLocations :: more than {MAX_ALTERNATE_LOCATIONS} locations"
    return None


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()


def get_webhooks(world: World, state: ApplicationState, request: ApiRequest) -> dict[str, Any]:
    """developerWebhooks: the state of the webhook of each child application, for the parent."""
    if state is not world.parent:
        raise error_response(403, f"Not enough permissions to access: {WEBHOOKS}.FINDER-parentApplication", 100)
    query = parse_qs(request.query.decode())
    if query.get("q") != ["parentApplication"]:
        raise bad_request("Query parameter 'q' must be parentApplication")
    wanted = WEBHOOK_STATUS.search(query.get("queryCriteria", [""])[0])
    elements = [
        {
            "developerApplication": each.urn,
            "webhookUrl": world.webhook_url,
            "webhookStatus": "BLOCKED" if each.webhooks.is_blocked else "ACTIVE",
        }
        for each in world.applications.values()
        if world.webhook_url is not None
    ]
    elements = [each for each in elements if wanted is None or each["webhookStatus"] == wanted.group(1)]
    return {"paging": {"start": 0, "count": 10, "links": []}, "elements": elements}


def api_routes(world: World) -> list[Route]:
    """The routes of LinkedIn's API."""
    routes = []
    for base, is_versioned in (("/v2", False), ("/rest", True)):
        tasks = Resource(world, TASKS, get_tasks, is_versioned=is_versioned).serve
        postings = Resource(world, POSTINGS, create_postings, is_versioned=is_versioned).serve
        routes += [
            Route(f"{base}/{TASKS}", tasks, methods=["GET", "POST"]),
            Route(f"{base}/{TASKS}/{{key:path}}", tasks, methods=["GET"]),
            Route(f"{base}/{POSTINGS}", postings, methods=["POST"]),
        ]
    status = Resource(world, POSTING_STATUS, get_posting_status).serve
    return [
        *routes,
        Route(f"/v2/{POSTING_STATUS}", status, methods=["GET", "POST"]),
        Route(f"/v2/{POSTING_STATUS}/{{key:path}}", status, methods=["GET"]),
        Route(f"/v2/{WEBHOOKS}", Resource(world, WEBHOOKS, get_webhooks).serve, methods=["GET"]),
        Route("/oauth/v2/accessToken", partial(issue_token, world), methods=["POST"]),
    ]


async def issue_token(world: World, request: Request) -> Response:
    """A token for a client's id and secret. `expires_in` is text, as in LinkedIn's own sample."""
    body = await read_body(request, TOKEN_BODY_LIMIT_BYTES, _oauth_error(413, "invalid_request", "The request is too large"))
    if world.faults.latency_seconds > 0:
        await asyncio.sleep(world.faults.latency_seconds)
    if world.injector.occurs(world.faults.token_error_rate):
        raise _oauth_error(503, "temporarily_unavailable", "The service is temporarily unavailable")
    if not is_form(request.headers):
        raise _oauth_error(400, "invalid_request", "The request needs a form body")
    return json_response(_grant(world, body))


def _grant(world: World, body: bytes) -> dict[str, str]:
    try:
        form = dict(parse_qsl(body.decode(), errors="strict"))
    except ValueError:
        raise _oauth_error(400, "invalid_request", "The form body cannot be read") from None
    for name in ("grant_type", "client_id", "client_secret"):
        if not form.get(name):
            raise _oauth_error(400, "invalid_request", f'A required parameter "{name}" is missing')
    if form["grant_type"] != "client_credentials":
        raise _oauth_error(400, "unsupported_grant_type", "The grant type is not supported")
    known = [*world.applications.values(), *([world.parent] if world.parent else [])]
    for state in known:
        if state.application.client_id == form["client_id"] and form["client_secret"] in state.application.client_secrets:
            break
    else:
        raise _oauth_error(401, "invalid_client", "Client authentication failed")
    if state.urn in world.faults.denied_token_applications:
        raise _oauth_error(401, "access_denied", "This application is not allowed to create application tokens")
    token, lifetime_seconds = world.issue_token(state)
    return {"access_token": token, "expires_in": str(lifetime_seconds)}


def _oauth_error(status: int, error: str, description: str) -> ErrorResponse:
    return ErrorResponse(status, {"error": error, "error_description": description})

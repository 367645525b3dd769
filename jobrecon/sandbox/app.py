"""The sandbox as an HTTP application: LinkedIn's endpoints, and control endpoints for clock, faults, webhook and state."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from jobrecon.sandbox.applications import TASKS, ApplicationState, SandboxApplication
from jobrecon.sandbox.gate import ErrorResponse, bad_request, error_response, json_response
from jobrecon.sandbox.resources import api_routes
from jobrecon.sandbox.webhooks import WebhookSender
from jobrecon.sandbox.world import World

MAX_ADVANCE_SECONDS = 10 * 366 * 86_400
MAX_TIMESTAMP = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def create_app(world: World) -> Starlette:
    """Serve `world`. Its clock moves by POST /control/clock and, where it is ticking, with real time."""
    sender = WebhookSender(world)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sender.running():
            yield

    return Starlette(
        routes=[*api_routes(world), *_control_routes(world, sender)],
        exception_handlers={HTTPException: _handle_error, ClientDisconnect: _handle_gone},
        lifespan=lifespan,
    )


def serve_sandbox(
    host: str,
    port: int,
    applications: Sequence[SandboxApplication],
    webhook_url: str | None = None,
    seed: int = 1,
    *,
    parent: SandboxApplication | None = None,
    ticking: bool = True,
) -> None:
    """Serve a new world from now on until interrupted. Prints nothing."""
    world = World(applications, datetime.now(UTC), seed, webhook_url, parent, ticking=ticking)
    uvicorn.run(create_app(world), host=host, port=port, log_level="critical", access_log=False)


def _control_routes(world: World, sender: WebhookSender) -> list[Route]:
    """The routes under /control, which LinkedIn does not have."""

    async def clock(request: Request) -> Response:
        body = await _read_object(request)
        if "advance_seconds" in body:
            seconds = _parse_seconds(body["advance_seconds"])
            if world.seconds + seconds > MAX_TIMESTAMP:
                raise bad_request("the sandbox's time ends with the year 9000")
            await sender.advance(seconds)
        elif not await sender.advance_to(_parse_timestamp(body.get("now"), world)):
            raise bad_request(f"the clock does not run backwards; it is {world.now.isoformat()}")
        return json_response({"now": world.now.isoformat()})

    async def faults(request: Request) -> Response:
        try:
            world.faults.update(await _read_object(request))
        except ValueError as error:
            raise bad_request(str(error)) from None
        if world.faults.expire_tokens_now:
            world.expire_tokens()
            world.faults.expire_tokens_now = False
        return json_response(asdict(world.faults))

    async def webhook(request: Request) -> Response:
        url = (await _read_object(request)).get("webhook_url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise bad_request("webhook_url must be an http address")
        world.register_webhook(url)
        return json_response({"webhook_url": url})

    async def state(request: Request) -> Response:
        applications = {urn: _describe(each, world) for urn, each in world.applications.items()}
        return json_response({"now": world.now.isoformat(), "webhook_url": world.webhook_url, "applications": applications})

    async def tasks(request: Request) -> Response:
        urn = request.query_params.get("application")
        if urn is not None and urn not in world.applications:
            raise error_response(404, f"no application {urn}")
        states = world.applications.values() if urn is None else [world.applications[urn]]
        rows = [world.task_row(each, task) for each in states for task in each.tasks.values() if task.announced_by is None]
        return json_response(rows)

    return [
        Route("/control/clock", clock, methods=["POST"]),
        Route("/control/faults", faults, methods=["POST"]),
        Route("/control/webhook", webhook, methods=["POST"]),
        Route("/control/state", state, methods=["GET"]),
        Route("/control/tasks", tasks, methods=["GET"]),
    ]


async def _handle_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = error.body if isinstance(error, ErrorResponse) else {"message": error.detail, "status": error.status_code}
    return json_response(body, error.status_code, error.headers)


async def _handle_gone(_request: Request, _error: Exception) -> Response:
    """Nobody reads it: the client went away while it was sending."""
    return Response(status_code=400)


def _describe(state: ApplicationState, world: World) -> dict[str, Any]:
    calls = state.calls[TASKS]
    return {
        "calls_today": calls.today_at(world.seconds),
        "calls_total": calls.total,
        "calls_refused": calls.refused,
        "calls_throttled": calls.throttled,
        "calls": {name: {"today": each.today_at(world.seconds), "total": each.total} for name, each in state.calls.items()},
        "tokens_issued": state.tokens_issued,
        "tasks": dict(Counter(task.status_at(world.seconds) for task in state.tasks.values())),
        "jobs": dict(Counter(job.listing[0] if job.listing else "UNKNOWN" for job in state.jobs.values())),
        "webhooks": asdict(state.webhooks),
    }


async def _read_object(request: Request) -> dict[str, Any]:
    try:
        content = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise bad_request("the body is not JSON") from None
    if not isinstance(content, dict):
        raise bad_request("the body must be a JSON object")
    return content


def _parse_seconds(value: Any) -> float:
    # A NaN is not within the bounds either.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_ADVANCE_SECONDS:
        raise bad_request(f"advance_seconds must be a number from 0 to {MAX_ADVANCE_SECONDS}")
    return float(value)


def _parse_timestamp(value: Any, world: World) -> float:
    try:
        timestamp = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise bad_request('give {"advance_seconds": n} or {"now": an ISO 8601 timestamp}') from None
    if timestamp.tzinfo is None:
        raise bad_request("now needs an offset, such as +00:00")
    if timestamp.timestamp() > min(world.seconds + MAX_ADVANCE_SECONDS, MAX_TIMESTAMP):
        raise bad_request("now is more than ten years away")
    return timestamp.timestamp()

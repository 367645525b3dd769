"""The control panel: what LinkedIn does not have. Clock, faults, registration, and a look at the state."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobrecon.sandbox.applications import TASKS, ApplicationState
from jobrecon.sandbox.responses import Refused, bad_request, refuse
from jobrecon.sandbox.webhooks import WebhookSender
from jobrecon.sandbox.world import World

FARTHEST_ADVANCE_SECONDS = 10 * 366 * 86_400
LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def control_routes(world: World, sender: WebhookSender) -> list[Route]:
    """The routes under /control."""

    async def clock(request: Request) -> Response:
        settings = await _read_object(request)
        if "advance_seconds" in settings:
            seconds = _read_seconds(settings["advance_seconds"])
            if world.seconds + seconds > LAST_MOMENT:
                raise bad_request("the sandbox's time ends with the year 9000")
            await sender.advance(seconds)
        elif not await sender.advance_to(_read_moment(settings.get("now"), world)):
            raise bad_request(f"the clock does not run backwards; it is {world.now.isoformat()}")
        return _json({"now": world.now.isoformat()})

    async def misbehave(request: Request) -> Response:
        try:
            world.faults.merge(await _read_object(request))
        except ValueError as error:
            raise bad_request(str(error)) from None
        if world.faults.expire_tokens_now:
            world.expire_tokens()
            world.faults.expire_tokens_now = False
        return _json(asdict(world.faults))

    async def register(request: Request) -> Response:
        url = (await _read_object(request)).get("webhook_url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise bad_request("webhook_url must be an http address")
        world.register_webhook(url)
        return _json({"webhook_url": url})

    async def state(request: Request) -> Response:
        applications = {urn: _describe(each, world) for urn, each in world.applications.items()}
        return _json({"now": world.now.isoformat(), "webhook_url": world.webhook_url, "applications": applications})

    async def tasks(request: Request) -> Response:
        urn = request.query_params.get("application")
        if urn is not None and urn not in world.applications:
            raise refuse(404, f"no application {urn}")
        states = world.applications.values() if urn is None else [world.applications[urn]]
        rows = [world.task_row(each, task) for each in states for task in each.tasks.values() if task.announced_by is None]
        return _json(rows)

    return [
        Route("/control/clock", clock, methods=["POST"]),
        Route("/control/misbehave", misbehave, methods=["POST"]),
        Route("/control/register", register, methods=["POST"]),
        Route("/control/state", state, methods=["GET"]),
        Route("/control/tasks", tasks, methods=["GET"]),
    ]


async def answer_refused(request: Request, refused: Exception) -> Response:
    """Exception handler for what the control panel refuses."""
    assert isinstance(refused, Refused)
    return _json(refused.body, refused.status)


def _describe(state: ApplicationState, world: World) -> dict[str, Any]:
    calls = state.calls[TASKS]
    return {
        "calls_today": calls.today_at(world.seconds),
        "calls_total": calls.total,
        "calls_refused": calls.refused,
        "calls": {name: {"today": each.today_at(world.seconds), "total": each.total} for name, each in state.calls.items()},
        "tokens_issued": state.tokens_issued,
        "tasks": dict(Counter(task.status_at(world.seconds) for task in state.tasks.values())),
        "jobs": dict(Counter(job.listing[0] if job.listing else "UNKNOWN" for job in state.jobs.values())),
        "webhooks": asdict(state.webhooks),
    }


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


async def _read_object(request: Request) -> dict[str, Any]:
    try:
        content = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise bad_request("the body is not JSON") from None
    if not isinstance(content, dict):
        raise bad_request("the body must be a JSON object")
    return content


def _read_seconds(value: Any) -> float:
    # A NaN is not within the bounds either.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= FARTHEST_ADVANCE_SECONDS:
        raise bad_request(f"advance_seconds must be a number from 0 to {FARTHEST_ADVANCE_SECONDS}")
    return float(value)


def _read_moment(value: Any, world: World) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise bad_request('give {"advance_seconds": n} or {"now": an ISO 8601 moment}') from None
    if moment.tzinfo is None:
        raise bad_request("now needs an offset, such as +00:00")
    if moment.timestamp() > min(world.seconds + FARTHEST_ADVANCE_SECONDS, LAST_MOMENT):
        raise bad_request("now is more than ten years away")
    return moment.timestamp()

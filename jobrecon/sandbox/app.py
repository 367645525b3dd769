"""The sandbox as an application: LinkedIn's endpoints, the control panel, and the sender behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobrecon.sandbox.applications import SandboxApplication
from jobrecon.sandbox.control import answer_refused, control_routes
from jobrecon.sandbox.resources import api_resources
from jobrecon.sandbox.responses import Refused
from jobrecon.sandbox.tokens import TokenEndpoint
from jobrecon.sandbox.webhooks import WebhookSender
from jobrecon.sandbox.world import World


def create_app(world: World) -> Starlette:
    """Serve `world`. Its clock moves by POST /control/clock and, where it is ticking, with real time."""
    sender = WebhookSender(world)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sender.running():
            yield

    resources = [Route(path, resource, methods=methods) for path, methods, resource in api_resources(world)]
    token = Route("/oauth/v2/accessToken", TokenEndpoint(world), methods=["POST"])
    return Starlette(
        routes=[*resources, token, *control_routes(world, sender)],
        exception_handlers={HTTPException: _answer_http_exception, Refused: answer_refused},
        lifespan=lifespan,
    )


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = orjson.dumps({"message": error.detail, "status": error.status_code})
    return Response(body, error.status_code, headers=dict(error.headers or {}), media_type="application/json")


def serve_sandbox(
    host: str,
    port: int,
    applications: Sequence[SandboxApplication],
    webhook_url: str | None = None,
    seed: int = 1,
    *,
    parent_secret: str | None = None,
    ticking: bool = True,
) -> None:
    """Serve a new world from this moment on until interrupted. Prints nothing."""
    world = World(applications, datetime.now(UTC), seed, webhook_url, parent_secret, ticking=ticking)
    uvicorn.run(create_app(world), host=host, port=port, log_level="critical", access_log=False)

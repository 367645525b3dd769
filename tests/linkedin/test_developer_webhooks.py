"""Blocked webhooks as LinkedIn reports them to the parent application."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jobrecon.applications import Parent
from jobrecon.errors import LinkedInUnreachable
from jobrecon.linkedin.developer_webhooks import fetch_blocked_webhooks
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.retry import Backoff
from jobrecon.sandbox import SandboxApplication
from tests.linkedin.conftest import ACME, PollingHarness, Serve, make_world
from tests.linkedin.fakes import error_response

PARENT = Parent(["env:PARENT_SECRET"], {"PARENT_SECRET": "parent-secret"}, "78parent")
ADDRESS = "https://partner.example/webhook"


class FakeWebhooks(Starlette):
    """Responds to calls of `developerWebhooks` as configured."""

    def __init__(self, respond: Callable[[Request], Response], grant: Callable[[], Response] | None = None) -> None:
        super().__init__(
            routes=[Route("/v2/developerWebhooks", self._respond), Route("/oauth/v2/accessToken", self._grant, methods=["POST"])]
        )
        self.respond = respond
        self.grant = grant or (lambda: JSONResponse({"access_token": "parent-token", "expires_in": "1800"}))
        self.requests: list[Request] = []

    def _respond(self, request: Request) -> Response:
        self.requests.append(request)
        return self.respond(request)

    def _grant(self, request: Request) -> Response:
        return self.grant()


def fetch(harness: PollingHarness, parent: Parent | None = PARENT) -> list[str] | None:
    async def fetch_once() -> list[str] | None:
        async with HttpClient() as http:
            return await fetch_blocked_webhooks(parent, harness.settings, harness.engine, http, harness.clock)

    return asyncio.run(fetch_once())


ELEMENTS: list[tuple[list[Any], list[str]]] = [
    ([], []),
    ([{"webhookUrl": ADDRESS, "webhookStatus": "BLOCKED"}], [ADDRESS]),
    ([{"developerApplication": "urn:li:developerApplication:1", "url": ADDRESS, "status": "BLOCKED"}, {"url": ADDRESS}], [ADDRESS]),
    ([{"webhookUrl": ADDRESS, "webhookStatus": "ACTIVE"}], []),
    ([{"id": "w-1", "webhookStatus": "BLOCKED"}], ["w-1"]),
]


@pytest.mark.parametrize(("elements", "addresses"), ELEMENTS)
def test_blocked_webhooks_are_read_with_the_parents_token(serve: Serve, elements: list[Any], addresses: list[str]) -> None:
    fake = FakeWebhooks(lambda request: JSONResponse({"paging": {"start": 0, "count": 10, "links": []}, "elements": elements}))
    assert fetch(serve(fake)) == addresses
    (request,) = fake.requests
    assert request.scope["query_string"] == b"q=parentApplication&queryCriteria=(webhookStatus:BLOCKED)"
    assert request.headers["x-restli-protocol-version"] == "2.0.0"
    assert request.headers["authorization"] == "Bearer parent-token"


def test_the_sandbox_reports_its_blocked_webhooks(serve: Serve) -> None:
    world = make_world(parent=SandboxApplication("urn:li:developerApplication:1", "78parent", ["parent-secret"]), webhook_url=ADDRESS)
    harness = serve(world)
    assert fetch(harness) == []
    world.applications[ACME].webhooks.is_blocked = True
    assert fetch(harness) == [ADDRESS]


@pytest.mark.parametrize("parent", [None, Parent(["env:PARENT_SECRET"], {"PARENT_SECRET": "parent-secret"})])
def test_without_the_parents_client_id_nothing_is_sent(serve: Serve, parent: Parent | None) -> None:
    fake = FakeWebhooks(lambda request: error_response(500))
    assert fetch(serve(fake), parent) is None
    assert fake.requests == []


def test_without_access_nothing_is_known(serve: Serve) -> None:
    assert fetch(serve(FakeWebhooks(lambda request: error_response(403)))) is None


def test_without_a_token_nothing_is_known(serve: Serve) -> None:
    refused = JSONResponse({"error": "access_denied", "error_description": "not allowed"}, 401)
    assert fetch(serve(FakeWebhooks(lambda request: error_response(500), lambda: refused))) is None


def test_a_response_that_is_none_is_retried_and_then_an_error(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (3, 0.01, 0.02))
    fake = FakeWebhooks(lambda request: JSONResponse({"elements": []}) if len(fake.requests) > 2 else JSONResponse(["Bad Gateway"]))
    assert fetch(serve(fake)) == []
    fake = FakeWebhooks(lambda request: error_response(429))
    with pytest.raises(LinkedInUnreachable, match="HTTP 429"):
        fetch(serve(fake))
    assert len(fake.requests) == 3

"""The token endpoint: OAuth 2 client credentials."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from jobrecon.sandbox.responses import Refused, TooLarge, read_body, send_answer, send_refusal
from jobrecon.sandbox.world import World

FORM = b"application/x-www-form-urlencoded"
BODY_LIMIT_BYTES = 64 * 1024


def _oauth_error(status: int, error: str, description: str) -> Refused:
    return Refused(status, {"error": error, "error_description": description})


class TokenEndpoint:
    """Gives a token for a client's id and secret. `expires_in` is text, as in LinkedIn's own sample."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings = self.world.faults
        try:
            body = await read_body(receive, BODY_LIMIT_BYTES)
            if settings.latency_seconds > 0:
                await asyncio.sleep(settings.latency_seconds)
            if self.world.mischief.strikes(settings.token_error_rate):
                raise _oauth_error(503, "temporarily_unavailable", "The service is temporarily unavailable")
            content_type = dict(scope["headers"]).get(b"content-type", b"")
            answer = self._grant(body, content_type)
        except Refused as refused:
            await send_refusal(send, refused)
        except TooLarge:
            await send_refusal(send, _oauth_error(413, "invalid_request", "The request is too large"))
        else:
            await send_answer(send, 200, orjson.dumps(answer))

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
        token, life_seconds = self.world.issue_token(state)
        return {"access_token": token, "expires_in": str(life_seconds)}

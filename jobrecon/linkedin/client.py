"""Calls to one batch resource of LinkedIn's API: admit, charge, send, parse; retry what may pass."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine

from jobrecon.applications import Application
from jobrecon.clock import Clock
from jobrecon.errors import AccessDenied, BatchRefused, CredentialsRefused, LinkedInError, LinkedInUnreachable, Throttled, VersionRefused
from jobrecon.linkedin.batches import build_query
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.responses import MalformedResponse, decode_object
from jobrecon.linkedin.retry import TRANSIENT_ERRORS, Backoff, describe, redact_json
from jobrecon.linkedin.throttle import Throttle
from jobrecon.linkedin.tokens import TokenCache
from jobrecon.secrets import redact
from jobrecon.settings import Settings

REFUSES_VERSION = re.compile(
    r"\bversion\b.*\b(not active|inactive|invalid|not valid|deprecated|sunset|retired|not supported|unsupported|not exist)"
    r"|[A-Z]+_VERSION\b|\bversion must be present",
    re.IGNORECASE | re.DOTALL,
)
"""LinkedIn's text about a version it does not serve."""

INVALID_KEY_MESSAGE = "key parameter value is invalid"
"""In LinkedIn's text about a batch that holds an id it does not accept. Any other text may be about the request as a whole."""

T = TypeVar("T")


class ResourceClient:
    """One application's calls to one resource, from however many workers."""

    def __init__(
        self,
        application: Application,
        settings: Settings,
        engine: Engine,
        http: httpx.AsyncClient,
        clock: Clock,
        resource: str,
        call_limit: int,
        version: str = "",
    ) -> None:
        self.application = application
        self.version = version
        self.url = f"{settings.api_url.rstrip('/')}/{'rest' if version else 'v2'}/{resource}"
        self.query_limit_bytes = settings.query_string_limit
        self.ledger = CallLedger(engine, application.urn, call_limit, clock, resource)
        self.throttle = Throttle(self.ledger)
        self.tokens = TokenCache(application, settings.token_url, engine, http, clock)
        self.http = http

    async def fetch(self, ids: Sequence[str], parse: Callable[[bytes, Sequence[str]], T]) -> T:
        """The parsed response about a batch of ids.

        Raises `BatchRefused` where some id may be the reason, and any other `LinkedInError` for what concerns the application
        as a whole: credentials, access, budget, throttling, version, an API that cannot be reached.
        """
        backoff = Backoff()
        query = build_query(ids)
        is_tunneled = len(query) > self.query_limit_bytes
        token = await self.tokens.get()
        is_token_renewed = False
        while True:
            try:
                response = await self._send(query, token, is_tunneled)
                status = response.status_code
                if status == 200:
                    return parse(redact_json(response.content, token), ids)
                if status == 429:
                    continue
                if status == 401 and not is_token_renewed:
                    token, is_token_renewed = await self.tokens.renew(refused=token), True
                    continue
                if status == 414 and not is_tunneled:
                    # The limit is lower than configured: nothing is wrong with the ids, and later calls take it into account.
                    is_tunneled = True
                    self.query_limit_bytes = min(self.query_limit_bytes, len(query) - 1)
                    continue
                if status < 500:
                    raise self._explain_refusal(response, ids)
                problem = f"HTTP {status}"
            except TRANSIENT_ERRORS as error:
                problem = describe(error)
            except MalformedResponse as error:
                problem = str(error)
            if not await backoff.wait():
                raise LinkedInUnreachable(
                    f"LinkedIn gives no response to {self.application.urn} ({self.application.customer}) at {self.url}: "
                    f"{redact(problem)}. What was received is saved, everything else stays as it is and is fetched by the next "
                    "run. Check the network, then LinkedIn's status.",
                    application_urn=self.application.urn,
                )

    async def _send(self, query: str, token: SecretStr, is_tunneled: bool) -> httpx.Response:
        """Send one call, once it is admitted and charged. A 429 is recorded before others are admitted."""
        while True:
            async with self.throttle.admit() as is_probe:
                try:
                    await (self.ledger.charge_probe() if is_probe else self.ledger.charge())
                except Throttled:
                    # By another process, after this one was admitted.
                    self.throttle.forget()
                    continue
                sent_at = self.ledger.clock()
                response = await self.http.send(self._build_request(query, token, is_tunneled))
                if response.status_code == 429:
                    await self.throttle.record(response, sent_at, is_probe=is_probe)
                elif is_probe and response.status_code < 500:
                    await self.throttle.clear()
                return response

    def _build_request(self, query: str, token: SecretStr, is_tunneled: bool) -> httpx.Request:
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        if self.version:
            headers["LinkedIn-Version"] = self.version
        if not is_tunneled:
            return self.http.build_request("GET", f"{self.url}?{query}", headers=headers)
        # Longer than a query string may be: the same batch get as a POST.
        headers |= {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
        return self.http.build_request("POST", self.url, headers=headers, content=query)

    def _explain_refusal(self, response: httpx.Response, ids: Sequence[str]) -> LinkedInError:
        urn, customer, status = self.application.urn, self.application.customer, response.status_code
        message = redact(_read_message(response.content))[:500]
        concerns: dict[str, Any] = {"application_urn": urn, "status": status}
        if status == 426 or (status == 400 and REFUSES_VERSION.search(response.text)):
            tried = f"version {self.version} of its API (JOBRECON_API_VERSION)" if self.version else "its API without a version"
            return VersionRefused(
                f"LinkedIn does not serve {tried} to {urn} ({customer}), HTTP {status}: {message}. Everything stays as it is. "
                "Set JOBRECON_API_VERSION to a version that LinkedIn's documentation names as active, as YYYYMM"
                f"{', or unset it to call /v2' if self.version else ''}.",
                **concerns,
            )
        if status in (400, 414):
            return BatchRefused(message, task_urns=ids, **concerns)
        if status == 401:
            return CredentialsRefused(
                f"LinkedIn does not accept the fresh token of {urn} ({customer}): {message}. Everything stays as it is. "
                "Check in LinkedIn's developer portal that the application is active.",
                **concerns,
            )
        return AccessDenied(
            f"LinkedIn refuses {urn} ({customer}) with HTTP {status} at {self.url}: {message}. Everything stays as it is. "
            "Check that the application has access to the Job Posting API, and JOBRECON_API_URL.",
            **concerns,
        )


def _read_message(body: bytes) -> str:
    """LinkedIn's own text about an error."""
    with suppress(MalformedResponse):
        if isinstance(message := decode_object(body).get("message"), str):
            return message
    return body.decode("utf-8", "replace").strip() or "no message"

"""Calls to one batch resource of LinkedIn's API: charge, send, parse; retry what may pass."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx
import orjson
from pydantic import SecretStr

from jobrecon.applications import Application
from jobrecon.errors import AccessDenied, BatchRefused, CredentialsRefused, LinkedInError, LinkedInUnreachable
from jobrecon.linkedin.batches import build_query
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.responses import MalformedResponse
from jobrecon.linkedin.retry import TRANSIENT_ERRORS, Backoff, describe, redact
from jobrecon.linkedin.tokens import TokenCache

THROTTLED = "HTTP 429"

T = TypeVar("T")


class ResourceClient:
    """One application's calls to one resource, from however many workers."""

    def __init__(
        self, application: Application, url: str, query_limit_bytes: int, ledger: CallLedger, tokens: TokenCache, http: httpx.AsyncClient
    ) -> None:
        self.application = application
        self.url = url
        self.query_limit_bytes = query_limit_bytes
        self.ledger = ledger
        self.tokens = tokens
        self.http = http
        self._throttle_lock = asyncio.Lock()
        self._throttled_at = 0.0
        self._throttle_backoff = Backoff()
        """For 429, shared by all workers; new after each response."""

    async def fetch(self, ids: Sequence[str], parse: Callable[[bytes, Sequence[str]], T]) -> T:
        """The parsed response about a batch of ids.

        Raises `BatchRefused` where some id may be the reason, and any other `LinkedInError` for what concerns the application
        as a whole: credentials, access, budget, an API that cannot be reached.
        """
        backoff = Backoff()
        query = build_query(ids)
        is_tunneled = len(query) > self.query_limit_bytes
        token = await self.tokens.get()
        is_token_renewed = False
        day = self.ledger.clock().date()
        problems: list[str] = []
        while True:
            async with self._throttle_lock:
                pass  # while one worker waits out a 429, the others wait with it
            sent_at = time.monotonic()
            await self.ledger.charge()
            try:
                response = await self.http.send(self._build_request(query, token, is_tunneled))
                status = response.status_code
                if status == 200:
                    parsed = parse(response.content, ids)
                    self._throttle_backoff = Backoff()
                    return parsed
                if status == 401 and not is_token_renewed:
                    token, is_token_renewed = await self.tokens.renew(refused=token), True
                    continue
                if status == 414 and not is_tunneled:
                    # The limit is lower than configured: nothing is wrong with the ids, and later calls take it into account.
                    is_tunneled = True
                    self.query_limit_bytes = min(self.query_limit_bytes, len(query) - 1)
                    continue
                if status < 500 and status != 429:
                    raise self._explain_refusal(response, ids, token)
                problems.append(THROTTLED if status == 429 else f"HTTP {status}")
                if status == 429:
                    if await self._wait_out_throttling(sent_at):
                        continue
                    break
            except TRANSIENT_ERRORS as error:
                problems.append(describe(error))
            except MalformedResponse as error:
                problems.append(str(error))
            if not await backoff.wait():
                break
        if set(problems) == {THROTTLED}:
            # LinkedIn does not say whether it means the day; it lasted, so the application makes no calls until 00:00 UTC.
            await self.ledger.mark_exhausted(day)
            raise self.ledger.explain_exhausted()
        raise LinkedInUnreachable(
            f"LinkedIn gives no response to {self.application.urn} ({self.application.customer}) at {self.url}: "
            f"{redact(problems[-1], [token])}. What was received is saved, the other tasks stay as they are and are polled by the next "
            "run. Check the network, then LinkedIn's status.",
            application_urn=self.application.urn,
        )

    async def _wait_out_throttling(self, sent_at: float) -> bool:
        """Wait before a throttled call is repeated: one worker for all. False where waiting did not help."""
        async with self._throttle_lock:
            if self._throttled_at > sent_at:
                return True
            is_waited = await self._throttle_backoff.wait()
            self._throttled_at = time.monotonic()
            return is_waited

    def _build_request(self, query: str, token: SecretStr, is_tunneled: bool) -> httpx.Request:
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        if not is_tunneled:
            return self.http.build_request("GET", f"{self.url}?{query}", headers=headers)
        # Longer than a query string may be: the same batch get as a POST.
        headers |= {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
        return self.http.build_request("POST", self.url, headers=headers, content=query)

    def _explain_refusal(self, response: httpx.Response, ids: Sequence[str], token: SecretStr) -> LinkedInError:
        urn, customer, status = self.application.urn, self.application.customer, response.status_code
        message = redact(_read_message(response.content), [token])[:500]
        if status in (400, 414):
            return BatchRefused(message, task_urns=ids, application_urn=urn, status=status)
        if status == 401:
            return CredentialsRefused(
                f"LinkedIn does not accept the fresh token of {urn} ({customer}): {message}. Its tasks stay as they are. "
                "Check in LinkedIn's developer portal that the application is active.",
                application_urn=urn,
                status=status,
            )
        return AccessDenied(
            f"LinkedIn refuses {urn} ({customer}) with HTTP {status}: {message}. Its tasks stay as they are. "
            "Check that the application has access to the Job Posting API, and JOBRECON_API_URL.",
            application_urn=urn,
            status=status,
        )


def _read_message(body: bytes) -> str:
    try:
        document = orjson.loads(body)
        if isinstance(document, dict) and isinstance(document.get("message"), str):
            return str(document["message"])
    except orjson.JSONDecodeError:
        pass
    return body.decode("utf-8", "replace").strip() or "no message"

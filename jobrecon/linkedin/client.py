"""Asking LinkedIn about tasks: charge, send, read; retry what may pass, halve what is refused."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import orjson
from pydantic import SecretStr
from sqlalchemy import Engine

from jobrecon.applications import Application
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import AccessDenied, BatchRefused, CredentialsRefused, LinkedInUnreachable
from jobrecon.linkedin.batches import build_query
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.responses import Answer, MalformedResponse, Outcome, TaskResponses, parse_response
from jobrecon.linkedin.retry import TRANSIENT_ERRORS, Backoff, describe, redact
from jobrecon.linkedin.tokens import TokenCache
from jobrecon.linkedin.transport import QueryClient
from jobrecon.settings import Settings

THROTTLED = "HTTP 429"
KEY_REFUSED = "key parameter value is invalid"
"""In LinkedIn's words for a batch that holds a URN it does not accept. Other words may mean the question as a whole."""


def open_http() -> QueryClient:
    """The one HTTP client of a run."""
    return QueryClient()


class LinkedInClient:
    """One application's questions to `simpleJobPostingTasks`."""

    def __init__(self, application: Application, settings: Settings, engine: Engine, http: QueryClient, clock: Clock = utc_now) -> None:
        self.application = application
        self.http = http
        self.url = httpx.URL(f"{settings.api_url.rstrip('/')}/v2/simpleJobPostingTasks")
        self.query_limit_bytes = settings.query_string_limit
        self.ledger = CallLedger(engine, application.urn, application.daily_call_limit, clock)
        self.tokens = TokenCache(application, settings.token_url, engine, http, clock)
        self._answered_urn: str | None = None
        """A task that LinkedIn answered about in this run."""
        self._question: tuple[SecretStr, httpx.Request] | None = None
        """The request all calls with this token share."""
        self._throttle = asyncio.Lock()
        self._waited_at = 0.0
        self._patience = Backoff()
        """For 429, shared by all workers; new after each answer."""

    async def ask(self, task_urns: list[str]) -> AsyncIterator[TaskResponses]:
        """What LinkedIn says of each task, call by call as it is answered, so that later trouble loses none of it.

        LinkedIn refuses a whole batch for one URN it does not accept. Which one is found by halving: of a group that holds one,
        half is asked about; if that is accepted the other half holds it, else the other half waits, with all others that wait,
        for one call of its own. One bad URN of 59 costs 7 calls more. It comes back as REFUSED; in words unknown only where
        LinkedIn is seen to answer still, if need be by one call about a task it answered before. Raises a `LinkedInError` for
        what concerns the application as a whole: credentials, access, budget, an API out of reach.
        """
        waiting = task_urns
        found_bad: list[Answer] = []
        while waiting:
            suspects, waiting = waiting, []
            refusal: BatchRefused | None = None
            is_answered_since = False
            while suspects:
                if refusal and len(suspects) == 1:
                    found_bad.append(Answer(suspects[0], Outcome.INVALID_URN, error_message=str(refusal)))
                    break
                middle = len(suspects) // 2 if refusal else len(suspects)
                asked, others = suspects[:middle], suspects[middle:]
                try:
                    answers = await self._call(asked)
                except BatchRefused as error:
                    refusal = error
                    waiting += others
                    suspects = asked
                    is_answered_since = False
                    continue
                self._answered_urn = asked[0]
                is_answered_since = True
                if found_bad:
                    yield TaskResponses.of(found_bad)
                    found_bad = []
                yield answers
                suspects = others
            # In words unknown LinkedIn may have refused the question as a whole, from now on: no URN is to blame for that.
            if not found_bad or not refusal:
                continue
            if not is_answered_since and KEY_REFUSED not in str(refusal).lower():
                if waiting and len(found_bad) < 2:
                    continue
                if not await self._is_still_answered():
                    raise self._explain_refused(refusal)
            yield TaskResponses.of(found_bad)
            found_bad = []

    async def _is_still_answered(self) -> bool:
        """Whether LinkedIn still answers about a task it answered about in this run: one call, for certainty."""
        if self._answered_urn is None:
            return False
        try:
            await self._call([self._answered_urn])
        except BatchRefused:
            return False
        return True

    def _explain_refused(self, refusal: BatchRefused) -> AccessDenied:
        return AccessDenied(
            f"LinkedIn refuses every question of {self.application.urn} ({self.application.customer}) with HTTP {refusal.status}: {refusal}. "
            "Its tasks stay as they are. Check JOBRECON_API_URL and whether LinkedIn changed its API.",
            application_urn=self.application.urn,
            status=refusal.status,
        )

    async def _call(self, task_urns: list[str]) -> TaskResponses:
        backoff = Backoff()
        query = build_query(task_urns)
        is_tunneled = len(query) > self.query_limit_bytes
        token = await self.tokens.get()
        is_token_renewed = False
        day = self.ledger.clock().date()
        problems: list[str] = []
        while True:
            async with self._throttle:
                pass  # while one worker waits out a 429, the others wait with it
            sent_at = time.monotonic()
            await self.ledger.charge()
            try:
                status, body = await self._send(query, token, is_tunneled)
                if status == 200:
                    answers = parse_response(body, task_urns)
                    self._patience = Backoff()
                    return answers
                if status == 401 and not is_token_renewed:
                    token, is_token_renewed = await self.tokens.renew(refused=token), True
                    continue
                if status == 414 and not is_tunneled:
                    # The limit is lower than we were told: nothing is wrong with the URNs, and no other call need learn it again.
                    is_tunneled = True
                    self.query_limit_bytes = min(self.query_limit_bytes, len(query) - 1)
                    continue
                if status < 500 and status != 429:
                    raise self._refusal(status, body, task_urns, token)
                problems.append(THROTTLED if status == 429 else f"HTTP {status}")
                if status == 429:
                    async with self._throttle:
                        if self._waited_at > sent_at:
                            continue
                        is_waited = await self._patience.wait()
                        self._waited_at = time.monotonic()
                    if is_waited:
                        continue
                    break
            except TRANSIENT_ERRORS as error:
                problems.append(describe(error))
            except MalformedResponse as error:
                problems.append(str(error))
            if not await backoff.wait():
                break
        if set(problems) == {THROTTLED}:
            # LinkedIn does not say whether it means the day; it lasted, so the application rests until 00:00 UTC.
            await self.ledger.mark_exhausted(day)
            raise self.ledger.explain_exhausted()
        raise LinkedInUnreachable(
            f"LinkedIn does not answer {self.application.urn} ({self.application.customer}) at {self.url}: {redact(problems[-1], [token])}. "
            "What was answered is kept, the other tasks stay as they are and are asked about by the next run. Check the network, then LinkedIn's status.",
            application_urn=self.application.urn,
        )

    async def _send(self, query: str, token: SecretStr, is_tunneled: bool) -> tuple[int, bytes]:
        if self._question is None or self._question[0] != token:
            headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
            self._question = token, self.http.build_request("GET", self.url, headers=headers)
        question = self._question[1]
        if not is_tunneled:
            return await self.http.ask(question, query)
        # Longer than a query string may be: the same question as a POST.
        headers = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
        headers["Authorization"] = question.headers["Authorization"]
        return await self.http.ask(self.http.build_request("POST", self.url, headers=headers, content=query.encode()))

    def _refusal(self, status: int, body: bytes, task_urns: list[str], token: SecretStr) -> Exception:
        urn = self.application.urn
        said = redact(_read_message(body), [token])[:500]
        if status in (400, 414):
            return BatchRefused(said, task_urns=task_urns, application_urn=urn, status=status)
        if status == 401:
            return CredentialsRefused(
                f"LinkedIn does not accept the fresh token of {urn} ({self.application.customer}): {said}. Its tasks stay as they are. "
                "Check in LinkedIn's developer portal that the application is active.",
                application_urn=urn,
                status=status,
            )
        return AccessDenied(
            f"LinkedIn answers {urn} ({self.application.customer}) with HTTP {status}: {said}. Its tasks stay as they are. "
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

"""LinkedIn's challenges: answered within its 3 seconds whatever the database does, and noted when it can take a note."""

import logging
from concurrent.futures import Future
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope

from jobrecon.clock import Clock
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.inbox import Inbox
from jobrecon.webhook.cache import Kept
from jobrecon.webhook.keyring import Keyring
from jobrecon.webhook.limits import Limits
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.signature import answer_challenge, is_forgery

log = logging.getLogger(__name__)


class Challenges:
    """TaskResponses challenges. Anyone may send one: an answer costs one HMAC, and a second holds one note for each application."""

    def __init__(self, keyring: Kept[Keyring], inbox: Inbox, clock: Clock, limits: Limits, metrics: Metrics) -> None:
        self._keyring = keyring
        self._inbox = inbox
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._noted: dict[str, int] = {}

    async def answer(self, scope: Scope, _receive: Receive) -> Response:
        """LinkedIn's proof that we know the secret, every two hours; the database is not asked."""
        parameters = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        code = parameters.get("challengeCode", "")
        if not code or len(code.encode("utf-8", "replace")) > self._limits.challenge_bytes or is_forgery(code):
            return self._refuse(400, f"challengeCode must be a code of 1 to {self._limits.challenge_bytes} bytes.")
        try:
            keyring = await self._keyring.get()
        except ConfigurationError as error:
            log.error("a challenge cannot be answered: %s", error)
            self._metrics.challenges.labels("refused").inc()
            return Response(status_code=500)
        challenged = keyring.find_challenged(parameters.get("applicationId"))
        if challenged is None:
            return self._refuse(404, "applicationId names no application that is configured here.")
        application_urn, secret = challenged
        answer = JSONResponse(
            {"challengeCode": code, "challengeResponse": answer_challenge(code, secret)},
            headers={"x-content-type-options": "nosniff", "cache-control": "no-store"},
        )
        self._note(application_urn)
        self._metrics.challenges.labels("answered").inc()
        return answer

    def _refuse(self, status: int, message: str) -> Response:
        self._metrics.challenges.labels("refused").inc()
        return JSONResponse({"errorMessage": message}, status_code=status)

    def _note(self, application_urn: str) -> None:
        """Keep the time. A flood of challenges must not fill the queue in which notifications wait."""
        now = self._clock()
        second = int(now.timestamp())
        if self._noted.get(application_urn) == second:
            return
        self._noted[application_urn] = second
        try:
            self._inbox.submit_challenge(application_urn, now).add_done_callback(_log_unrecorded)
        except LandingUnavailable as error:
            log.error("a challenge was answered, but not recorded: %s", error)


def _log_unrecorded(done: "Future[None]") -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("a challenge was answered, but not recorded: %s", error)

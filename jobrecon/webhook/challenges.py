"""LinkedIn's challenges: responded to within its 3 seconds whatever the database does, and recorded when it can be."""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobrecon.clock import Clock
from jobrecon.errors import ConfigurationError, LandingUnavailable
from jobrecon.landing.batcher import Batcher
from jobrecon.landing.inbox import InboxWrite
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.webhook.limits import Cached, Limits
from jobrecon.webhook.metrics import Metrics
from jobrecon.webhook.signature import Keyring, compute_challenge_response, is_forgery

log = logging.getLogger(__name__)


class Challenges:
    """Responds to challenges. Anyone may send one: it costs one HMAC, and one record for each application and second."""

    def __init__(self, keyring: Cached[Keyring], inbox: Batcher[InboxWrite], clock: Clock, limits: Limits, metrics: Metrics) -> None:
        self._keyring = keyring
        self._inbox = inbox
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._recorded_seconds: dict[str, int] = {}
        self._recording: set[asyncio.Task[None]] = set()

    async def respond(self, request: Request) -> Response:
        """LinkedIn's proof, every two hours, that we know the secret; the database is not needed."""
        code = request.query_params.get("challengeCode", "")
        if not code or len(code.encode("utf-8", "replace")) > self._limits.challenge_bytes or is_forgery(code):
            return self._refuse(400, f"challengeCode must be a code of 1 to {self._limits.challenge_bytes} bytes.")
        try:
            keyring = await self._keyring.get()
        except ConfigurationError as error:
            log.error("no response to a challenge: %s", error)
            self._metrics.challenges.labels("refused").inc()
            return Response(status_code=500)
        challenged = keyring.find_challenged(request.query_params.get("applicationId"))
        if challenged is None:
            return self._refuse(404, "applicationId names no application that is configured here.")
        application_urn, secret = challenged
        response = JSONResponse(
            {"challengeCode": code, "challengeResponse": compute_challenge_response(code, secret)},
            headers={"x-content-type-options": "nosniff", "cache-control": "no-store"},
        )
        self._record(application_urn)
        self._metrics.challenges.labels("answered").inc()
        return response

    def _refuse(self, status: int, message: str) -> Response:
        self._metrics.challenges.labels("refused").inc()
        return JSONResponse({"errorMessage": message}, status_code=status)

    def _record(self, application_urn: str) -> None:
        """Record the time, unless this second is recorded: a flood must not fill the queue in which notifications wait."""
        challenge = ReceivedChallenge(application_urn, self._clock())
        second = int(challenge.challenged_at.timestamp())
        if self._recorded_seconds.get(application_urn) != second:
            self._recorded_seconds[application_urn] = second
            task = asyncio.create_task(self._write(challenge))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    async def _write(self, challenge: ReceivedChallenge) -> None:
        try:
            await self._inbox.put(challenge, self._limits.landing_seconds)
        except LandingUnavailable as error:
            log.error("a challenge got its response, but was not recorded: %s", error)

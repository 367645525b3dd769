"""Task statuses from `simpleJobPostingTasks`; of a refused batch the invalid URN is found by halving."""

from collections.abc import AsyncIterator

import httpx
from sqlalchemy import Engine

from jobrecon.applications import Application
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import AccessDenied, BatchRefused
from jobrecon.linkedin.client import INVALID_KEY_MESSAGE, ResourceClient
from jobrecon.linkedin.ledger import TASKS
from jobrecon.linkedin.responses import Outcome, TaskResponse, TaskResponses, parse_response
from jobrecon.settings import Settings


class TaskClient:
    """One application's calls to `simpleJobPostingTasks`."""

    def __init__(
        self, application: Application, settings: Settings, engine: Engine, http: httpx.AsyncClient, clock: Clock = utc_now
    ) -> None:
        self.application = application
        limit, version = application.daily_call_limit, settings.api_version
        self.resource = ResourceClient(application, settings, engine, http, clock, TASKS, limit, version)
        self.ledger = self.resource.ledger
        self._accepted_urn: str | None = None
        """A task about which LinkedIn gave a response in this run."""

    async def fetch(self, task_urns: list[str]) -> AsyncIterator[TaskResponses]:
        """What LinkedIn says of each task, call by call as responses arrive, so that a later error loses none of it.

        LinkedIn refuses a whole batch for one URN it does not accept. Which one is found by halving: of a group that holds one,
        half is requested; if that is accepted the other half holds it, else the other half is put off, with all others that are,
        for one call of its own. One bad URN of 59 costs 7 calls more. It comes back as INVALID_URN; where LinkedIn's text is
        unknown only if LinkedIn is seen to give responses still, if need be by one call about a task it accepted before. Raises a
        `LinkedInError` for what concerns the application as a whole: credentials, access, budget, throttling, an API that cannot
        be reached.
        """
        remaining = task_urns
        invalid: list[TaskResponse] = []
        while remaining:
            suspects, remaining = remaining, []
            refusal: BatchRefused | None = None
            is_accepted_since = False
            while suspects:
                if refusal and len(suspects) == 1:
                    invalid.append(TaskResponse(suspects[0], Outcome.INVALID_URN, error_message=str(refusal)))
                    break
                middle = len(suspects) // 2 if refusal else len(suspects)
                requested, others = suspects[:middle], suspects[middle:]
                try:
                    responses = await self._fetch_batch(requested)
                except BatchRefused as error:
                    refusal = error
                    remaining += others
                    suspects = requested
                    is_accepted_since = False
                    continue
                self._accepted_urn = requested[0]
                is_accepted_since = True
                if invalid:
                    yield TaskResponses.of(invalid)
                    invalid = []
                yield responses
                suspects = others
            # With an unknown text LinkedIn may refuse the request as a whole from now on: no URN is to blame for that.
            if not invalid or not refusal:
                continue
            if not is_accepted_since and INVALID_KEY_MESSAGE not in str(refusal).lower():
                if remaining and len(invalid) < 2:
                    continue
                if not await self._is_still_accepted():
                    raise self._explain_all_refused(refusal)
            yield TaskResponses.of(invalid)
            invalid = []

    async def _fetch_batch(self, task_urns: list[str]) -> TaskResponses:
        return await self.resource.fetch(task_urns, parse_response)

    async def _is_still_accepted(self) -> bool:
        """Whether LinkedIn still gives a response about a task it accepted in this run: one call, for certainty."""
        if self._accepted_urn is None:
            return False
        try:
            await self._fetch_batch([self._accepted_urn])
        except BatchRefused:
            return False
        return True

    def _explain_all_refused(self, refusal: BatchRefused) -> AccessDenied:
        return AccessDenied(
            f"LinkedIn refuses every call of {self.application.urn} ({self.application.customer}) with HTTP {refusal.status}: {refusal}. "
            "Its tasks stay as they are. Check JOBRECON_API_URL and whether LinkedIn changed its API.",
            application_urn=self.application.urn,
            status=refusal.status,
        )

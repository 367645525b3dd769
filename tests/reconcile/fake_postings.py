"""A LinkedIn that serves posting statuses, as a test sets them."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RECORD: dict[str, Any] = {
    "listingStatus": "LISTED",
    "listingStatusDetail": None,
    "linkedInApplyStatus": "ENABLED",
    "promotionStatus": "NOT_PROMOTED",
    "jobPostingInfo": None,
}


class FakePostings(Starlette):
    """Serves tokens and the records in `jobs`; an id without one is unknown. `error` is served instead, where it is set."""

    def __init__(self) -> None:
        super().__init__(
            routes=[
                Route("/v2/jobPostingStatus", self._serve, methods=["GET", "POST"]),
                Route("/oauth/v2/accessToken", self._grant, methods=["POST"]),
            ]
        )
        self.jobs: dict[str, dict[str, Any]] = {}
        self.silent: set[str] = set()
        """Ids that a response does not mention."""
        self.error: Response | None = None
        self.requests: list[list[str]] = []

    def say(self, job: str, **fields: Any) -> None:
        """What LinkedIn says of a job from now on."""
        self.jobs[job] = RECORD | fields

    @property
    def checked(self) -> list[str]:
        """All ids that were requested, in order."""
        return [job for request in self.requests for job in request]

    async def _serve(self, request: Request) -> Response:
        query = request.scope["query_string"] if request.method == "GET" else await request.body()
        ids = [value for name, value in parse_qsl(query.decode()) if name == "ids"]
        self.requests.append(ids)
        if self.error is not None:
            return self.error
        mentioned = [job for job in ids if job not in self.silent]
        results = {job: {"externalJobPostingId": job} | self.jobs[job] for job in mentioned if job in self.jobs}
        errors = {job: {"status": 404, "message": "not found"} for job in mentioned if job not in self.jobs}
        return JSONResponse({"results": results, "statuses": {}, "errors": errors})

    async def _grant(self, request: Request) -> Response:
        return JSONResponse({"access_token": "token", "expires_in": 1800})

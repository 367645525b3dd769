"""Small fakes of LinkedIn, for what the sandbox cannot be made to do."""

import socketserver
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class TaskRequest:
    """One call as it arrived."""

    number: int
    method: str
    query: bytes
    """The query string, or the body where it was tunneled."""
    ids: list[str]
    token: str
    headers: dict[str, str]
    path: str


Respond = Callable[[TaskRequest], Response]
THROTTLE_MESSAGE = "Resource level throttle limit for calls to this resource is reached."


def task_response(ids: Sequence[str], status: str = "SUCCEEDED", **more: Any) -> JSONResponse:
    """The documented response: every id with `status`."""
    return JSONResponse({"results": {urn: {"id": urn, "status": status} | more for urn in ids}, "statuses": {}, "errors": {}})


def error_response(status: int, message: str = "no") -> JSONResponse:
    return JSONResponse({"message": message, "status": status}, status)


def throttle_response(retry_after: float | str | None = None, message: str = THROTTLE_MESSAGE) -> JSONResponse:
    headers = None if retry_after is None else {"retry-after": str(retry_after)}
    return JSONResponse({"serviceErrorCode": 101, "message": message, "status": 429}, 429, headers)


def respond_well(request: TaskRequest) -> Response:
    return task_response(request.ids)


class FakeLinkedIn(Starlette):
    """Responds to task and token requests as configured, and records the task requests, in order.

    `respond` may be a coroutine. The token of the n-th request is `token-<n>-of-<client id>`, unless `grant` gives another response.
    """

    def __init__(
        self,
        respond: Callable[[TaskRequest], Response | Awaitable[Response]] = respond_well,
        grant: Callable[[int, dict[str, str]], Response] | None = None,
    ) -> None:
        super().__init__(
            routes=[
                Route("/v2/simpleJobPostingTasks", self._respond, methods=["GET", "POST"]),
                Route("/rest/simpleJobPostingTasks", self._respond, methods=["GET", "POST"]),
                Route("/oauth/v2/accessToken", self._grant, methods=["POST"]),
            ]
        )
        self.respond = respond
        self.grant = grant
        self.requests: list[TaskRequest] = []
        self.forms: list[dict[str, str]] = []

    async def _respond(self, request: Request) -> Response:
        query = request.scope["query_string"] if request.method == "GET" else await request.body()
        ids = [value for name, value in parse_qsl(query.decode(), keep_blank_values=True, errors="strict") if name == "ids"]
        token = request.headers["authorization"].removeprefix("Bearer ")
        received = TaskRequest(len(self.requests), request.method, query, ids, token, dict(request.headers), request.url.path)
        self.requests.append(received)
        response = self.respond(received)
        return response if isinstance(response, Response) else await response

    async def _grant(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.forms.append(form)
        if self.grant is not None:
            return self.grant(len(self.forms), form)
        return JSONResponse({"access_token": f"token-{len(self.forms)}-of-{form['client_id']}", "expires_in": 1800})


class _Script(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(65_536)
        server: Any = self.server
        self.request.sendall(next(server.script))


@contextmanager
def serve_bytes(*script: bytes) -> Iterator[str]:
    """A server that sends these bytes, the next to each connection, whatever is requested, and closes it."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Script) as server:
        server.script = iter(script)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def http_response(body: Any) -> bytes:
    """A whole HTTP response for `serve_bytes`."""
    content = orjson.dumps(body)
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content) + content

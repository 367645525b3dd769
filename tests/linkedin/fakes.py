"""Small stand-ins for LinkedIn, for what the sandbox cannot be made to do."""

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
class Asked:
    """One call as it arrived."""

    number: int
    method: str
    query: bytes
    """The query string, or the body where it was tunneled."""
    ids: list[str]
    token: str
    headers: dict[str, str]


def answered(ids: Sequence[str], status: str = "SUCCEEDED", **more: Any) -> JSONResponse:
    """The documented answer: every id with `status`."""
    return JSONResponse({"results": {urn: {"id": urn, "status": status} | more for urn in ids}, "statuses": {}, "errors": {}})


def refused(status: int, message: str = "no") -> JSONResponse:
    return JSONResponse({"message": message, "status": status}, status)


class FakeLinkedIn(Starlette):
    """TaskResponses about tasks and requests for tokens as told, and keeps what it was asked, in order.

    `answer` may be a coroutine. The token of the n-th request is `token-<n>-of-<client id>`, unless `grant` answers it.
    """

    def __init__(
        self,
        answer: Callable[[Asked], Response | Awaitable[Response]] = lambda asked: answered(asked.ids),
        grant: Callable[[int, dict[str, str]], Response] | None = None,
    ) -> None:
        super().__init__(
            routes=[
                Route("/v2/simpleJobPostingTasks", self._answer, methods=["GET", "POST"]),
                Route("/oauth/v2/accessToken", self._grant, methods=["POST"]),
            ]
        )
        self.answer = answer
        self.grant = grant
        self.asked: list[Asked] = []
        self.forms: list[dict[str, str]] = []

    async def _answer(self, request: Request) -> Response:
        query = request.scope["query_string"] if request.method == "GET" else await request.body()
        ids = [value for name, value in parse_qsl(query.decode(), keep_blank_values=True, errors="strict") if name == "ids"]
        token = request.headers["authorization"].removeprefix("Bearer ")
        asked = Asked(len(self.asked), request.method, query, ids, token, dict(request.headers))
        self.asked.append(asked)
        answer = self.answer(asked)
        return answer if isinstance(answer, Response) else await answer

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
    """A server whose connections get these bytes, each the next, whatever they ask. Then they end."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Script) as server:
        server.script = iter(script)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def http_answer(body: Any) -> bytes:
    """A whole HTTP answer for `serve_bytes`."""
    content = orjson.dumps(body)
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content) + content

"""What each fault costs: calls, retries, halving, and what the run reports. docs/polling.md shows the same table."""

import re
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from jobrecon.linkedin.http import MAX_RESPONSE_BYTES
from jobrecon.linkedin.retry import Backoff
from tests.linkedin.conftest import ACME, PollingHarness, Serve, make_application, task_urn
from tests.linkedin.fakes import FakeLinkedIn, Respond, TaskRequest, error_response, respond_well, task_response, throttle_response
from tests.linkedin.rawserver import begin, listen_but_never_accept, reset, serve_raw

PAGE = Path(__file__).parents[2] / "docs" / "polling.md"
MEGABYTE = 1024 * 1024
URNS = [task_urn(number) for number in range(4)]
BAD = URNS[3]
DAY_MESSAGE = "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."
GATEWAY_ERROR = {"message": "Internal Server Error", "status": 500}


def once(fault: Respond) -> Respond:
    """The fault at the first call, the documented response from then on."""
    return lambda request: fault(request) if request.number == 0 else task_response(request.ids)


def respond_cut(request: TaskRequest) -> Response:
    return Response(bytes(task_response(request.ids).body)[:-20], media_type="application/json")


def respond_about_others(request: TaskRequest) -> Response:
    return task_response([task_urn(100)], externalJobPostingId="not-ours")


def refuse_bad(request: TaskRequest) -> Response:
    return error_response(400, "Batch key parameter value is invalid") if BAD in request.ids else task_response(request.ids)


def refuse_long(request: TaskRequest) -> Response:
    return error_response(414) if request.method == "GET" else task_response(request.ids)


def expire_first_token(request: TaskRequest) -> Response:
    is_first = request.token == "token-1-of-acme"
    return error_response(401, "The token used in the request has expired") if is_first else task_response(request.ids)


@dataclass(frozen=True)
class Row:
    """Four tasks are due, in one call. `name` and `calls` stand on the page."""

    name: str
    respond: Respond
    calls: int
    settled: int = 0
    rejected: int = 0
    unseen: str = ""
    """What the run says of an application that could not be polled."""
    is_exhausted: bool = False
    reached: bool = True


SERVED = [
    Row("400, one URN is none", refuse_bad, 3, settled=3, rejected=1),
    Row(
        "400 to everything, with an unknown text",
        lambda request: error_response(400, "Unknown resource"),
        5,
        unseen="every call .* HTTP 400",
    ),
    Row("401, the token has expired", expire_first_token, 2, settled=4),
    Row("401, the fresh token too", lambda request: error_response(401, "Invalid access token"), 2, unseen="fresh token"),
    Row("403", lambda request: error_response(403), 1, unseen="HTTP 403"),
    Row("404 on the resource", lambda request: error_response(404), 1, unseen="HTTP 404"),
    Row("redirect", lambda request: Response(status_code=302, headers={"location": "/v2/simpleJobPostingTasks"}), 1, unseen="HTTP 302"),
    Row("414", refuse_long, 2, settled=4),
    Row(
        "426, or 400 about the version",
        lambda request: error_response(426, "Version 202301 is not active"),
        1,
        unseen="JOBRECON_API_VERSION",
    ),
    Row("429 with a short `Retry-After`", once(lambda request: throttle_response(1)), 2, settled=4),
    Row("429", lambda request: throttle_response(), 1, unseen=r"throttles .* no calls until 2026-03-01 06:01:00 UTC"),
    Row("429 that names the day's limit", lambda request: throttle_response(message=DAY_MESSAGE), 1, is_exhausted=True),
    Row("5xx, transient", once(lambda request: error_response(500)), 2, settled=4),
    Row("5xx, persistent", lambda request: error_response((500, 502, 503, 504)[request.number]), 4, unseen="HTTP 504"),
    Row("cut JSON", respond_cut, 4, unseen="not JSON"),
    Row("JSON of a wrong shape", lambda request: JSONResponse({"results": ["SUCCEEDED"]}), 4, unseen="`results` .* not an object"),
    Row("HTML with 200", lambda request: Response(b"<html>Log in</html>", media_type="text/html"), 4, unseen="not JSON"),
    Row(
        "`{}` or a gateway's error with 200", lambda request: JSONResponse(GATEWAY_ERROR), 4, unseen="none of results, statuses and errors"
    ),
    Row("a response about other ids", respond_about_others, 1),
]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many waits between attempts as ever, but short ones."""
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (4, 0.01, 0.02))


def check(row: Row, harness: PollingHarness, seen: Callable[[], int]) -> None:
    harness.import_urns(*URNS)
    result = harness.poll()
    states = list(harness.tasks("state").values())
    assert (states.count("SETTLED"), states.count("REJECTED"), len(states)) == (row.settled, row.rejected, 4)
    assert harness.tasks("state")[BAD] == ("REJECTED" if row.rejected else "SETTLED" if row.settled else "PENDING")
    budget = harness.budget()
    assert result.calls_used == budget["calls_used"] == row.calls
    assert seen() == (row.calls if row.reached else 0)
    assert result.exhausted == ([ACME] if row.is_exhausted else [])
    assert (budget["exhausted_at"] is not None) == row.is_exhausted
    assert bool(result.unseen) == bool(row.unseen)
    if row.unseen:
        assert re.search(row.unseen, result.unseen[ACME]), result.unseen
        assert ACME in result.unseen[ACME]
        assert len(result.unseen[ACME]) < 800
        assert "token-" not in result.unseen[ACME], "a token is shown"
        assert set(harness.tasks("poll_count").values()) == {0}


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_a_response_costs_so_many_calls_and_is_reported_so(serve: Serve, row: Row) -> None:
    fake = FakeLinkedIn(row.respond)
    check(row, serve(fake, make_application()), lambda: len(fake.requests))


def send_too_much(connection: socket.socket, *headers: str) -> None:
    begin(connection, 100 * MEGABYTE, *headers)
    for _ in range(100):
        connection.sendall(b" " * MEGABYTE)


@cache
def compress_much() -> bytes:
    """100 MB in 100 KB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(100)) + packer.flush()


def send_compressed(connection: socket.socket) -> None:
    body = compress_much()
    begin(connection, len(body), "content-encoding: gzip")
    connection.sendall(body)


def break_off(connection: socket.socket) -> None:
    begin(connection, 1000)
    connection.sendall(b'{"results": {')
    time.sleep(0.02)
    reset(connection)


def trickle(connection: socket.socket) -> None:
    begin(connection, 10_000)
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.02)


def stay_silent(connection: socket.socket) -> None:
    connection.recv(1)


@contextmanager
def nobody_listens() -> Iterator[tuple[str, None]]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}", None


@contextmanager
def never_accepted() -> Iterator[tuple[str, None]]:
    with listen_but_never_accept() as url:
        yield url, None


@contextmanager
def no_tls() -> Iterator[tuple[str, None]]:
    with serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as (url, _):
        yield url.replace("http:", "https:"), None


def broken(name: str, unseen: str, reached: bool = True) -> Row:
    return Row(name, respond_well, 4, unseen=unseen, reached=reached)


BROKEN = [
    # the row, where it happens, how long the client waits
    (broken("connection refused", "connection attempts failed|refused", reached=False), nobody_listens, None),
    (broken("reset before the response", "ReadError|disconnected"), lambda: serve_raw(reset), None),
    (broken("reset in the middle of the response", "without sending complete|ReadError"), lambda: serve_raw(break_off), None),
    (broken("connecting takes too long", "ConnectTimeout", reached=False), never_accepted, 0.3),
    (broken("the response takes too long", "ReadTimeout"), lambda: serve_raw(stay_silent), 0.3),
    (broken("the response trickles", "no complete response"), lambda: serve_raw(trickle), 0.5),
    (broken("TLS error", "SSL", reached=False), no_tls, None),
    (broken("a response of 100 MB", "longer than 16 MB"), lambda: serve_raw(send_too_much), None),
    (broken("a response of 100 MB, compressed", "longer than 16 MB"), lambda: serve_raw(send_compressed), None),
]


@pytest.mark.parametrize(("row", "serve_fault", "seconds"), BROKEN, ids=[row.name for row, *_ in BROKEN])
def test_what_is_not_a_response_costs_four_calls_and_little_memory(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, row: Row, serve_fault: Callable[[], object], seconds: float | None
) -> None:
    harness = serve(FakeLinkedIn(), make_application())
    if seconds:
        if row.name == "the response trickles":
            monkeypatch.setattr("jobrecon.linkedin.http.DEADLINE_SECONDS", seconds)
        else:
            monkeypatch.setattr("jobrecon.linkedin.http.TIMEOUT", httpx.Timeout(seconds))
    with serve_fault() as (url, server):  # type: ignore[attr-defined]
        harness.configure(api_url=url)
        tracemalloc.start()
        try:
            check(row, harness, lambda: server.count if server else 0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # httpx decompresses 64 KB at once, at most a thousandfold.
    assert peak < (12 if "compressed" in row.name else 3) * MAX_RESPONSE_BYTES


def test_a_query_limit_lower_than_configured_is_learned_once(serve: Serve) -> None:
    fake = FakeLinkedIn(refuse_long)
    harness = serve(fake, make_application(), concurrency=1, query_string_limit=140)
    harness.import_urns(*(task_urn(number) for number in range(20)))
    assert harness.poll().tasks_settled == 20
    assert [request.method for request in fake.requests] == ["GET"] + ["POST"] * 10


def test_a_compressed_response_is_read(serve: Serve) -> None:
    def respond(request: TaskRequest) -> Response:
        packer = zlib.compressobj(wbits=31)
        return Response(packer.compress(bytes(task_response(request.ids).body)) + packer.flush(), headers={"content-encoding": "gzip"})

    harness = serve(FakeLinkedIn(respond), make_application())
    harness.import_urns(*URNS)
    assert harness.poll().tasks_settled == 4


def test_the_page_shows_the_same_table() -> None:
    shown = re.findall(r"^\| ([^|]+?) \| (\d+) \|", PAGE.read_text(encoding="utf-8").partition("## What each fault costs")[2], re.MULTILINE)
    rows = [*SERVED, *(row for row, *_ in BROKEN)]
    assert dict(shown) == {row.name: str(row.calls) for row in rows}

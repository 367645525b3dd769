"""What each fault costs: calls, retries, halving, rest, and what the run says. docs/polling.md shows the same table."""

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

import pytest
from starlette.responses import JSONResponse, Response

from jobrecon.linkedin.connection import ANSWER_LIMIT_BYTES, Limits
from jobrecon.linkedin.retry import Backoff
from tests.linkedin.conftest import ACME, PollingHarness, Serve, make_application, task_urn
from tests.linkedin.fakes import Asked, FakeLinkedIn, answered, refused
from tests.linkedin.rawserver import begin, listen_but_never_accept, reset, serve_raw

PAGE = Path(__file__).parents[2] / "docs" / "polling.md"
MEGABYTE = 1024 * 1024
URNS = [task_urn(number) for number in range(4)]
BAD = URNS[3]

Answer = Callable[[Asked], Response]


def once(fault: Answer) -> Answer:
    """The fault at the first call, the documented answer from then on."""
    return lambda asked: fault(asked) if asked.number == 0 else answered(asked.ids)


def answer_cut(asked: Asked) -> Response:
    return Response(bytes(answered(asked.ids).body)[:-20], media_type="application/json")


def answer_about_others(asked: Asked) -> Response:
    return answered([task_urn(100)], externalJobPostingId="not-ours")


def refuse_bad(asked: Asked) -> Response:
    return refused(400, "Batch key parameter value is invalid") if BAD in asked.ids else answered(asked.ids)


def refuse_long(asked: Asked) -> Response:
    return refused(414) if asked.method == "GET" else answered(asked.ids)


def expire_first_token(asked: Asked) -> Response:
    is_first = asked.token == "token-1-of-acme"
    return refused(401, "The token used in the request has expired") if is_first else answered(asked.ids)


@dataclass(frozen=True)
class Row:
    """Four tasks are due, in one call. `name` and `calls` are the page's words."""

    name: str
    answer: Answer
    calls: int
    settled: int = 0
    rejected: int = 0
    unseen: str = ""
    """What the run says of an application it could not ask."""
    is_exhausted: bool = False
    reached: bool = True


SERVED = [
    Row("400, one URN is none", refuse_bad, 3, settled=3, rejected=1),
    Row("400 to everything, in words unknown", lambda asked: refused(400, "Unknown resource"), 5, unseen="every question .* HTTP 400"),
    Row("401, the token has expired", expire_first_token, 2, settled=4),
    Row("401, the fresh token too", lambda asked: refused(401, "Invalid access token"), 2, unseen="fresh token"),
    Row("403", lambda asked: refused(403), 1, unseen="HTTP 403"),
    Row("404 on the resource", lambda asked: refused(404), 1, unseen="HTTP 404"),
    Row("redirect", lambda asked: Response(status_code=302, headers={"location": "/v2/simpleJobPostingTasks"}), 1, unseen="HTTP 302"),
    Row("414", refuse_long, 2, settled=4),
    Row("429, passing", once(lambda asked: refused(429)), 2, settled=4),
    Row("429, lasting", lambda asked: refused(429), 4, is_exhausted=True),
    Row("5xx, passing", once(lambda asked: refused(500)), 2, settled=4),
    Row("5xx, lasting", lambda asked: refused((500, 502, 503, 504)[asked.number]), 4, unseen="HTTP 504"),
    Row("cut JSON", answer_cut, 4, unseen="no JSON"),
    Row("JSON of a wrong shape", lambda asked: JSONResponse({"results": ["SUCCEEDED"]}), 4, unseen="`results` .* not an object"),
    Row("HTML with 200", lambda asked: Response(b"<html>Log in</html>", media_type="text/html"), 4, unseen="no JSON"),
    Row("an answer about other ids", answer_about_others, 1),
]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are as many as ever, but short."""
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (4, 0.01, 0.02))


def check(row: Row, house: PollingHarness, seen: Callable[[], int]) -> None:
    house.import_urns(*URNS)
    result = house.poll()
    states = list(house.tasks("state").values())
    assert (states.count("SETTLED"), states.count("REJECTED"), len(states)) == (row.settled, row.rejected, 4)
    assert house.tasks("state")[BAD] == ("REJECTED" if row.rejected else "SETTLED" if row.settled else "PENDING")
    budget = house.budget()
    assert result.calls_used == budget["calls_used"] == row.calls
    assert seen() == (row.calls if row.reached else 0)
    assert result.exhausted == ([ACME] if row.is_exhausted else [])
    assert (budget["exhausted_at"] is not None) == row.is_exhausted
    assert bool(result.unseen) == bool(row.unseen)
    if row.unseen:
        assert re.search(row.unseen, result.unseen[ACME]), result.unseen
        assert ACME in result.unseen[ACME]
        assert len(result.unseen[ACME]) < 800
        assert "token-" not in result.unseen[ACME], "a token is told"
        assert set(house.tasks("poll_count").values()) == {0}


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_what_linkedin_answers_costs_so_many_calls_and_is_reported_so(serve: Serve, row: Row) -> None:
    fake = FakeLinkedIn(row.answer)
    check(row, serve(fake, make_application()), lambda: len(fake.asked))


def send_too_much(connection: socket.socket, *headers: str) -> None:
    begin(connection, 100 * MEGABYTE, *headers)
    for _ in range(100):
        connection.sendall(b" " * MEGABYTE)


@cache
def pack_much() -> bytes:
    """100 MB in 100 KB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(100)) + packer.flush()


def send_packed(connection: socket.socket) -> None:
    body = pack_much()
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


def keep_silent(connection: socket.socket) -> None:
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


def unanswered(name: str, unseen: str, reached: bool = True) -> Row:
    return Row(name, lambda asked: answered(asked.ids), 4, unseen=unseen, reached=reached)


BROKEN = [
    # the row, where it happens, how long the client waits
    (unanswered("connection refused", "Cannot connect", reached=False), nobody_listens, None),
    (unanswered("reset before the answer", "reset|disconnected"), lambda: serve_raw(reset), None),
    (unanswered("reset in the middle of the answer", "not completed|reset"), lambda: serve_raw(break_off), None),
    (unanswered("connecting takes too long", "Timeout: no connection to [^?]*$", reached=False), never_accepted, 0.3),
    (unanswered("the answer takes too long", "Timeout"), lambda: serve_raw(keep_silent), 0.3),
    (unanswered("the answer trickles", "Timeout"), lambda: serve_raw(trickle), 0.5),
    (unanswered("TLS error", "Cannot connect .*SSL", reached=False), no_tls, None),
    (unanswered("an answer of 100 MB", "longer than 16 MB"), lambda: serve_raw(send_too_much), None),
    (unanswered("an answer of 100 MB, packed", "longer than 16 MB"), lambda: serve_raw(send_packed), None),
]


@pytest.mark.parametrize(("row", "serve_fault", "seconds"), BROKEN, ids=[row.name for row, *_ in BROKEN])
def test_what_is_no_answer_costs_four_calls_and_the_memory_of_a_small_one(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, row: Row, serve_fault: Callable[[], object], seconds: float | None
) -> None:
    house = serve(FakeLinkedIn(), make_application())
    if seconds:
        limits = Limits(total=seconds) if row.name == "the answer trickles" else Limits(connect=seconds, silence=seconds)
        monkeypatch.setattr("jobrecon.linkedin.transport.LIMITS", limits)
    with serve_fault() as (url, server):  # type: ignore[attr-defined]
        house.configure(api_url=url)
        tracemalloc.start()
        try:
            check(row, house, lambda: server.count if server else 0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 3 * ANSWER_LIMIT_BYTES


def test_a_429_that_lasts_costs_each_worker_few_calls_and_later_runs_none(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda asked: refused(429))
    house = serve(fake, make_application(), concurrency=8, query_string_limit=80)
    house.import_urns(*(task_urn(number) for number in range(40)))
    assert house.poll().exhausted == [ACME]
    assert len(fake.asked) == house.budget()["calls_used"] <= 8 * 5
    sent = len(fake.asked)
    assert house.poll(hours=2).exhausted == [ACME]
    assert len(fake.asked) == sent


def test_a_query_limit_lower_than_told_is_learned_once(serve: Serve) -> None:
    fake = FakeLinkedIn(refuse_long)
    house = serve(fake, make_application(), concurrency=1, query_string_limit=140)
    house.import_urns(*(task_urn(number) for number in range(20)))
    assert house.poll().tasks_settled == 20
    assert [asked.method for asked in fake.asked] == ["GET"] + ["POST"] * 10


def test_a_packed_answer_is_read(serve: Serve) -> None:
    def answer(asked: Asked) -> Response:
        packer = zlib.compressobj(wbits=31)
        return Response(packer.compress(bytes(answered(asked.ids).body)) + packer.flush(), headers={"content-encoding": "gzip"})

    house = serve(FakeLinkedIn(answer), make_application())
    house.import_urns(*URNS)
    assert house.poll().tasks_settled == 4


def test_the_page_shows_the_same_table() -> None:
    shown = re.findall(r"^\| ([^|]+?) \| (\d+) \|", PAGE.read_text(encoding="utf-8").partition("## What each fault costs")[2], re.MULTILINE)
    rows = [*SERVED, *(row for row, *_ in BROKEN)]
    assert dict(shown) == {row.name: str(row.calls) for row in rows}

"""How questions travel: kept connections, answers in every form HTTP allows, and servers that keep to none."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobrecon.linkedin import connection, transport
from jobrecon.linkedin.connection import ANSWER_LIMIT_BYTES, Limits
from jobrecon.linkedin.transport import QueryClient
from tests.reports.mail_server import make_certificate

Parts = Iterable[bytes]
Answer = Callable[[int], Parts]
"""What goes over the wire at the n-th question, in so many pieces."""
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Answers each question with the bytes it is told; hangs up after those that end with nothing."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connection_count = 0
        self.questions: list[bytes] = []
        self.url = ""

    async def treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection_count += 1
        try:
            while True:
                self.questions.append(await reader.readuntil(b"\r\n\r\n"))
                for part in self.answer(len(self.questions) - 1):
                    if not part:
                        return
                    writer.write(part)
                    await writer.drain()
                    # Each piece travels by itself.
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answer)
    async with await asyncio.start_server(server.treat, "127.0.0.1", 0, ssl=context) as listening:
        server.url = f"http{'s' if context else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v2/tasks"
        yield server


def ask(url: str, query: str = "ids=a") -> Callable[[QueryClient], Coroutine[None, None, tuple[int, bytes]]]:
    return lambda http: http.ask(http.build_request("GET", url), query)


def told(body: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"content-length: %d\r\n\r\n" % len(body) + body


async def ask_times(count: int, answer: Answer, pause_seconds: float = 0) -> tuple[Server, list[tuple[int, bytes] | Exception]]:
    """Ask one after the other: the server, and what came of each."""
    outcomes: list[tuple[int, bytes] | Exception] = []
    async with serving(answer) as server, QueryClient() as http:
        for _ in range(count):
            try:
                outcomes.append(await ask(server.url)(http))
            except httpx.TransportError as error:
                outcomes.append(error)
            await asyncio.sleep(pause_seconds)
    return server, outcomes


def test_one_connection_serves_many_questions() -> None:
    server, outcomes = asyncio.run(ask_times(5, lambda number: [told(b"%d" % number)]))
    assert outcomes == [(200, b"%d" % number) for number in range(5)]
    assert server.connection_count == 1
    assert server.questions[0].startswith(b"GET /v2/tasks?ids=a HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAccept-Encoding: gzip\r\n" in server.questions[0]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([told(b"x", b"connection: close")], id="the server says that it closes"),
        pytest.param([told(b"x"), b""], id="the server closes"),
        pytest.param([told(b"x").replace(b"HTTP/1.1", b"HTTP/1.0")], id="the server knows no kept connections"),
        pytest.param([told(b"x") + told(b"never asked")], id="an answer more than was asked for"),
        pytest.param([told(b"x"), b"garbage"], id="bytes after the answer"),
    ],
)
def test_a_connection_that_cannot_be_trusted_any_more_is_not_used_again(parts: Sequence[bytes]) -> None:
    server, outcomes = asyncio.run(ask_times(3, lambda number: parts, pause_seconds=0.02))
    assert outcomes == [(200, b"x")] * 3
    assert server.connection_count == 3


def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LIMITS", Limits(idle=0.01))
    server, _ = asyncio.run(ask_times(3, lambda number: [told(b"x")], pause_seconds=0.03))
    assert server.connection_count == 3


def test_a_question_is_sent_once_even_where_a_kept_connection_breaks_under_it() -> None:
    server, outcomes = asyncio.run(ask_times(3, lambda number: [b""] if number == 1 else [told(b"x")]))
    assert [outcomes[0], outcomes[2]] == [(200, b"x")] * 2
    assert isinstance(outcomes[1], httpx.RemoteProtocolError)
    assert (len(server.questions), server.connection_count) == (3, 2)


def test_what_comes_too_late_is_no_answer_to_the_next_question() -> None:
    async def give_up_and_ask_again() -> tuple[int, bytes]:
        release = asyncio.Event()

        class Slow(Server):
            async def treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if not self.connection_count:
                    self.connection_count += 1
                    await reader.readuntil(b"\r\n\r\n")
                    await release.wait()
                    writer.write(told(b"late"))
                    writer.close()
                else:
                    await super().treat(reader, writer)

        server = Slow(lambda number: [told(b"x")])
        async with await asyncio.start_server(server.treat, "127.0.0.1", 0) as listening, QueryClient() as http:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(url)(http), 0.1)
            release.set()
            return await ask(url)(http)

    assert asyncio.run(give_up_and_ask_again()) == (200, b"x")


def chunk(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nchecked: yes\r\n\r\n"


@settings(max_examples=150)
@given(
    body=st.binary(max_size=300),
    framing=st.sampled_from(["length", "chunks", "end"]),
    is_packed=st.booleans(),
    is_hinted=st.booleans(),
    cuts=st.lists(st.integers(0, 600), max_size=5),
)
def test_an_answer_is_read_in_whatever_form_and_pieces_it_comes(
    body: bytes, framing: str, is_packed: bool, is_hinted: bool, cuts: list[int]
) -> None:
    sent = gzip.compress(body) if is_packed else body
    head = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * is_hinted + OK + b"Content-Encoding: GZIP\r\n" * is_packed
    whole = {
        "length": head + b"content-length: %d\r\n\r\n" % len(sent) + sent,
        "chunks": head + b"transfer-encoding: chunked\r\n\r\n" + chunk(sent, 7),
        "end": head + b"\r\n" + sent,
    }[framing]
    marks = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [whole[start:end] for start, end in pairwise(marks) if start < end]
    ends = [b""] if framing == "end" else []
    _, outcomes = asyncio.run(ask_times(2, lambda number: [*parts, *ends]))
    assert outcomes == [(200, body)] * 2


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([b"220 mail.example ESMTP\r\n"], "no HTTP"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"], "no HTTP"),
        ([OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"], "no HTTP"),
        ([OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"], "no HTTP"),
        ([OK, b""], "not completed"),
        ([OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhel", b""], "not completed"),
        ([told(b"hello")[:-1], b""], "not completed"),
        ([b""], "disconnected"),
        ([told(b"hello", b"content-encoding: br")], "not asked for: br"),
        ([told(b"hello", b"content-encoding: gzip")], "packed answer is broken"),
        ([told(gzip.compress(b"hello")[:-5], b"content-encoding: gzip")], "packed answer is not completed"),
        ([OK, *[b"x: " + b"y" * 100_000 + b"\r\n"] * 200], "longer than 16 MB"),
        ([OK + b"transfer-encoding: chunked\r\n\r\n", *[b"186a0\r\n" + b" " * 100_000 + b"\r\n"] * 200], "longer than 16 MB"),
    ],
)
def test_what_is_no_answer_is_told_in_a_few_words_and_the_connection_dropped(parts: Parts, problem: str) -> None:
    server, outcomes = asyncio.run(ask_times(2, lambda number: parts if number == 0 else [told(b"x")]))
    assert isinstance(outcomes[0], httpx.TransportError)
    assert problem in str(outcomes[0])
    assert len(str(outcomes[0])) < 200
    assert outcomes[1] == (200, b"x")
    assert server.connection_count == 2


def test_an_answer_packed_beyond_the_limit_is_not_unpacked_to_its_end() -> None:
    assert connection.unpack(gzip.compress(b" " * ANSWER_LIMIT_BYTES), b"gzip") == b" " * ANSWER_LIMIT_BYTES
    with pytest.raises(httpx.ReadError, match="longer than 16 MB"):
        connection.unpack(gzip.compress(b" " * (ANSWER_LIMIT_BYTES + 1)), b"gzip")


@pytest.mark.parametrize("query", ["ids=a b", "ids=a\r\nHost: evil", "ids=a\nb", "ids=a\rb", "ids=a HTTP/1.1\r\n\r\nGET /"])
def test_a_query_that_would_be_another_request_is_not_sent(query: str) -> None:
    async def send() -> Server:
        async with serving(lambda number: [told(b"x")]) as server, QueryClient() as http:
            with pytest.raises(httpx.LocalProtocolError):
                await ask(server.url, query)(http)
        return server

    assert asyncio.run(send()).questions == []


def test_a_header_that_would_be_two_is_not_sent() -> None:
    async def send() -> Server:
        async with serving(lambda number: [told(b"x")]) as server, QueryClient() as http:
            with pytest.raises(httpx.LocalProtocolError) as caught:
                await http.get(server.url, headers={"Authorization": "Bearer secret\r\nX: y"})
            assert "secret" not in str(caught.value)
        return server

    assert asyncio.run(send()).questions == []


def test_an_address_that_is_none_of_http_is_refused() -> None:
    async def send() -> None:
        async with QueryClient() as http:
            await ask("ftp://127.0.0.1/x")(http)

    with pytest.raises(httpx.UnsupportedProtocol, match="ftp://"):
        asyncio.run(send())


def test_tls_trusts_the_authorities_of_the_system_and_only_for_their_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def send(host: str) -> tuple[tuple[int, bytes], int]:
        async with serving(lambda number: [told(b"x")], context) as server, QueryClient() as http:
            await ask(server.url.replace("127.0.0.1", host))(http)
            return await ask(server.url.replace("127.0.0.1", host))(http), server.connection_count

    with pytest.raises(httpx.ConnectError, match=r"Cannot connect to 127.0.0.1:\d+: .*CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(send("127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert asyncio.run(send("127.0.0.1")) == ((200, b"x"), 1)
    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        asyncio.run(send("localhost"))


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_of_the_environment_is_asked_instead(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    async def send() -> Server:
        async with serving(lambda number: [told(gzip.compress(b"x"), b"content-encoding: gzip")]) as server, QueryClient() as http:
            place = server.url.removeprefix("http://").partition("/")[0]
            monkeypatch.setenv("http_proxy", f"{scheme}dana:p%40ss@{place}")
            monkeypatch.setenv("no_proxy", "inside.example")
            assert await ask("http://api.linkedin.example/v2/tasks", "ids=urn:li:a:1&ids=urn:li:a:2")(http) == (200, b"x")
            with pytest.raises(httpx.ConnectError):
                await ask("http://inside.example:1/x")(http)
        return server

    (question,) = asyncio.run(send()).questions
    assert question.startswith(b"GET http://api.linkedin.example/v2/tasks?ids=urn:li:a:1&ids=urn:li:a:2 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic ZGFuYTpwQHNz" in question


def test_a_proxy_that_keeps_silent_sends_too_much_or_is_none_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(answer: Answer) -> None:
        async with serving(answer) as server, QueryClient() as http:
            monkeypatch.setenv("http_proxy", server.url)
            await ask("http://api.linkedin.example/")(http)

    monkeypatch.setattr(transport, "LIMITS", Limits(total=0.2))
    with pytest.raises(httpx.ReadTimeout, match="not there within"):
        asyncio.run(send(lambda number: []))
    monkeypatch.setattr(transport, "LIMITS", Limits())
    with pytest.raises(httpx.ReadError, match="longer than 16 MB"):
        asyncio.run(send(lambda number: [told(b" " * (ANSWER_LIMIT_BYTES + 1))]))

    async def send_through(address: str) -> None:
        monkeypatch.setenv("http_proxy", address)
        async with QueryClient() as http:
            await ask("http://api.linkedin.example/")(http)

    with pytest.raises(httpx.UnsupportedProtocol, match="The proxy that the environment names") as caught:
        asyncio.run(send_through("carrier://dana:secret@pigeon"))
    assert "secret" not in str(caught.value)

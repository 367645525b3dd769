"""How questions travel: kept connections, answers in every form HTTP allows, and servers that keep to none."""

import asyncio
import gzip
import socket
import ssl
import time
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from jobrecon.linkedin import connection, transport
from jobrecon.linkedin.connection import ANSWER_LIMIT_BYTES, Limits
from jobrecon.linkedin.transport import QueryClient
from tests.linkedin.rawserver import listen_but_never_accept, serve_raw
from tests.reports.mail_server import make_certificate

Parts = Iterable[bytes | float]
"""What goes over the wire, piece by piece; numbers are seconds of silence, nothing hangs up."""
Answer = Callable[[int], Parts]
"""The answer to the n-th question."""
OK = b"HTTP/1.1 200 OK\r\n"
Run = Callable[[Coroutine[None, None, Any]], Any]
"""Drives an event loop, asyncio's own or another."""


class Server:
    """TaskResponses each question as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connection_count = 0
        self.open_count = 0
        self.questions: list[bytes] = []
        self.url = ""

    async def treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection_count += 1
        self.open_count += 1
        try:
            while True:
                self.questions.append(await reader.readuntil(b"\r\n\r\n"))
                for part in self.answer(len(self.questions) - 1):
                    if part == b"":
                        return
                    if isinstance(part, float):
                        with suppress(TimeoutError):
                            if not await asyncio.wait_for(reader.read(1), part):
                                return  # the client hung up
                    else:
                        writer.write(part)
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_count -= 1
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
    """Ask one after the other: the server, and what came of each. Of the connections one is left at most."""
    outcomes: list[tuple[int, bytes] | Exception] = []
    async with serving(answer) as server, QueryClient() as http:
        for _ in range(count):
            try:
                outcomes.append(await ask(server.url)(http))
            except httpx.TransportError as error:
                outcomes.append(error)
            await asyncio.sleep(pause_seconds)
        await asyncio.sleep(0.01)
        assert server.open_count <= 1
    return server, outcomes


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_one_connection_serves_many_questions(run: Run) -> None:
    server, outcomes = run(ask_times(5, lambda number: [told(b"%d" % number)]))
    assert outcomes == [(200, b"%d" % number) for number in range(5)]
    assert server.connection_count == 1
    assert server.questions[0].startswith(b"GET /v2/tasks?ids=a HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAccept-Encoding: gzip\r\n" in server.questions[0]


def test_a_kept_connection_outlives_the_wait_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LIMITS", Limits(silence=0.02))
    server, outcomes = asyncio.run(ask_times(3, lambda number: [told(b"x")], pause_seconds=0.05))
    assert (outcomes, server.connection_count) == ([(200, b"x")] * 3, 1)


def test_an_answer_may_come_slowly_while_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LIMITS", Limits(silence=0.3))
    parts = [part for byte in told(b"x")[-8:] for part in (0.1, bytes([byte]))]
    _, outcomes = asyncio.run(ask_times(1, lambda number: [told(b"x")[:-8], *parts]))
    assert outcomes == [(200, b"x")]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([told(b"x", b"connection: close")], id="the server says that it closes"),
        pytest.param([told(b"x"), b""], id="the server closes"),
        pytest.param([told(b"x").replace(b"HTTP/1.1", b"HTTP/1.0")], id="the server knows no kept connections"),
        pytest.param([told(b"x") + told(b"never asked")], id="an answer more than was asked for"),
        pytest.param([told(b"x") + b"garbage"], id="bytes behind the answer"),
        pytest.param([told(b"x"), 0.01, told(b"never asked")], id="an answer after the answer"),
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


def test_a_connection_that_ended_while_nobody_looked_is_not_used_again() -> None:
    async def look_away() -> list[tuple[int, bytes]]:
        with serve_raw(lambda connection: connection.sendall(told(b"x"))) as (url, _):
            async with QueryClient() as http:
                first = await ask(url)(http)
                time.sleep(0.1)
                return [first, await ask(url)(http)]

    assert asyncio.run(look_away()) == [(200, b"x")] * 2


def test_closing_leaves_no_call_behind() -> None:
    async def close_under_way() -> tuple[int, bytes]:
        async with serving(lambda number: [0.05, told(b"x")]) as server:
            async with QueryClient() as http:
                asked = asyncio.create_task(ask(server.url)(http))
                await asyncio.sleep(0.02)
            answer = await asked
            await asyncio.sleep(0.02)
            assert server.open_count == 0
        return answer

    assert asyncio.run(close_under_way()) == (200, b"x")


def test_giving_up_while_connecting_leaves_nothing_behind() -> None:
    async def give_up(rounds: int) -> None:
        async with serving(lambda number: [told(b"x")]) as server, QueryClient() as http:
            asked = asyncio.create_task(ask(server.url.replace("127.0.0.1", "localhost"))(http))
            for _ in range(rounds):
                await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait([asked])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rounds in range(12):
            asyncio.run(give_up(rounds))


@pytest.mark.parametrize("is_silent", [False, True])
def test_of_several_addresses_the_one_that_answers_is_used_and_remembered(monkeypatch: pytest.MonkeyPatch, is_silent: bool) -> None:
    # At the first of them nobody listens, or somebody who never accepts.
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **options: resolved)

    async def send() -> list[tuple[int, bytes]]:
        async with serving(lambda number: [told(b"x", b"connection: close")]) as server, QueryClient() as http:
            port = int(server.url.partition("127.0.0.1:")[2].partition("/")[0])
            with listen_but_never_accept("127.0.0.2", port) if is_silent else nullcontext():
                monkeypatch.setattr(transport, "LIMITS", Limits(connect=0.4))
                first = await ask(f"http://linkedin.example:{port}/")(http)
                # It would be waited for a minute now.
                monkeypatch.setattr(transport, "LIMITS", Limits(connect=120))
                return [first, await asyncio.wait_for(ask(f"http://linkedin.example:{port}/")(http), 20)]

    assert asyncio.run(send()) == [(200, b"x")] * 2


def test_certificates_that_cannot_be_read_are_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))

    async def send() -> None:
        async with QueryClient() as http:
            await ask("https://127.0.0.1:1/")(http)

    with pytest.raises(httpx.ConnectError, match=r"Certificates cannot be checked: .*nowhere"):
        asyncio.run(send())


def test_through_a_proxy_as_many_calls_are_in_flight_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send() -> list[tuple[int, bytes]]:
        is_full = asyncio.Event()

        class Patient(Server):
            async def treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                self.connection_count += 1
                if self.connection_count == 120:
                    is_full.set()
                await is_full.wait()
                await super().treat(reader, writer)

        server = Patient(lambda number: [told(b"x")])
        async with await asyncio.start_server(server.treat, "127.0.0.1", 0, backlog=200) as proxy, QueryClient() as http:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            return await asyncio.wait_for(asyncio.gather(*(ask("http://api.linkedin.example/")(http) for _ in range(120))), 20)

    assert asyncio.run(send()) == [(200, b"x")] * 120


def test_no_cookie_of_one_application_is_shown_with_another() -> None:
    async def send() -> list[bytes]:
        async with serving(lambda number: [told(b"x", b"set-cookie: bcookie=1; path=/")]) as server, QueryClient() as http:
            await http.post(server.url)
            await http.post(server.url)
            await ask(server.url)(http)
        return server.questions

    assert not any(b"cookie" in question.lower() for question in asyncio.run(send()))


def test_a_question_is_sent_once_even_where_a_kept_connection_breaks_under_it() -> None:
    server, outcomes = asyncio.run(ask_times(3, lambda number: [b""] if number == 1 else [told(b"x")]))
    assert [outcomes[0], outcomes[2]] == [(200, b"x")] * 2
    assert isinstance(outcomes[1], httpx.RemoteProtocolError)
    assert (len(server.questions), server.connection_count) == (3, 2)


def test_a_question_that_was_given_up_leaves_no_connection_behind() -> None:
    async def give_up_and_ask_again() -> tuple[int, bytes]:
        async with serving(lambda number: [told(b"x")] if number else [60.0]) as server, QueryClient() as http:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(server.url)(http), 0.05)
            answer = await ask(server.url)(http)
            await asyncio.sleep(0.02)
            assert (server.connection_count, server.open_count) == (2, 1)
            return answer

    assert asyncio.run(give_up_and_ask_again()) == (200, b"x")


def chunk(body: bytes, size: int, trailer: bytes = b"") -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n%s\r\n" % trailer


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
    head = b"HTTP/1.1 103 Early Hints\r\ncontent-encoding: br\r\n\r\n" * is_hinted + OK + b"Content-Encoding: GZIP\r\n" * is_packed
    trailer = b"content-encoding: br\r\n" * is_hinted
    whole = {
        "length": head + b"content-length: %d\r\n\r\n" % len(sent) + sent,
        "chunks": head + b"transfer-encoding: chunked\r\n\r\n" + chunk(sent, 7, trailer),
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
        ([OK, *[b"x: y\r\n" * 1_000] * 20], "longer than 64 KB"),
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
    assert connection.unpack(b"x", b"identity") == b"x"
    assert connection.unpack(b"", b"gzip") == b""
    assert connection.unpack(gzip.compress(b" " * ANSWER_LIMIT_BYTES), b"gzip") == b" " * ANSWER_LIMIT_BYTES
    with pytest.raises(httpx.ReadError, match="longer than 16 MB"):
        connection.unpack(gzip.compress(b" " * (ANSWER_LIMIT_BYTES + 1)), b"gzip")


def test_httpx_gets_the_answer_unpacked() -> None:
    async def get() -> tuple[str, httpx.Headers]:
        parts = [OK + b"content-encoding: gzip\r\nx-told: yes\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(gzip.compress(b"hello"), 9)]
        async with serving(lambda number: parts) as server, QueryClient() as http:
            response = await http.get(server.url)
            return response.text, response.headers

    text, headers = asyncio.run(get())
    assert (text, headers["x-told"], headers["content-length"]) == ("hello", "yes", "5")


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


def test_a_host_that_cannot_be_is_told_of() -> None:
    async def send() -> None:
        async with QueryClient() as http:
            await ask(f"http://{'a' * 64}.example/x")(http)

    with pytest.raises(httpx.ConnectError, match="Cannot connect to aaa"):
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


@pytest.mark.parametrize(("name", "scheme"), [("http_proxy", "http://"), ("http_proxy", ""), ("ALL_PROXY", "http://")])
def test_the_proxy_of_the_environment_is_asked_instead(monkeypatch: pytest.MonkeyPatch, name: str, scheme: str) -> None:
    async def send() -> Server:
        async with serving(lambda number: [told(gzip.compress(b"x"), b"content-encoding: gzip")]) as server, QueryClient() as http:
            place = server.url.removeprefix("http://").partition("/")[0]
            monkeypatch.setenv(name, f"{scheme}dana:p%40ss@{place}")
            monkeypatch.setenv("no_proxy", "inside.example,beside.example:1")
            assert await ask("http://api.linkedin.example/v2/tasks", "ids=urn:li:a:1&ids=urn:li:a:2")(http) == (200, b"x")
            for near in ("inside", "beside"):
                with pytest.raises(httpx.ConnectError):
                    await ask(f"http://{near}.example:1/x")(http)
        return server

    (question,) = asyncio.run(send()).questions
    assert question.startswith(b"GET http://api.linkedin.example/v2/tasks?ids=urn:li:a:1&ids=urn:li:a:2 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic ZGFuYTpwQHNz" in question


@pytest.mark.parametrize(
    ("is_trusted", "is_certificate_wanted", "problem"),
    [(True, False, None), (False, False, "CERTIFICATE_VERIFY_FAILED"), (True, True, "CERTIFICATE_REQUIRED|disconnected")],
)
def test_through_a_proxy_certificates_are_checked_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_trusted: bool, is_certificate_wanted: bool, problem: str | None
) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if is_certificate_wanted:
        context.load_verify_locations(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while part := await reader.read(65_536):
                writer.write(part)
                await writer.drain()
        finally:
            writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, place, _ = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
        host, _, port = place.decode().rpartition(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer), return_exceptions=True)

    async def send() -> tuple[int, bytes]:
        async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy, serving(lambda number: [told(b"x")], context) as server:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            async with QueryClient() as http:
                return await ask(server.url)(http)

    if problem is None:
        assert asyncio.run(send()) == (200, b"x")
    else:
        with pytest.raises(httpx.TransportError, match=problem):
            asyncio.run(send())


async def ask_through(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    async with serving(answer) as server, QueryClient() as http:
        monkeypatch.setenv("http_proxy", server.url)
        await ask("http://api.linkedin.example/")(http)


def test_a_proxy_that_keeps_silent_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LIMITS", Limits(total=0.2))
    with pytest.raises(httpx.ReadTimeout, match="not there within"):
        asyncio.run(ask_through(monkeypatch, lambda number: [60.0]))


def test_a_proxy_that_sends_too_much_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(httpx.ReadError, match="longer than 16 MB"):
        asyncio.run(ask_through(monkeypatch, lambda number: [told(b" " * (ANSWER_LIMIT_BYTES + 1))]))


@pytest.mark.parametrize("address", ["carrier://dana:secret@pigeon", "http://dana:secret/x@host:1", "http://dana:secret@[::1", "host:port"])
def test_a_proxy_that_is_none_is_told_of_without_its_password(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    async def send() -> None:
        async with QueryClient() as http:
            await ask("http://api.linkedin.example/")(http)

    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(httpx.UnsupportedProtocol, match="The proxy that the environment names for http://") as caught:
        asyncio.run(send())
    assert "secret" not in str(caught.value)

"""The HTTP client on real sockets: each request is sent once, responses are bounded in time and size, nothing leaks."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from jobrecon.errors import ConfigurationError
from jobrecon.linkedin import http as http_module
from jobrecon.linkedin.http import MAX_RESPONSE_BYTES, HttpClient
from tests.delivery.mail_server import make_certificate

Parts = Iterable[bytes | float]
"""What the server sends, part by part; numbers are seconds of silence, an empty part closes the connection."""
Respond = Callable[[int], Parts]
"""The response to the n-th request."""
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Sends configured bytes for each request."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.connection_count = 0
        self.open_count = 0
        self.requests: list[bytes] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection_count += 1
        self.open_count += 1
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                for part in self.respond(len(self.requests) - 1):
                    if part == b"":
                        return
                    if isinstance(part, float):
                        with suppress(TimeoutError):
                            if not await asyncio.wait_for(reader.read(1), part):
                                return  # the client closed the connection
                    else:
                        writer.write(part)
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_count -= 1
            writer.close()


@asynccontextmanager
async def serving(respond: Respond, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(respond)
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context) as listening:
        server.url = f"http{'s' if context else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v2/tasks?ids=a"
        yield server


def ok(body: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"content-length: %d\r\n\r\n" % len(body) + body


async def get_times(count: int, respond: Respond, pause_seconds: float = 0) -> tuple[Server, list[bytes | Exception]]:
    """Send so many requests one after the other: the server, and what came of each."""
    outcomes: list[bytes | Exception] = []
    async with serving(respond) as server, HttpClient() as http:
        for _ in range(count):
            try:
                outcomes.append((await http.get(server.url)).content)
            except (httpx.TransportError, httpx.DecodingError) as error:
                outcomes.append(error)
            await asyncio.sleep(pause_seconds)
        await asyncio.sleep(0.01)
        assert server.open_count <= 1
    return server, outcomes


async def get_once(url: str) -> bytes:
    async with HttpClient() as http:
        return (await http.get(url)).content


def test_one_connection_serves_many_requests() -> None:
    server, outcomes = asyncio.run(get_times(5, lambda number: [ok(b"%d" % number)]))
    assert outcomes == [b"%d" % number for number in range(5)]
    assert server.connection_count == 1
    assert server.requests[0].startswith(b"GET /v2/tasks?ids=a HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nUser-Agent: jobrecon/" in server.requests[0]


@pytest.mark.parametrize("break_off", [[b""], [OK, b""], [ok(b"hello")[:-1], b""]], ids=["before", "in the head", "in the body"])
def test_a_request_is_sent_once_even_where_a_kept_connection_breaks_under_it(break_off: Sequence[bytes]) -> None:
    server, outcomes = asyncio.run(get_times(3, lambda number: break_off if number == 1 else [ok(b"x")]))
    assert [outcomes[0], outcomes[2]] == [b"x", b"x"]
    assert isinstance(outcomes[1], httpx.RemoteProtocolError)
    assert (len(server.requests), server.connection_count) == (3, 2)


def test_through_a_proxy_too_a_request_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send() -> Server:
        async with serving(lambda number: [b""] if number == 1 else [ok(b"x")]) as server:
            monkeypatch.setenv("http_proxy", server.url)
            async with HttpClient() as http:
                await http.get("http://api.linkedin.example/")
                with pytest.raises(httpx.RemoteProtocolError):
                    await http.get("http://api.linkedin.example/")
        return server

    assert len(asyncio.run(send()).requests) == 2


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([ok(b"x", b"connection: close")], id="the server says that it closes"),
        pytest.param([ok(b"x"), b""], id="the server closes"),
        pytest.param([ok(b"x"), 0.01, ok(b"never requested")], id="a response after the response"),
    ],
)
def test_a_connection_that_is_out_of_step_is_not_used_again(parts: Sequence[bytes | float]) -> None:
    server, outcomes = asyncio.run(get_times(3, lambda number: parts, pause_seconds=0.3))
    assert outcomes == [b"x"] * 3
    assert (len(server.requests), server.connection_count) == (3, 3)


def test_a_cancelled_request_leaves_no_connection_behind() -> None:
    async def cancel_and_send_again() -> bytes:
        async with serving(lambda number: [ok(b"x")] if number else [60.0]) as server, HttpClient() as http:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(http.get(server.url), 0.05)
            response = await http.get(server.url)
            await asyncio.sleep(0.02)
            assert (server.connection_count, server.open_count) == (2, 1)
            return response.content

    assert asyncio.run(cancel_and_send_again()) == b"x"


def test_no_cookie_of_one_application_is_sent_with_anothers_calls() -> None:
    server, _ = asyncio.run(get_times(2, lambda number: [ok(b"x", b"set-cookie: bcookie=1; path=/")]))
    assert len(server.requests) == 2
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_no_redirect_is_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
    server, _ = asyncio.run(get_times(1, lambda number: [moved]))
    assert len(server.requests) == 1


def test_a_response_may_come_slowly_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "TIMEOUT", httpx.Timeout(0.3))
    slow = [part for byte in ok(b"x")[-6:] for part in (0.1, bytes([byte]))]
    assert asyncio.run(get_times(1, lambda number: [ok(b"x")[:-6], *slow]))[1] == [b"x"]
    monkeypatch.setattr(http_module, "DEADLINE_SECONDS", 0.4)
    (error,) = asyncio.run(get_times(1, lambda number: [ok(b"x")[:-6], *slow]))[1]
    assert isinstance(error, httpx.ReadTimeout)
    assert str(error) == "Timeout: no complete response within 0.4 s"


@pytest.mark.parametrize("is_proxied", [False, True])
def test_a_response_beyond_the_limit_is_cut_off(monkeypatch: pytest.MonkeyPatch, is_proxied: bool) -> None:
    async def send() -> None:
        async with serving(lambda number: [ok(b" " * (MAX_RESPONSE_BYTES + 1))]) as server:
            if is_proxied:
                monkeypatch.setenv("http_proxy", server.url)
            await get_once("http://api.linkedin.example/" if is_proxied else server.url)

    with pytest.raises(httpx.ReadError, match="longer than 16 MB"):
        asyncio.run(send())


def test_a_response_is_limited_as_decompressed() -> None:
    packed = gzip.compress(b" " * (MAX_RESPONSE_BYTES + 1))
    _, (error,) = asyncio.run(get_times(1, lambda number: [ok(packed, b"content-encoding: gzip")]))
    assert "longer than 16 MB" in str(error)
    _, (body,) = asyncio.run(get_times(1, lambda number: [ok(gzip.compress(b"hello"), b"content-encoding: gzip")]))
    assert body == b"hello"


@pytest.mark.parametrize(
    "parts",
    [
        [b"220 mail.example ESMTP\r\n", b""],
        [OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"],
        [OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhel", b""],
        [ok(b"hello", b"content-encoding: gzip")],
        [OK, *[b"x: y\r\n" * 1_000] * 20],
    ],
)
def test_what_is_not_a_response_is_a_transient_error_in_a_few_words(parts: Parts) -> None:
    _, outcomes = asyncio.run(get_times(2, lambda number: parts if number == 0 else [ok(b"x")]))
    assert isinstance(outcomes[0], httpx.TransportError | httpx.DecodingError)
    assert len(str(outcomes[0])) < 300
    assert outcomes[1] == b"x"


def test_tls_trusts_the_authorities_of_ssl_cert_file_and_only_for_their_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def send(host: str) -> bytes:
        async with serving(lambda number: [ok(b"x")], context) as server:
            return await get_once(server.url.replace("127.0.0.1", host))

    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(send("127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert asyncio.run(send("127.0.0.1")) == b"x"
    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        asyncio.run(send("localhost"))


def test_certificates_that_cannot_be_read_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))
    with pytest.raises(ConfigurationError, match=r"certificates cannot be checked: .*nowhere"):
        HttpClient()


@pytest.mark.parametrize(("name", "scheme"), [("http_proxy", "http://"), ("http_proxy", ""), ("ALL_PROXY", "http://")])
def test_calls_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, name: str, scheme: str) -> None:
    async def send() -> Server:
        async with serving(lambda number: [ok(gzip.compress(b"x"), b"content-encoding: gzip")]) as server:
            place = server.url.removeprefix("http://").partition("/")[0]
            monkeypatch.setenv(name, f"{scheme}dana:p%40ss@{place}")
            monkeypatch.setenv("no_proxy", "inside.example")
            assert await get_once("http://api.linkedin.example/v2/tasks?ids=urn:li:a:1&ids=urn:li:a:2") == b"x"
            with pytest.raises(httpx.ConnectError):
                await get_once("http://inside.example:1/x")
        return server

    (request,) = asyncio.run(send()).requests
    assert request.startswith(b"GET http://api.linkedin.example/v2/tasks?ids=urn:li:a:1&ids=urn:li:a:2 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic ZGFuYTpwQHNz" in request


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
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer), return_exceptions=True)

    async def send() -> bytes:
        async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy, serving(lambda number: [ok(b"x")], context) as server:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            return await get_once(server.url)

    if problem is None:
        assert asyncio.run(send()) == b"x"
    else:
        with pytest.raises(httpx.TransportError, match=problem):
            asyncio.run(send())


def test_through_a_proxy_as_many_calls_are_in_flight_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send() -> list[bytes]:
        is_full = asyncio.Event()

        server = Server(lambda number: [ok(b"x")])
        arrived = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal arrived
            arrived += 1
            if arrived == 120:
                is_full.set()
            await is_full.wait()
            await server.handle(reader, writer)

        async with await asyncio.start_server(handle, "127.0.0.1", 0, backlog=200) as proxy:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            async with HttpClient() as http:
                calls = asyncio.gather(*(http.get("http://api.linkedin.example/") for _ in range(120)))
                return [response.content for response in await asyncio.wait_for(calls, 20)]

    assert asyncio.run(send()) == [b"x"] * 120


@pytest.mark.parametrize(
    "address", ["carrier://dana:secret@pigeon", "http://dana:secret/x@host:1", "http://dana:secret@[::1", "socks5://dana:secret@host:1"]
)
def test_a_proxy_that_cannot_be_used_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(ConfigurationError, match="The proxy that the environment names") as caught:
        HttpClient()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("head", [b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", b""])
def test_a_proxy_that_refuses_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    async def send() -> None:
        async with serving(lambda number: [head, b""]) as server:
            monkeypatch.setenv("https_proxy", server.url.replace("http://", "http://dana:secret@"))
            await get_once("https://api.linkedin.example/")

    with pytest.raises(httpx.TransportError) as caught:
        asyncio.run(send())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", f"http://{'a' * 64}.example/x"])
def test_an_address_that_is_none_is_a_transport_error(url: str) -> None:
    with pytest.raises(httpx.TransportError):
        asyncio.run(get_once(url))

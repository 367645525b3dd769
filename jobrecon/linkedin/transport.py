"""How questions travel: requests, faults and clients are httpx's, the work is done by what was measured to be fastest.

httpx parses every URL anew, character by character; a query of 4 KB costs it more than the call. So the query travels beside
the request, and is put behind the URL as it is.
"""

import asyncio
import socket
import ssl
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import getproxies, proxy_bypass

import httpx

from jobrecon import __version__
from jobrecon.linkedin.connection import ANSWER_LIMIT_BYTES, Connection, Limits, Reply, too_long, unpack
from jobrecon.linkedin.retry import describe

LIMITS = Limits()
HEADERS = {"Accept-Encoding": "gzip", "User-Agent": f"jobrecon/{__version__}"}
PORTS = {"http": 80, "https": 443}
Origin = tuple[str, bytes, int | None]


class Transport(httpx.AsyncBaseTransport):
    """Kept connections, as many as calls are in flight, for all applications. Proxies are as the environment says."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[Connection]] = {}
        self._proxied: dict[Origin, httpx.AsyncHTTPTransport | None] = {}
        self._reached: set[str] = set()
        """Addresses where somebody answered: of several that a host has, these are tried first."""
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        status, headers, body = await self.send(request)
        # The body is unpacked already.
        told = [header for header in headers if header[0] not in (b"content-encoding", b"content-length", b"transfer-encoding")]
        return httpx.Response(status, headers=told, content=body, request=request)

    async def send(self, request: httpx.Request, query: str = "") -> Reply:
        """The answer to a request, with the query put behind its URL as it is. Sends once; faults are httpx's."""
        url = request.url
        origin = url.scheme, url.raw_host, url.port
        if origin not in self._proxied:
            self._proxied[origin] = self._find_proxy(url)
        if proxied := self._proxied[origin]:
            return await _send_through(proxied, request, query)
        question = _write(request, query)
        idle = self._idle.setdefault(origin, [])
        while idle:
            connection = idle.pop()
            if connection.is_open:
                break
            connection.close()
        else:
            connection = await self._connect(url)
        reply = await connection.ask(question)
        if self._is_closed:
            connection.close()
        else:
            idle.append(connection)
        return reply

    async def _connect(self, url: httpx.URL) -> Connection:
        host, port = url.raw_host.decode(), url.port or PORTS.get(url.scheme)
        if port is None:
            raise httpx.UnsupportedProtocol(f"{url.scheme}:// is no address of an HTTP server")
        limits, context = LIMITS, self._tls if url.scheme == "https" else None
        loop = asyncio.get_running_loop()
        problem: Exception = OSError("it has no address")
        try:
            async with asyncio.timeout(limits.connect):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                addresses = sorted(
                    dict.fromkeys(str(address[0]) for *_, address in found), key=lambda address: address not in self._reached
                )
                for address in addresses:
                    try:
                        # One after the other: asyncio's race of several addresses loses sockets.
                        async with asyncio.timeout(limits.connect / len(addresses)):
                            _, connection = await loop.create_connection(
                                lambda: Connection(limits), address, port, ssl=context, server_hostname=host if context else None
                            )
                    except OSError as error:
                        problem = error
                        self._reached.discard(address)
                    else:
                        self._reached.add(address)
                        return connection
        except (OSError, UnicodeError) as error:
            problem = error
        if isinstance(problem, TimeoutError):
            raise httpx.ConnectTimeout(f"Timeout: no connection to {host}:{port} within {limits.connect:g} s") from problem
        raise httpx.ConnectError(f"Cannot connect to {host}:{port}: {describe(problem)}") from problem

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The system's authorities, or those that SSL_CERT_FILE names. Read once: it takes as long as a hundred calls."""
        try:
            return ssl.create_default_context()
        except OSError as error:
            raise httpx.ConnectError(f"Certificates cannot be checked: {describe(error)}") from error

    def _find_proxy(self, url: httpx.URL) -> httpx.AsyncHTTPTransport | None:
        """httpx's own transport where the environment names a proxy for the host: slower, but it can speak to any of them."""
        named = getproxies()
        address = (named.get(url.scheme) or named.get("all") or "").strip()
        if not address or proxy_bypass(url.host) or proxy_bypass(url.netloc.decode()):
            return None
        try:
            proxy = httpx.URL(address if "://" in address else f"http://{address}")
            limits = httpx.Limits(keepalive_expiry=LIMITS.idle)
            return httpx.AsyncHTTPTransport(proxy=httpx.Proxy(proxy), verify=self._tls, limits=limits)
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            # Its own words may hold the proxy's password.
            problem = str(error) if isinstance(error, ImportError) else "it is no address of a proxy"
            raise httpx.UnsupportedProtocol(f"The proxy that the environment names for {url.scheme}:// cannot be used: {problem}") from None

    async def aclose(self) -> None:
        self._is_closed = True
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
        for proxied in self._proxied.values():
            if proxied:
                await proxied.aclose()
        # The event loop lets go of closed connections in its next round.
        await asyncio.sleep(0)


class QueryClient(httpx.AsyncClient):
    """httpx's client, and a short way for the questions that are asked by the ten thousand."""

    def __init__(self) -> None:
        self.transport = Transport()
        # What LinkedIn gives one customer's application to keep is not shown with another's.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        super().__init__(transport=self.transport, follow_redirects=False, headers=HEADERS, cookies=no_cookies)

    async def ask(self, request: httpx.Request, query: str = "") -> tuple[int, bytes]:
        """Status and body of the answer to a request and a query.

        The request may be asked again with another query. It goes past the client's cookies, hooks, redirects and logins, and
        no response is made of the answer: together they take a third of a call.
        """
        status, _, body = await self.transport.send(request, query)
        return status, body


def _write(request: httpx.Request, query: str) -> bytes:
    """The request as it goes over the wire. Raises `httpx.LocalProtocolError` for what would be taken for another request."""
    target = request.url.raw_path + b"?" + query.encode() if query else request.url.raw_path
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), target)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    if not head.count(b"\n") == head.count(b"\r") == len(lines) - 1 or lines[0].count(b" ") != 2:
        raise httpx.LocalProtocolError("the request holds a line break or a space where none may be")
    return head + b"\r\n\r\n" + request.content


async def _send_through(proxied: httpx.AsyncHTTPTransport, request: httpx.Request, query: str) -> Reply:
    url = request.url.copy_with(query=query.encode()) if query else request.url
    timeouts = httpx.Timeout(LIMITS.silence, connect=LIMITS.connect).as_dict()
    asked = httpx.Request(request.method, url, headers=request.headers, content=request.content, extensions={"timeout": timeouts})
    body = bytearray()
    try:
        async with asyncio.timeout(LIMITS.total):
            response = await proxied.handle_async_request(asked)
            try:
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > ANSWER_LIMIT_BYTES:
                        raise too_long()
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"Timeout: the answer was not there within {LIMITS.total:g} s") from error
    except (OSError, ExceptionGroup) as error:
        # What httpx does not translate.
        raise httpx.ReadError(describe(error)) from error
    headers = [(name.lower(), value) for name, value in response.headers.raw]
    return Reply(response.status_code, headers, unpack(bytes(body), dict(headers).get(b"content-encoding", b"")))

"""aiohttp under httpx: requests, faults and clients are httpx's, the work is done by what was measured to be fastest.

httpx parses every URL anew, character by character; a query of 4 KB costs it more than the call. So the query travels beside
the request, and is put behind the URL as it is.
"""

from functools import cache
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
"""An answer about 100 tasks is 100 KB; one beyond this is no answer, and must not fill the memory."""
LIMITS = aiohttp.ClientTimeout(sock_connect=10, sock_read=30, total=120)
"""Seconds to connect, without a byte, and of a whole call: however an answer trickles, it holds no run up for longer."""

FAULTS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ClientError, httpx.NetworkError),
    (OSError, httpx.NetworkError),
)
"""aiohttp's faults as httpx's; the first that fits counts."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """One pool of connections for all applications. Proxies are as the environment says, times are bounded by `LIMITS`."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer, body = await self.send(request)
        return httpx.Response(answer.status, headers=_describe(answer), content=body, request=request)

    async def send(self, request: httpx.Request, query: str = "") -> tuple[aiohttp.ClientResponse, bytes]:
        """The answer and its body, with the query put behind the request's URL as it is. Faults are httpx's."""
        if self._session is None:
            # How many calls are in flight is the workers' business, not the pool's.
            connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=300)
            self._session = aiohttp.ClientSession(connector=connector, timeout=LIMITS, middlewares=[_send_once])
        address = str(request.url)
        try:
            async with self._session.request(
                request.method,
                URL(f"{address}?{query}" if query else address, encoded=True),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=request.content or None,
                allow_redirects=False,
                proxy=_find_proxy(request.url.scheme, request.url.host),
            ) as answer:
                return answer, await _read_bounded(answer)
        except httpx.HTTPError:
            raise
        except Exception as error:
            for theirs, ours in FAULTS:
                if isinstance(error, theirs):
                    # Some name the address, with a query of 4 KB.
                    raise ours(str(error).partition("?ids=")[0] or type(error).__name__) from error
            raise

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class QueryClient(httpx.AsyncClient):
    """httpx's client over aiohttp, and a short way for the questions that are asked by the ten thousand."""

    def __init__(self) -> None:
        self.transport = AiohttpTransport()
        super().__init__(transport=self.transport, follow_redirects=False)

    async def ask(self, request: httpx.Request, query: str = "") -> tuple[int, bytes]:
        """Status and body of the answer to a request and a query.

        The request may be asked again with another query. It goes past the client's cookies, hooks, redirects and logins, and
        no response is made of the answer: together they take a third of a call.
        """
        answer, body = await self.transport.send(request, query)
        return answer.status, body


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET again by itself when a kept connection breaks: each send has to be charged first."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


@cache
def _find_proxy(scheme: str, host: str) -> str | None:
    """The environment's proxy for a host, looked up once: aiohttp's own `trust_env` asks a thread twice at every call."""
    return None if proxy_bypass(host) else getproxies().get(scheme)


def _describe(answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    """The headers for httpx, without those of a packing that aiohttp took off already."""
    return [header for header in answer.raw_headers if header[0].lower() not in (b"content-encoding", b"content-length")]


async def _read_bounded(answer: aiohttp.ClientResponse) -> bytes:
    is_packed = "content-encoding" in answer.headers
    if answer.content_length is not None and answer.content_length <= ANSWER_LIMIT_BYTES and not is_packed:
        return await answer.read()
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > ANSWER_LIMIT_BYTES:
            raise httpx.ReadError(f"the answer is longer than {ANSWER_LIMIT_BYTES // 1024**2} MB")
        parts.append(part)
    return b"".join(parts)

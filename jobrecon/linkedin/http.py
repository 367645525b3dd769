"""The HTTP client: httpx, with a deadline for a whole call and a limit on the size of a response."""

import asyncio
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from jobrecon import __version__
from jobrecon.errors import ConfigurationError
from jobrecon.linkedin.retry import describe

MAX_RESPONSE_BYTES = 16 * 1024 * 1024
"""A response about 100 tasks is 100 KB; one beyond this is malformed, and must not fill the memory."""
TIMEOUT = httpx.Timeout(30, connect=10, pool=None)
DEADLINE_SECONDS = 120.0
"""For a whole call: a response that trickles never runs into a timeout between two bytes."""
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=15)


class HttpClient(httpx.AsyncClient):
    """Sends each request once, follows no redirect and stores no cookie. Proxies are taken from the environment.

    Raises `httpx.TransportError` for whatever goes wrong on the way, and `ConfigurationError` when it is created where the
    environment names a proxy or certificates that cannot be used.
    """

    def __init__(self) -> None:
        # A cookie that LinkedIn sets for one customer's application must not be sent with another's calls.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        headers = {"User-Agent": f"jobrecon/{__version__}"}
        self.deadline_seconds = DEADLINE_SECONDS
        try:
            # The system's authorities, or those of SSL_CERT_FILE; httpx alone would trust certifi's.
            context = ssl.create_default_context()
        except OSError as error:
            raise ConfigurationError(f"TLS certificates cannot be checked: {describe(error)}. Nothing was sent.") from error
        try:
            super().__init__(verify=context, timeout=TIMEOUT, limits=LIMITS, headers=headers, cookies=no_cookies)
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            # The error's own text may hold the proxy's password.
            problem = str(error) if isinstance(error, ImportError) else "it is not the address of a proxy"
            raise ConfigurationError(
                f"The proxy that the environment names (http_proxy, https_proxy, all_proxy) cannot be used: {problem}. Nothing was sent."
            ) from None

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The response, read whole."""
        try:
            async with asyncio.timeout(self.deadline_seconds):
                response = await super().send(request, **options | {"stream": True})
                try:
                    body = await _read_body(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"Timeout: no complete response within {self.deadline_seconds:g} s", request=request) from error
        except (OSError, ExceptionGroup) as error:
            # What httpx does not translate, such as a TLS alert after the handshake.
            raise httpx.ReadError(describe(error), request=request) from error
        # The body is decoded already.
        headers = [header for header in response.headers.multi_items() if header[0] not in ("content-encoding", "content-length")]
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)


async def _read_body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_RESPONSE_BYTES:
            raise httpx.ReadError(f"the response is longer than {MAX_RESPONSE_BYTES // 1024**2} MB", request=response.request)
    return bytes(body)

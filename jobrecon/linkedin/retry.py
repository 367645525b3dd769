"""Retry policy: which errors are transient, how long to wait, and how to report them without a secret."""

import asyncio
import json
import random

import httpx
from pydantic import SecretStr

from jobrecon.secrets import MASK

TRANSIENT_ERRORS = (httpx.TransportError, httpx.DecodingError)
"""Refused and reset connections, timeouts, TLS errors, malformed HTTP."""


class Backoff:
    """Waits that double, with jitter, a bounded number of times."""

    def __init__(self, attempts: int = 4, first_seconds: float = 0.4, max_seconds: float = 8) -> None:
        self.left = attempts - 1
        self.seconds = first_seconds
        self.max_seconds = max_seconds

    async def wait(self) -> bool:
        """Wait before another attempt; False, at once, where none is left."""
        if self.left <= 0:
            return False
        self.left -= 1
        await asyncio.sleep(self.seconds * random.uniform(0.5, 1.5))
        self.seconds = min(self.seconds * 2, self.max_seconds)
        return True


def describe(error: BaseException) -> str:
    """The first line of the error's text, or the name of its class."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return text[:300] or type(error).__name__


def redact_json(body: bytes, secret: SecretStr) -> bytes:
    """A JSON body without the secret, however JSON escapes it."""
    escaped = json.dumps(secret.get_secret_value())[1:-1]
    for form in (secret.get_secret_value(), escaped, escaped.replace("/", "\\/")):
        body = body.replace(form.encode(), MASK.encode())
    return body

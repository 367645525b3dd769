"""Passing faults: which they are, how long to wait, and how to tell of them without a secret."""

import asyncio
import random
from collections.abc import Iterable
from urllib.parse import quote_plus

import httpx
from pydantic import SecretStr

TRANSIENT_ERRORS = (httpx.TransportError,)
"""Refused and reset connections, timeouts, TLS trouble, broken answers."""


class Backoff:
    """Waits that double, with jitter, a bounded number of times."""

    def __init__(self, attempts: int = 4, first_seconds: float = 0.4, longest_seconds: float = 8) -> None:
        self.left = attempts - 1
        self.seconds = first_seconds
        self.longest_seconds = longest_seconds

    async def wait(self) -> bool:
        """Wait before another attempt; False, at once, where there is none left."""
        if self.left <= 0:
            return False
        self.left -= 1
        await asyncio.sleep(self.seconds * random.uniform(0.5, 1.5))
        self.seconds = min(self.seconds * 2, self.longest_seconds)
        return True


def describe(error: Exception) -> str:
    """The fault in a few words."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return text[:300] or type(error).__name__


def redact(text: str, secrets: Iterable[SecretStr]) -> str:
    """The text without any of the secrets, plain or as a form carries them."""
    for secret in secrets:
        if value := secret.get_secret_value():
            text = text.replace(value, "**********").replace(quote_plus(value), "**********")
    return text

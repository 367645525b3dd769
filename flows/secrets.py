"""Prefect blocks as a source of secrets: `client_secrets = ["prefect:acme-secret"]`."""

import asyncio
import logging
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any

from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from pydantic import Field, SecretStr

from jobrecon.errors import ConfigurationError

CACHE_SECONDS = 60
"""The receiver reads secrets every other second; a rotated one is used after a minute."""

log = logging.getLogger(__name__)


class LinkedInApplication(Block):
    """The credentials of a customer's LinkedIn application, as a Prefect block."""

    _block_type_name = "LinkedIn Application"
    _block_type_slug = "linkedin-application"
    _description = "Credentials of a LinkedIn developer application, for jobrecon's applications.toml."

    client_id: str = Field(description="Client id, for reference: jobrecon reads it from applications.toml")
    client_secret: SecretStr = Field(description="Client secret")


class BlockReader:
    """Reads blocks through a cache; while the Prefect server is unreachable, cached secrets stay in use."""

    def __init__(self, cache_seconds: float = CACHE_SECONDS) -> None:
        self._cache_seconds = cache_seconds
        self._cached: dict[str, tuple[SecretStr, float]] = {}
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        """One a block: one that is slow to read delays no other."""

    def read(self, name: str) -> SecretStr:
        with self._locks[name]:
            cached = self._cached.get(name)
            if cached and time.monotonic() - cached[1] < self._cache_seconds:
                return cached[0]
            try:
                secret = _load(name)
            except Exception as error:  # noqa: BLE001  whatever it is, its text may hold what the block holds
                # A block that the server says is deleted or no text leaves the cache: it may have been revoked.
                if cached is None or isinstance(error, ValueError | TypeError):
                    self._cached.pop(name, None)
                    raise ConfigurationError(
                        f"The Prefect block {name}, which a client secret refers to, cannot be read: {type(error).__name__}. "
                        "Check its name, that it is a Secret or a LinkedIn Application, and PREFECT_API_URL."
                    ) from None
                log.warning("The Prefect block %s cannot be read again (%s); the cached secret is used.", name, type(error).__name__)
                secret = cached[0]
            self._cached[name] = secret, time.monotonic()
            return secret


def _load(name: str) -> SecretStr:
    slug = name if "/" in name else f"secret/{name}"
    # In a thread of its own: the caller may run an event loop, and Prefect's client needs one;
    # with the caller's context, which holds Prefect's settings.
    with ThreadPoolExecutor(1) as thread:
        block: Any = thread.submit(copy_context().run, lambda: asyncio.run(Block.aload(slug))).result()
    value = block.client_secret.get_secret_value() if isinstance(block, LinkedInApplication) else None
    if isinstance(block, Secret):
        value = block.get()
    if not isinstance(value, str) or not value:
        raise TypeError("no text")
    return SecretStr(value)


read_secret = BlockReader().read

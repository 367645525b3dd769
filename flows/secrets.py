"""Prefect blocks as a source of secrets: `client_secrets = ["prefect:acme-secret"]`."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any

from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from pydantic import Field, SecretStr

from jobrecon.errors import ConfigurationError

FRESH_SECONDS = 60
"""The receiver asks every other second; a rotated secret counts after a minute."""

log = logging.getLogger(__name__)


class LinkedInApplication(Block):
    """A customer's application at LinkedIn, as a block: what LinkedIn's developer portal shows of it."""

    _block_type_name = "LinkedIn Application"
    _block_type_slug = "linkedin-application"
    _description = "Credentials of a LinkedIn developer application, for jobrecon's applications.toml."

    client_id: str = Field(description="Client id, for reference: jobrecon reads it from applications.toml")
    client_secret: SecretStr = Field(description="Client secret")


class BlockReader:
    """Blocks that were read, kept for a while: a Prefect server that is away for a moment takes no secret with it."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh_seconds = fresh_seconds
        self._kept: dict[str, tuple[SecretStr, float]] = {}
        self._lock = Lock()

    def read(self, name: str) -> SecretStr:
        with self._lock:
            kept = self._kept.get(name)
            if kept and time.monotonic() - kept[1] < self._fresh_seconds:
                return kept[0]
            try:
                secret = _load(name)
            except Exception as error:  # noqa: BLE001  whatever it is, its text may hold what the block holds
                # What the server knows to be gone, or to be no text, is gone: somebody may have taken it back.
                if kept is None or isinstance(error, ValueError | TypeError):
                    self._kept.pop(name, None)
                    raise ConfigurationError(
                        f"The Prefect block {name}, which a client secret refers to, cannot be read: {type(error).__name__}. "
                        "Check its name, that it is a Secret or a LinkedIn Application, and PREFECT_API_URL."
                    ) from None
                log.warning("The Prefect block %s cannot be read anew (%s); the secret read before is used.", name, type(error).__name__)
                secret = kept[0]
            self._kept[name] = secret, time.monotonic()
            return secret


def _load(name: str) -> SecretStr:
    slug = name if "/" in name else f"secret/{name}"
    # In a thread of its own: whoever asks may have an event loop running, and Prefect's client needs one;
    # with the caller's context, in which Prefect keeps its settings.
    with ThreadPoolExecutor(1) as thread:
        block: Any = thread.submit(copy_context().run, lambda: asyncio.run(Block.aload(slug))).result()
    value = block.client_secret.get_secret_value() if isinstance(block, LinkedInApplication) else None
    if isinstance(block, Secret):
        value = block.get()
    if not isinstance(value, str) or not value:
        raise TypeError("no text")
    return SecretStr(value)


read_secret = BlockReader().read

"""Secrets: references to where they lie, resolved as late as can be, wrapped from the moment they are read."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

from pydantic import SecretStr

from jobrecon.errors import ConfigurationError

KINDS = "`env:NAME`, `file:/path` or `prefect:block`"


def is_reference(text: str) -> bool:
    """Whether this may point to a secret, as far as can be told without looking."""
    kind, _, place = text.partition(":")
    return bool(place) and kind in ("env", "file", *_find_readers().names)


def resolve_secret(reference: str, environment: Mapping[str, str]) -> SecretStr:
    """The secret that a reference points to, wrapped. Raises `ConfigurationError` without its value.

    `env:NAME` and `file:/path` are read here. Any other kind by the installed reader of that name, an entry point of the group
    `jobrecon.secrets`: a function from what stands behind the colon to the secret, which says in a `ConfigurationError` why not.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        if value := environment.get(place, ""):
            return SecretStr(value)
        raise ConfigurationError(f"The environment variable {place} is not set (or empty), which a client secret refers to. Set it.")
    if kind == "file":
        return _read_file(place)
    for reader in _find_readers().select(name=kind):
        read: SecretStr = reader.load()(place)
        return read
    # The reference may be the secret itself, written there by mistake: do not print it.
    raise ConfigurationError(f"A client secret must be a reference, {KINDS}, never the secret itself.")


@cache
def _find_readers() -> EntryPoints:
    return entry_points(group="jobrecon.secrets")


def _read_file(place: str) -> SecretStr:
    try:
        if value := Path(place).read_text(encoding="utf-8").strip():
            return SecretStr(value)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The file {place}, which a client secret refers to, cannot be read: {type(error).__name__}.") from None
    raise ConfigurationError(f"The file {place}, which a client secret refers to, is empty.")

"""Secrets: references to where they are stored, resolved when they are needed, wrapped once they are read."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from pydantic import SecretStr

from jobrecon.errors import ConfigurationError
from jobrecon.redaction import remember_secrets

KINDS = "`env:NAME`, `file:/path` or `prefect:block`"


def is_reference(text: str) -> bool:
    """Whether this has the form of a reference; what it points to is not read."""
    kind, _, place = text.partition(":")
    return bool(place) and kind in ("env", "file", "prefect")


def resolve_secret(reference: str, environment: Mapping[str, str]) -> SecretStr:
    """The secret that a reference points to, wrapped, and redacted from now on. Raises `ConfigurationError` without its value.

    `env:NAME` and `file:/path` are read here, `prefect:block` by the room that knows Prefect, loaded only then.
    """
    secret = _read_reference(reference, environment)
    remember_secrets(secret.get_secret_value())
    return secret


def _read_reference(reference: str, environment: Mapping[str, str]) -> SecretStr:
    kind, _, place = reference.partition(":")
    if kind == "env":
        if value := environment.get(place, ""):
            return SecretStr(value)
        raise ConfigurationError(f"The environment variable {place}, which a client secret refers to, is not set or empty. Set it.")
    if kind == "file":
        return _read_file(place)
    if kind == "prefect":
        secret: SecretStr = import_module("flows.secrets").read_secret(place)
        return secret
    # The reference may be the secret itself, written there by mistake: do not print it.
    raise ConfigurationError(f"A client secret must be a reference, {KINDS}, never the secret itself.")


def _read_file(place: str) -> SecretStr:
    try:
        if value := Path(place).read_text(encoding="utf-8-sig").strip():
            return SecretStr(value)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The file {place}, which a client secret refers to, cannot be read: {type(error).__name__}.") from None
    raise ConfigurationError(f"The file {place}, which a client secret refers to, is empty.")

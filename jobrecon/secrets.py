"""Secrets known to this process, removed by value from every text that leaves it: logs, errors, pages, messages."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from functools import cache
from types import TracebackType
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

MIN_LENGTH = 8
"""A shorter secret may be a common word: it is removed only where it stands as a value, after a colon, a quote or an equals sign."""
MASK = "***"

_secrets: set[str] = set()
_ASSIGNED = re.compile(r"""(?i)(?:password|passwd|pwd|passphrase|secret|token|signature|sig|key)\s*=\s*('(?:[^']|'')*'|[^\s&;,'")]+)""")


def remember_secrets(*values: str) -> None:
    """Remove these values from now on, also where they are percent-encoded."""
    for value in values:
        if value:
            _secrets.update((value, quote(value, safe=""), quote_plus(value), quote(value)))
    _compile.cache_clear()


def redact(text: str) -> str:
    """The text without any known secret."""
    pattern = _compile()
    return pattern.sub(MASK, text) if pattern else text


def find_secrets(address: str) -> Iterator[str]:
    """The passwords in the address of a database, a lake or a mail server: before its host, in its query, in its options."""
    for found in _ASSIGNED.findall(address):
        value = found.strip("'")
        yield value
        yield unquote(value)
    user_info = address.partition("://")[2].partition("?")[0].rpartition("@")[0]
    if password := user_info.partition(":")[2]:
        yield password
        yield unquote(password)


def find_path_secrets(address: str) -> Iterator[str]:
    """The secrets of a webhook's address: the whole of it, and the parts of its path and query that are no plain words."""
    yield address
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    for value in [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)), parts.password or ""]:
        if len(value) >= MIN_LENGTH and any(character.isdigit() or character.isupper() for character in value):
            yield value


class RedactedRecord(logging.LogRecord):
    """A log record whose message holds no known secret, whichever library wrote it."""

    def getMessage(self) -> str:  # noqa: N802 - the library's name
        return redact(super().getMessage())


def redact_logs() -> None:
    """Make every log record of this process a `RedactedRecord`, and print the tracebacks of other libraries redacted too."""
    logging.setLogRecordFactory(RedactedRecord)
    sys.excepthook = _print_traceback


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


@cache
def _compile() -> re.Pattern[str] | None:
    values = sorted(_secrets, key=len, reverse=True)
    parts = [re.escape(value) if len(value) >= MIN_LENGTH else rf"(?<=[:='\"]){re.escape(value)}(?=[@&;,'\")\s]|$)" for value in values]
    return re.compile("|".join(parts)) if parts else None

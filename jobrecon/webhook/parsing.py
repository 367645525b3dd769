"""Parsing of notifications and their canonical JSON. Pure: whatever a stranger sends is parsed or rejected."""

import codecs
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import orjson

from jobrecon.errors import JobreconError
from models.values import APPLICATION_URN_PREFIX, parse_json, read_application_urn, read_id, read_moment

JOB_POSTING_STATUS = "JOB_POSTING_STATUS"
RESYNC_JOBS = "RESYNC_JOBS"
MAX_NAME_LENGTH = 200
# LinkedIn's bodies are four deep. Far below what the JSON parsers of Python, DuckDB and PostgreSQL accept.
MAX_DEPTH = 100

# Possessive, so that a text of a hundred thousand quotes costs one pass. An unterminated string extends to the end.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_NAMED_APPLICATION = re.compile(rb"urn:li:developerApplication:([0-9]{1,20})")


class InvalidNotification(JobreconError):
    """A body that is no notification; `reason` is for its sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ParsedNotification:
    """The fields of a notification that the receiver needs. Everything else is in `payload`."""

    type: str
    application_urn: str
    external_job_posting_id: str | None
    payload: str
    body_hash: str


def parse_body(body: bytes) -> ParsedNotification:
    """Parse a notification as received. Raises `InvalidNotification`, and nothing else, for anything that is none.

    `payload` is the same for bodies that differ only in key order, whitespace or escapes. Lone surrogates become U+FFFD in it;
    unknown fields and values are preserved; of a duplicate key the last one counts.
    """
    return _interpret(*_canonicalize(body))


def parse_import_line(line: bytes, zone: tzinfo = UTC) -> tuple[datetime | None, ParsedNotification]:
    """Parse a line of NDJSON: a bare body, or `{"received_at": …, "body": {…}}`, the body an object or its text.

    The moment is in `zone` where it names no offset; None where there is none. Raises `InvalidNotification`.
    """
    document, payload = _canonicalize(line)
    if not isinstance(document, dict) or "body" not in document or "type" in document:
        return None, _interpret(document, payload)
    received_at = _read_received_at(document.get("received_at"), zone)
    inner = document["body"]
    return received_at, _interpret(*(_canonicalize(inner.encode()) if isinstance(inner, str) else (inner, _write(inner))))


def find_application(body: bytes) -> str | None:
    """The application that a body seems to name, even an invalid one: whose secrets may have signed it."""
    found = _NAMED_APPLICATION.search(body)
    return APPLICATION_URN_PREFIX + found[1].decode() if found else None


def _canonicalize(body: bytes) -> tuple[Any, str]:
    """The document in `body`, and its canonical JSON."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise InvalidNotification("The body is empty.")
    try:
        if _is_too_deep(body.decode()):
            raise InvalidNotification(f"The body is nested deeper than {MAX_DEPTH}.")
        document = parse_json(body)
        return document, _write(document)
    except UnicodeDecodeError:
        raise InvalidNotification("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise InvalidNotification(f"The body is not JSON (line {error.lineno}, column {error.colno}).") from None
    except ValueError as error:
        raise InvalidNotification(f"The body {error}.") from None


def _write(document: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no needless escapes. Raises `ValueError` for a number that no float is."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        # Fractions, and whole numbers of more than 64 bits.
        pass
    try:
        return _ENCODER.encode(document)
    except ValueError:
        raise ValueError("holds a number out of range") from None


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=float, allow_nan=False)


def _interpret(document: Any, payload: str) -> ParsedNotification:
    if not isinstance(document, dict):
        raise InvalidNotification("The body is not a JSON object.")
    type_ = document.get("type")
    if not isinstance(type_, str) or not _is_name(type_):
        raise InvalidNotification(f"type is missing, or not a text of 1 to {MAX_NAME_LENGTH} characters.")
    application_urn = _read_application_urn(document.get("developerApplicationUrn"))
    job = _read_name(document.get("externalJobPostingId"))
    if type_ == JOB_POSTING_STATUS and job is None:
        raise InvalidNotification(f"externalJobPostingId is missing, or not a text of 1 to {MAX_NAME_LENGTH} characters.")
    return ParsedNotification(type_, application_urn, job, payload, hashlib.sha256(payload.encode()).hexdigest())


def _read_application_urn(value: Any) -> str:
    name = read_application_urn(_read_name(value))
    if name is None:
        raise InvalidNotification("developerApplicationUrn is missing, or neither a text nor a number.")
    return name


def _read_name(value: Any) -> str | None:
    """An id as text; LinkedIn's own samples write some of them as numbers. None where it is none."""
    try:
        name = read_id(value)
    except ValueError:
        return None
    return name if name is not None and _is_name(name) else None


def _is_name(text: str) -> bool:
    # PostgreSQL stores no NUL in a text: the database would reject the body, and LinkedIn would send it again for ever.
    return 0 < len(text) <= MAX_NAME_LENGTH and "\0" not in text


def _read_received_at(value: Any, zone: tzinfo) -> datetime | None:
    try:
        moment = read_moment(value, zone)
    except ValueError:
        moment = None
    if moment is None and value is not None:
        raise InvalidNotification("received_at is no ISO 8601 date and time.")
    return moment

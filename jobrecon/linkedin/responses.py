"""Parsing of LinkedIn's responses to batch gets, with every trap of them. No I/O."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import unquote

from jobrecon.linkedin.retry import describe
from models.values import parse_json, read_id, read_text

SECTIONS = ("results", "errors", "statuses")
MAX_SILENT_IDS = 10
"""LinkedIn may have nothing to say about a few ids; about more at once it has not responded."""
ENCODED_URN = re.compile(r"urn%3A", re.IGNORECASE).match


class Outcome(StrEnum):
    RECEIVED = "RECEIVED"
    """The response holds a status of this task."""
    MISSING = "MISSING"
    """It holds nothing about this URN, or no status."""
    TRANSIENT = "TRANSIENT"
    """It holds an error for this URN that may pass."""
    NOT_FOUND = "NOT_FOUND"
    """It holds a 404 for this URN."""
    INVALID_URN = "INVALID_URN"
    """LinkedIn does not accept the URN itself."""


class TaskResponse(NamedTuple):
    """What LinkedIn says of one task. The map key is the task; the `id` inside may be another."""

    task_urn: str
    outcome: Outcome
    status: str | None = None
    error_message: str | None = None
    job_posting_urn: str | None = None
    external_job_posting_id: str | None = None
    location: str | None = None
    """These two are read only of a task that was not requested: of the others they are known."""
    is_requested: bool = True


class TaskResponses:
    """`TaskResponse` rows, column by column: a million row objects would cost seconds and memory."""

    def __init__(self, columns: Sequence[Sequence[Any]]) -> None:
        self.columns = columns
        """One for each field of `TaskResponse`, in their order."""

    @classmethod
    def of(cls, rows: Iterable[TaskResponse]) -> "TaskResponses":
        return cls(list(zip(*rows, strict=True)) or [()] * len(TaskResponse._fields))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[TaskResponse]:
        return map(TaskResponse, *self.columns)


class MalformedResponse(ValueError):
    """The body is no response about a batch: cut short, or of another shape. A retry may give one."""


def parse_response(body: bytes, requested: Sequence[str]) -> TaskResponses:
    """One row for each requested URN, then those for keys that were not requested.

    Unknown statuses are stored, unknown fields passed over, never refused. Raises `MalformedResponse`.
    """
    wanted = set(requested)
    results, errors, statuses = parse_batch(body, wanted)
    rows = [_read_task(urn, results.get(urn), errors.get(urn), statuses.get(urn)) for urn in requested]
    if not results.keys() <= wanted:
        others = ((_read_task(urn, result, None, None), result) for urn, result in results.items() if urn not in wanted)
        rows += [
            row._replace(
                external_job_posting_id=_id(result.get("externalJobPostingId")),
                location=read_text(result.get("location")),
                is_requested=False,
            )
            for row, result in others
            if row.outcome is Outcome.RECEIVED
        ]
    return TaskResponses.of(rows)


def parse_batch(body: bytes, wanted: Set[str]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """`results`, `errors` and `statuses` of a batch get, by id.

    Any of them may be absent, null, or lack an id; keys may come percent-encoded. Raises `MalformedResponse` for a body without
    any of them, and for one that has nothing about any of more than `MAX_SILENT_IDS` ids.
    """
    document = decode_object(body)
    if document.keys().isdisjoint(SECTIONS):
        raise MalformedResponse("the response has none of results, statuses and errors")
    results, errors, statuses = (_read_map(document, name, wanted) for name in SECTIONS)
    if len(wanted) > MAX_SILENT_IDS and all(part.get(id_) is None for part in (results, errors, statuses) for id_ in wanted):
        raise MalformedResponse(f"the response has nothing about any of {len(wanted)} ids")
    return results, errors, statuses


def decode_object(body: bytes) -> dict[str, Any]:
    try:
        document = parse_json(body.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError) as error:
        raise MalformedResponse(f"the response is not JSON: {describe(error)}") from None
    if not isinstance(document, dict):
        raise MalformedResponse("the response is JSON, but not an object")
    return document


def _read_map(document: dict[str, Any], name: str, wanted: Set[str]) -> dict[str, Any]:
    entries = document.get(name)
    if entries is None or (name != "results" and not entries):
        return {}
    if not isinstance(entries, dict):
        raise MalformedResponse(f"`{name}` in the response is not an object")
    if entries.keys() <= wanted:
        return entries
    decoded: dict[str, Any] = {}
    for key, value in entries.items():
        urn = key if key in wanted else _decode_key(key, wanted)
        # Of an encoded and a plain key of one URN, the one that says something counts.
        if decoded.get(urn) is None:
            decoded[urn] = value
    return decoded


def _decode_key(key: str, wanted: Set[str]) -> str:
    decoded = unquote(key)
    return decoded if decoded in wanted or ENCODED_URN(key) else key


def _read_task(urn: str, result: Any, error: Any, status_code: Any) -> TaskResponse:
    if isinstance(result, dict) and (status := _text(result.get("status"))):
        return TaskResponse(
            urn,
            Outcome.RECEIVED,
            status,
            _text(result.get("errorMessage")),
            _text(result.get("jobPosting")),
        )
    if error is not None:
        code = error.get("status") if isinstance(error, dict) else error
        message = _text(error.get("message")) if isinstance(error, dict) else None
        # An entry of `errors` need not carry its status; `statuses` has it then.
        is_missing = is_404(code) or (code is None and is_404(status_code))
        return TaskResponse(urn, Outcome.NOT_FOUND if is_missing else Outcome.TRANSIENT, error_message=message)
    if is_404(status_code):
        return TaskResponse(urn, Outcome.NOT_FOUND)
    return TaskResponse(urn, Outcome.MISSING)


def is_404(code: Any) -> bool:
    return str(code.get("status") if isinstance(code, dict) else code) == "404"


def _id(value: Any) -> str | None:
    try:
        return read_id(value)
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    return canonicalize(value)


def canonicalize(value: Any) -> str | None:
    """JSON that is the same for values that differ only in the order of keys; None where it is nested too deep to be written."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=float)
    except RecursionError:
        return None

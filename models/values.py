"""Ids, application names, texts and moments, read the same way wherever they come in.

Files, SQL sources, notifications, LinkedIn's responses and the configuration write one id as text, as a JSON number, as a
decimal column or as bytes. Every reader of single values calls these functions, so that one id is one text and one application
one URN; files are read by column, by the same rules (`ingest/staging.py`, `create_checked_import.sql`).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from uuid import UUID

import orjson

APPLICATION_URN_PREFIX = "urn:li:developerApplication:"
BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"
"""What is trimmed from both ends of an id: Unicode's white space, and the byte order mark."""
MAX_DIGITS = 308
"""The longest whole number that is read; a longer one is nothing that any system uses as an id."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_EPOCH = re.compile(r"-?\d+(\.\d+)?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_EPOCH_UNITS = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""Seconds, milliseconds, microseconds, nanoseconds since 1970, by the number of digits: as pandas and Java write moments."""


def read_id(value: object) -> str | None:
    """An id as text; None where it is empty. Raises `ValueError`, without the value, for what is no id."""
    if isinstance(value, str):
        return replace_surrogates(value.strip(BLANKS)) or None
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="replace").strip(BLANKS) or None
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _write_digits(Decimal(value))
    if isinstance(value, Decimal):
        return _write_digits(value)
    if isinstance(value, float):
        raise ValueError("is a floating-point number, which may have lost digits: write it as text or as a whole number")
    raise ValueError("is neither text nor a whole number")


def read_application_urn(value: object) -> str | None:
    """The URN of an application, which may be named by its number; None where it is empty. Raises `ValueError` as `read_id`."""
    name = read_id(value)
    return APPLICATION_URN_PREFIX + name if name and name.isascii() and name.isdigit() else name


def read_text(value: object) -> str | None:
    """A title or a place as text; the parts of a structured one are joined with commas."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(read_text, value))) or None
    if isinstance(value, bool | float):
        return str(value)
    try:
        return read_id(value)
    except ValueError:
        return replace_surrogates(str(value)).strip(BLANKS) or None


def read_moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """A moment in UTC, of ISO 8601, `26.11.2026 00:35`, an epoch or a date; without an offset it is in `zone`.

    None where it is empty. Raises `ValueError` for anything else, also for a day or a time that does not exist.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode(errors="replace")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _read_epoch(_write_digits(Decimal(str(value))))
    if isinstance(value, str):
        text = value.strip(BLANKS).upper()
        if not text:
            return None
        if _EPOCH.fullmatch(text) and len(text.lstrip("-").partition(".")[0]) in _EPOCH_UNITS:
            return _read_epoch(text)
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
            value = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone follows
        else:
            value = datetime.fromisoformat(text)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise ValueError("is no moment")
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError("is no moment") from None


def parse_json(text: bytes | str) -> Any:
    """A JSON document with whole numbers of any size exact, fractions as `Decimal`, lone surrogates as U+FFFD.

    Raises `ValueError` for what is none.
    """
    try:
        document = orjson.loads(text)
        if not _holds_float(document):
            return document
    except orjson.JSONDecodeError:
        # A lone surrogate, or no JSON at all.
        pass
    if isinstance(text, bytes):
        text = text.decode()
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def replace_surrogates(text: str) -> str:
    """Text that every encoder takes: a lone surrogate, left of an emoji that was cut, becomes U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _write_digits(number: Decimal) -> str:
    """A number without an exponent where it is whole. Raises `ValueError` for one that no system means."""
    if not number.is_finite() or number.adjusted() > MAX_DIGITS:
        raise ValueError("is a number out of range")
    return f"{number.to_integral_value():f}" if number == number.to_integral_value() else str(number)


def _read_epoch(text: str) -> datetime:
    whole = text.partition(".")[0]
    unit = _EPOCH_UNITS.get(len(whole))
    if unit is None or text.startswith("-"):
        raise ValueError("is no epoch of seconds, milliseconds, microseconds or nanoseconds")
    microseconds = int(Decimal(text) * 10**6 / unit)
    return datetime.fromtimestamp(microseconds // 10**6, UTC).replace(microsecond=microseconds % 10**6)


def _holds_float(value: Any) -> bool:
    """Whether orjson parsed a number in it as a float: a fraction, an exponent, or an integer of more than 64 bits."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return isinstance(value, float)
    return any(type(item) is float or (type(item) in (dict, list) and _holds_float(item)) for item in value)


def _read_whole(text: str) -> int:
    # Python refuses more than 4,300 digits, and takes time that grows with their square.
    if len(text) > MAX_DIGITS:
        raise ValueError("holds a number out of range")
    return int(text)


def _read_fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond those that a decimal has.
        raise ValueError("holds a number out of range") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"holds {name}, which is no JSON")


def _replace_in_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = {name: _replace_in(value) for name, value in pairs}
    if any(map(_SURROGATE.search, named)):
        # Sorted: of names that become equal the same one counts, in whatever order they come.
        named = {replace_surrogates(name): named[name] for name in sorted(named)}
    return named


def _replace_in(value: Any) -> Any:
    if isinstance(value, str):
        return replace_surrogates(value)
    return [_replace_in(item) for item in value] if isinstance(value, list) else value


_DECODER = json.JSONDecoder(
    parse_int=_read_whole, parse_float=_read_fraction, parse_constant=_refuse_constant, object_pairs_hook=_replace_in_pairs
)

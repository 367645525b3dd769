"""JSON files: one object a line, or a list of objects. A broken one is refused alone."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jobrecon.ingest.staging import Row
from models.values import parse_json, replace_surrogates

_NEXT_OBJECT = re.compile(r"\}\s*,\s*(?=\{)")
_NEXT_ELEMENT = re.compile(r",\s*(?=\{)")
_SEPARATOR = re.compile(r"\s*,?\s*")


def read_lines(lines: Iterable[bytes], columns: Mapping[str, str]) -> Iterator[Row]:
    """The object of each line that is not blank."""
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if text:
            yield _read_object(number, text, columns)


def read_list(content: str, columns: Mapping[str, str]) -> Iterator[Row]:
    """The elements of a list, numbered from 1. After an element that is no JSON the next object that begins is read."""
    text = content.removeprefix("\ufeff").strip()
    try:
        elements = parse_json(text)
    except ValueError:
        yield from _read_broken_list(text, columns)
        return
    for number, element in enumerate(elements, start=1):
        yield _make_row(number, element, json.dumps(element, default=str, ensure_ascii=False), columns)


def _read_broken_list(text: str, columns: Mapping[str, str]) -> Iterator[Row]:
    decoder, place, number = json.JSONDecoder(), 1, 0
    while True:
        found = _SEPARATOR.match(text, place)
        place = found.end() if found else place
        if text[place : place + 1] == "]" and not text[place + 1 :].strip():
            return
        number += 1
        if place >= len(text):
            yield number, None, text[-100:], "ends before the list is closed"
            return
        is_last = False
        try:
            end = decoder.raw_decode(text, place)[1]
        except (ValueError, RecursionError):
            following = (_NEXT_OBJECT if text[place] == "{" else _NEXT_ELEMENT).search(text, place)
            is_last = following is None
            end = following.end() if following else len(text)
        element = text[place:end].rstrip(", \t\r\n")
        yield _read_object(number, element.removesuffix("]") if is_last else element, columns)
        if is_last:
            return
        place = end


def _read_object(number: int, text: bytes | str, columns: Mapping[str, str]) -> Row:
    shown = text.decode(errors="replace") if isinstance(text, bytes) else replace_surrogates(text)
    try:
        value = parse_json(text)
    except ValueError as error:
        detail = str(error) if str(error).startswith(("is ", "holds ")) else "is no JSON"
        return number, None, shown, detail
    return _make_row(number, value, shown, columns)


def _make_row(number: int, value: Any, text: str, columns: Mapping[str, str]) -> Row:
    if not isinstance(value, dict):
        return number, None, text, "is JSON, but not an object"
    named = {name.strip().lower(): cell for name, cell in value.items()}
    return number, named | {columns[name]: cell for name, cell in named.items() if name in columns}, text, None

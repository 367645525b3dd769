"""Text files as lines; bytes that are not of the encoding are an error that names their place."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from jobrecon.errors import InputError

CHUNK_BYTES = 4_000_000
MAX_LINE_LENGTH = 64_000_000
REMEDY = "Name its encoding, such as --encoding latin-1, or save it as UTF-8, and import it again; what was imported is not added twice."


def split_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file of bytes, whatever their ends."""
    with path.open("rb") as file:
        for line in file:
            yield from line.splitlines()


def decode_lines(source: str, path: Path, encoding: str = "utf-8") -> Iterator[list[str]]:
    """The lines of a file without their ends, which may be mixed, in lists of about `CHUNK_BYTES`.

    Raises `InputError` that names line, column and byte where the file is not of this encoding.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)()
    rest, number = "", 1
    with path.open("rb") as file:
        while True:
            content = file.read(CHUNK_BYTES)
            try:
                text = rest + decoder.decode(content, final=not content)
            except UnicodeDecodeError as error:
                raise InputError(f"{source} is not {encoding.upper()} text: {_locate(number, rest, encoding, error)}. {REMEDY}") from None
            except UnicodeError as error:
                # Of UTF-16 or UTF-32 without a byte order mark: which of the two orders it is, is not known.
                raise InputError(f"{source} is not {encoding.upper()} text: {error}. {REMEDY}") from None
            # A CR at the end may be half of a line end.
            cut = len(text) if not content else len(text) - text.endswith("\r")
            text, half = text[:cut], text[cut:]
            *lines, rest = _end_with_lf(text).split("\n")
            rest += half
            if not content and rest:
                lines.append(rest)
            if len(rest) > MAX_LINE_LENGTH:
                raise InputError(f"{source} has a line of more than {MAX_LINE_LENGTH:,} characters. What was imported is not added twice.")
            number += len(lines)
            if lines:
                yield lines
            if not content:
                return


def _locate(number: int, rest: str, encoding: str, error: UnicodeDecodeError) -> str:
    """The place of a byte that cannot be read, in what begins with `rest` at line `number`."""
    *lines, last = _end_with_lf(rest + error.object[: error.start].decode(encoding, "replace")).split("\n")
    return f"line {number + len(lines)}, column {len(last) + 1} holds the byte 0x{error.object[error.start]:02x}"


def _end_with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""Text files as decoded chunks, plain or gzipped; what is no text of the encoding is an error with its place."""

import codecs
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from jobrecon.errors import InputError

CHUNK_BYTES = 4_000_000
MAX_LINE_LENGTH = 64_000_000


def open_binary(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where it is gzipped."""
    file = path.open("rb")
    is_gzipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if is_gzipped else file


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[list[str]]:
    """The lines of a file without their ends, which may be mixed, in lists of about `CHUNK_BYTES`.

    Raises `InputError` that names line, column and byte where the file is not of this encoding.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
    rest, number = "", 1
    with open_binary(path) as file:
        while True:
            content = file.read(CHUNK_BYTES)
            try:
                text = rest + decoder.decode(content, final=not content)
            except UnicodeDecodeError as error:
                raise InputError(_describe_decode_error(path, encoding, number, len(rest), error)) from None
            # A CR at the end may be half of a line end.
            cut = len(text) if not content else len(text) - text.endswith("\r")
            text, half = text[:cut], text[cut:]
            *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            rest += half
            if not content and rest:
                lines.append(rest)
            if len(rest) > MAX_LINE_LENGTH:
                raise InputError(f"{path} has a line of more than {MAX_LINE_LENGTH:,} characters. What was imported is not added twice.")
            number += len(lines)
            if lines:
                yield lines
            if not content:
                return


def _describe_decode_error(path: Path, encoding: str, number: int, rest_length: int, error: UnicodeDecodeError) -> str:
    before = error.object[: error.start]
    lines_before = before.count(b"\n")
    column = error.start - before.rfind(b"\n") if lines_before else rest_length + error.start + 1
    return (
        f"{path} is not {encoding.upper()} text: line {number + lines_before}, column {column} holds the byte "
        f"0x{error.object[error.start]:02x}. Save it as UTF-8 and import it again; what was imported is not added twice."
    )

"""Text files as lines; bytes that are not of the encoding are an error that names their place."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from jobrecon.errors import InputError

CHUNK_BYTES = 4_000_000
MAX_LINE_LENGTH = 64_000_000


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
                raise InputError(_describe_decode_error(source, encoding, number, len(rest), error)) from None
            # A CR at the end may be half of a line end.
            cut = len(text) if not content else len(text) - text.endswith("\r")
            text, half = text[:cut], text[cut:]
            *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
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


def _describe_decode_error(source: str, encoding: str, number: int, rest_length: int, error: UnicodeDecodeError) -> str:
    before = error.object[: error.start]
    lines_before = before.count(b"\n")
    column = error.start - before.rfind(b"\n") if lines_before else rest_length + error.start + 1
    return (
        f"{source} is not {encoding.upper()} text: line {number + lines_before}, column {column} holds the byte "
        f"0x{error.object[error.start]:02x}. Name its encoding, such as --encoding latin-1, or save it as UTF-8, and import it again; "
        "what was imported is not added twice."
    )

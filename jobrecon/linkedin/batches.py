"""Batches: ids packed into the fewest calls that LinkedIn accepts. No I/O."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote

UNESCAPED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-"
"""Characters that a query carries as they are. `:` is allowed there, and sending it unescaped fits 59 URNs instead of 54."""

PREFIX_BYTES = len("ids=")
SEPARATOR_BYTES = len("&")
MAX_IDS = 100
CHUNK_IDS = 1_000
"""How many ids are scanned at once for characters that take more than one byte."""


def encode_id(id_: str) -> str:
    """The id as it stands in a query string."""
    return id_ if _is_unescaped(id_) else quote(id_, safe=":")


def build_query(ids: Sequence[str]) -> str:
    """The query string of a batch get, in Rest.li protocol 1.0: repeated `ids=`."""
    encoded = ids if _is_unescaped("".join(ids)) else [encode_id(id_) for id_ in ids]
    return "ids=" + "&ids=".join(encoded) if encoded else ""


def pack(ids: Sequence[str], query_limit_bytes: float = 4096, max_ids: int = MAX_IDS) -> Iterator[list[str]]:
    """Split ids, in their order, into the fewest queries that fit.

    Sizes are bytes as sent: LinkedIn counts the encoded query string. An id that fits in no query alone comes alone; the
    client tunnels it. Without a byte limit (`math.inf`) only the number of ids counts.
    """
    count = len(ids)
    # ends[i]: bytes of one query of the first i ids, with a separator after the last.
    ends = list(accumulate(map((PREFIX_BYTES + SEPARATOR_BYTES).__add__, _measure(ids)), initial=0))
    start = 0
    while start < count:
        fitting = bisect_right(ends, ends[start] + query_limit_bytes + SEPARATOR_BYTES, start, min(start + max_ids, count) + 1)
        end = max(start + 1, fitting - 1)
        yield list(ids[start:end])
        start = end


def _measure(ids: Sequence[str]) -> Iterator[int]:
    """How many bytes each takes in a query string."""
    for start in range(0, len(ids), CHUNK_IDS):
        chunk = ids[start : start + CHUNK_IDS]
        yield from map(len, chunk if _is_unescaped("".join(chunk)) else map(encode_id, chunk))


def _is_unescaped(text: str) -> bool:
    return text.isascii() and not text.encode().translate(None, UNESCAPED)

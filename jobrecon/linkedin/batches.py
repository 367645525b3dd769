"""Packing: task URNs into the fewest calls that LinkedIn accepts. Pure thinking, no I/O."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote

PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-"
"""Characters a query carries as they are; `:` is allowed there, and sending it so makes 59 URNs of 54."""

PREFIX_BYTES = len("ids=")
SEPARATOR_BYTES = len("&")
MAX_IDS = 100
STRETCH = 1_000
"""So many URNs are looked through at once for characters that take more than one byte."""


def encode_id(task_urn: str) -> str:
    """The URN as it stands in a query string."""
    return task_urn if _is_plain(task_urn) else quote(task_urn, safe=":")


def build_query(task_urns: Sequence[str]) -> str:
    """The query string that asks about these, in Rest.li protocol 1.0: repeated `ids=`."""
    urns = task_urns if _is_plain("".join(task_urns)) else [encode_id(urn) for urn in task_urns]
    return "ids=" + "&ids=".join(urns) if urns else ""


def pack(task_urns: Sequence[str], query_limit_bytes: float = 4096, maximum_ids: int = MAX_IDS) -> Iterator[list[str]]:
    """Split URNs, in their order, into the fewest queries that fit.

    Sizes are bytes as sent: LinkedIn counts the encoded query string. A URN that fits in no query alone comes alone; the
    client tunnels it. Without a byte limit (`math.inf`) only the number of URNs counts.
    """
    count = len(task_urns)
    # One query of all of them would end after so many bytes and a separator.
    ends = list(accumulate(map((PREFIX_BYTES + SEPARATOR_BYTES).__add__, _measure(task_urns)), initial=0))
    start = 0
    while start < count:
        fitting = bisect_right(ends, ends[start] + query_limit_bytes + SEPARATOR_BYTES, start, min(start + maximum_ids, count) + 1)
        end = max(start + 1, fitting - 1)
        yield list(task_urns[start:end])
        start = end


def _measure(task_urns: Sequence[str]) -> Iterator[int]:
    """How many bytes each takes in a query string."""
    for start in range(0, len(task_urns), STRETCH):
        stretch = task_urns[start : start + STRETCH]
        yield from map(len, stretch if _is_plain("".join(stretch)) else map(encode_id, stretch))


def _is_plain(text: str) -> bool:
    return text.isascii() and not text.encode().translate(None, PLAIN)

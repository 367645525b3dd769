"""Packing: task URNs into the fewest calls that LinkedIn accepts. Pure thinking, no I/O."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote

PLAIN = re.compile(r"[A-Za-z0-9._~:-]*\Z").match
"""Characters a query carries as they are; `:` is allowed there, and sending it so makes 59 URNs of 54."""

PREFIX_BYTES = len("ids=")
SEPARATOR_BYTES = len("&")
MAXIMUM_IDS = 100


def encode_id(task_urn: str) -> str:
    """The URN as it stands in a query string."""
    return task_urn if PLAIN(task_urn) else quote(task_urn, safe=":")


def build_query(task_urns: Sequence[str]) -> str:
    """The query string that asks about these, in Rest.li protocol 1.0: repeated `ids=`."""
    urns = task_urns if PLAIN("".join(task_urns)) else [encode_id(urn) for urn in task_urns]
    return "ids=" + "&ids=".join(urns) if urns else ""


def pack(task_urns: Sequence[str], query_limit_bytes: float = 4096, maximum_ids: int = MAXIMUM_IDS) -> Iterator[list[str]]:
    """Split URNs, in their order, into the fewest queries that fit.

    Sizes are bytes as sent: LinkedIn counts the encoded query string. A URN that fits in no query alone comes alone; the
    client tunnels it. Without a byte limit (`math.inf`) only the number of URNs counts.
    """
    start = 0
    while start < len(task_urns):
        batch = task_urns[start : start + maximum_ids]
        encoded = batch if PLAIN("".join(batch)) else map(encode_id, batch)
        # The n first take n times `ids=` with `&` between, and their own length.
        sizes = accumulate(map((SEPARATOR_BYTES + PREFIX_BYTES).__add__, map(len, encoded)), initial=-SEPARATOR_BYTES)
        count = max(1, bisect_right(list(sizes), query_limit_bytes) - 1)
        yield list(batch[:count])
        start += count

"""Packing: task URNs into the fewest calls that LinkedIn accepts. Pure thinking, no I/O."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

PLAIN = re.compile(r"[A-Za-z0-9._~:-]*\Z").match
"""Characters a query carries as they are; `:` is allowed there, and sending it so makes 59 URNs of 54."""

PREFIX_BYTES = len("ids=")
MAXIMUM_IDS = 100


def encode_id(task_urn: str) -> str:
    """The URN as it stands in a query string."""
    return task_urn if PLAIN(task_urn) else quote(task_urn, safe=":")


def build_query(task_urns: Iterable[str]) -> str:
    """The query string that asks about these, in Rest.li protocol 1.0: repeated `ids=`."""
    return "&".join("ids=" + encode_id(urn) for urn in task_urns)


def pack(task_urns: Iterable[str], query_limit_bytes: float = 4096, maximum_ids: int = MAXIMUM_IDS) -> Iterator[list[str]]:
    """Split URNs, in their order, into the fewest queries that fit.

    Sizes are bytes as sent: LinkedIn counts the encoded query string. A URN that fits in no query alone comes alone; the
    client tunnels it. Without a byte limit (`math.inf`) only the number of URNs counts.
    """
    batch: list[str] = []
    size = 0
    for urn in task_urns:
        added = PREFIX_BYTES + len(encode_id(urn))
        if batch and (size + 1 + added > query_limit_bytes or len(batch) == maximum_ids):
            yield batch
            batch, size = [], 0
        size += added + (1 if batch else 0)
        batch.append(urn)
    if batch:
        yield batch

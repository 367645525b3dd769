"""Packing: nothing lost, nothing twice, in order, nothing over the limit, and no call that could have been saved."""

from itertools import pairwise
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from jobrecon.linkedin.batches import MAX_IDS, build_query, encode_id, pack
from tests.linkedin.conftest import Serve, task_urn
from tests.linkedin.fakes import FakeLinkedIn

LIMIT = 4096
USUAL = st.integers(0, 2**32 - 1).map(task_urn)
ODD = st.text(min_size=1, max_size=60)
LONG = st.integers(1, 6000).map(lambda length: "urn:li:simpleJobPostingTask:" + "ä" * length)
URNS = st.lists(USUAL | ODD, max_size=250) | st.lists(USUAL | ODD | LONG, max_size=40)
LIMITS = st.sampled_from([80, 200, LIMIT, 20_000])


def test_fifty_nine_real_urns_fill_4070_bytes_and_the_sixtieth_begins_a_new_call() -> None:
    batches = list(pack([task_urn(number) for number in range(60)]))
    assert [len(batch) for batch in batches] == [59, 1]
    assert len(build_query(batches[0])) == 4070


@given(URNS, LIMITS)
def test_nothing_is_lost_nothing_comes_twice_and_the_order_is_kept(urns: list[str], limit: int) -> None:
    batches = list(pack(urns, limit))
    assert [urn for batch in batches for urn in batch] == urns
    assert all(batches)


@given(URNS, LIMITS)
def test_no_call_is_over_the_limit_but_a_urn_that_fits_nowhere_alone(urns: list[str], limit: int) -> None:
    for batch in pack(urns, limit):
        assert len(batch) <= MAX_IDS
        assert len(build_query(batch).encode()) <= limit or len(batch) == 1


@given(URNS, LIMITS)
def test_no_two_neighbouring_calls_would_have_fitted_together(urns: list[str], limit: int) -> None:
    batches = list(pack(urns, limit))
    for first, second in pairwise(batches):
        together = first + second[:1]
        assert len(build_query(together).encode()) > limit or len(together) > MAX_IDS


@given(st.text(max_size=200))
def test_an_id_is_measured_as_it_is_sent_and_decodes_to_what_it_was(urn: str) -> None:
    assert encode_id(urn).isascii()
    assert parse_qsl(build_query([urn, "next"]), keep_blank_values=True) == [("ids", urn), ("ids", "next")]


def test_odd_characters_arrive_as_they_are_and_never_longer_than_measured(serve: Serve) -> None:
    odd = ["urn:li:task:ä ö&ids=x", "100%25", "a+b", "a#b?c/d", "日本語" * 200, "'\"<>\\", "\u200b", "🙂", "~-._", "%", "a=b;c"]
    fake = FakeLinkedIn()
    harness = serve(fake)
    batches = list(pack(odd, 1000))
    assert len(batches) > 2
    for batch in batches:
        harness.configure(query_string_limit=1000)
        assert [row.task_urn for row in harness.fetch(*batch)] == batch
    assert [request.ids for request in fake.requests] == batches
    assert [request.method for request in fake.requests] == ["POST" if len(build_query(batch)) > 1000 else "GET" for batch in batches]
    assert all(len(request.query) <= len(build_query(batch)) for request, batch in zip(fake.requests, batches, strict=True))

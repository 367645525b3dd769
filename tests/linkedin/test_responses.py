"""Parsing LinkedIn's responses: every trap of its own samples, and any other bytes."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrecon.linkedin.responses import MalformedResponse, Outcome, TaskResponse, parse_response
from tests.linkedin.conftest import task_urn

ONE, TWO, OTHER = task_urn(1), task_urn(2), task_urn(9)
ONE_ENCODED = ONE.replace(":", "%3A")
OTHER_ENCODED = OTHER.replace(":", "%3a")
DONE = {"status": "SUCCEEDED"}
SUCCEEDED = TaskResponse(ONE, Outcome.RECEIVED, "SUCCEEDED")
MISSING = TaskResponse(ONE, Outcome.MISSING)
TRANSIENT = TaskResponse(ONE, Outcome.TRANSIENT)
NOT_FOUND = TaskResponse(ONE, Outcome.NOT_FOUND)

READ: list[tuple[dict[str, Any], TaskResponse]] = [
    # document, the row of ONE
    ({"results": {ONE: DONE}, "statuses": {}, "errors": {}}, SUCCEEDED),
    ({"results": {ONE: DONE}, "statuses": [], "errors": ""}, SUCCEEDED),
    # parts that are absent, null, or say nothing of it
    ({"results": None, "statuses": None, "errors": None}, MISSING),
    ({"results": {}}, MISSING),
    ({"results": {ONE: None}}, MISSING),
    ({"results": {ONE: {}}}, MISSING),
    ({"results": {ONE: "SUCCEEDED"}}, MISSING),
    ({"results": {ONE: [DONE]}}, MISSING),
    ({"results": {ONE: {"status": None}}}, MISSING),
    ({"results": {ONE: {"status": "  "}}}, MISSING),
    ({"message": "something else", "value": [1], "statuses": {}}, MISSING),
    # the key is the truth, however it is written
    ({"results": {ONE: DONE | {"id": TWO}}}, SUCCEEDED),
    ({"results": {ONE: DONE | {"id": 7}}}, SUCCEEDED),
    ({"results": {ONE_ENCODED: DONE}}, SUCCEEDED),
    ({"results": {ONE_ENCODED.replace("%3A", "%3a"): DONE}}, SUCCEEDED),
    ({"results": {ONE: DONE, ONE_ENCODED: None}}, SUCCEEDED),
    ({"results": {ONE_ENCODED: None, ONE: DONE}}, SUCCEEDED),
    ({"errors": {ONE_ENCODED: {"status": 404}}}, NOT_FOUND),
    # what is unknown is stored or passed over
    ({"results": {ONE: {"status": "ON_HOLD", "new": {"field": [1]}}}, "paging": {}}, SUCCEEDED._replace(status="ON_HOLD")),
    ({"results": {ONE: {"status": 3}}}, SUCCEEDED._replace(status="3")),
    ({"results": {ONE: {"status": True}}}, SUCCEEDED._replace(status="true")),
    # fields: absent, null, empty, numbers
    (
        {"results": {ONE: DONE | {"errorMessage": None, "jobPosting": None, "externalJobPostingId": None, "location": ""}}},
        SUCCEEDED,
    ),
    (
        {"results": {ONE: DONE | {"externalJobPostingId": 12345678901234567890, "jobPosting": 42, "location": {"city": "Oslo"}}}},
        SUCCEEDED._replace(job_posting_urn="42"),
    ),
    (
        {"results": {ONE: {"status": "IN_PROGRESS", "jobPosting": "urn:li:jobPosting:1"}}},
        SUCCEEDED._replace(status="IN_PROGRESS", job_posting_urn="urn:li:jobPosting:1"),
    ),
    (
        {"results": {ONE: {"status": "FAILED", "errorMessage": "Bad — ünïcode"}}},
        SUCCEEDED._replace(status="FAILED", error_message="Bad — ünïcode"),
    ),
    # errors and statuses
    ({"errors": {ONE: {"status": 404, "message": "gone"}}}, NOT_FOUND._replace(error_message="gone")),
    ({"errors": {ONE: {"status": "404"}}}, NOT_FOUND),
    ({"errors": {ONE: 404}}, NOT_FOUND),
    ({"statuses": {ONE: 404}}, NOT_FOUND),
    ({"statuses": {ONE: {"status": 404}}}, NOT_FOUND),
    ({"errors": {ONE: {"message": "gone"}}, "statuses": {ONE: 404}}, NOT_FOUND._replace(error_message="gone")),
    ({"errors": {ONE: {"status": 500, "message": None}}}, TRANSIENT),
    ({"errors": {ONE: {"status": 500}}, "statuses": {ONE: 404}}, TRANSIENT),
    ({"errors": {ONE: "broken"}}, TRANSIENT),
    ({"errors": {ONE: []}}, TRANSIENT),
    ({"statuses": {ONE: 200}}, MISSING),
    ({"statuses": {ONE: None}}, MISSING),
    ({"results": {ONE: DONE}, "errors": {ONE: {"status": 404}}, "statuses": {ONE: 404}}, SUCCEEDED),
    ({"results": {ONE: {}}, "errors": {ONE: {"status": 404}}}, NOT_FOUND),
]


@pytest.mark.parametrize(("document", "expected"), READ)
def test_what_a_response_says_of_a_task(document: dict[str, Any], expected: TaskResponse) -> None:
    assert list(parse_response(orjson.dumps(document), [ONE])) == [expected]


UNREQUESTED: list[tuple[dict[str, Any], list[str]]] = [
    # results beside the requested one, URNs that come unrequested
    ({OTHER: DONE}, [OTHER]),
    ({OTHER_ENCODED: DONE}, [OTHER]),
    ({OTHER: DONE, OTHER_ENCODED: DONE}, [OTHER]),
    ({OTHER: None}, []),
    ({OTHER: {}}, []),
    ({"": DONE}, [""]),
    ({"100%25": DONE}, ["100%25"]),
]


@pytest.mark.parametrize(("others", "expected"), UNREQUESTED)
def test_keys_that_were_not_requested_come_after_the_requested_ones(others: dict[str, Any], expected: list[str]) -> None:
    rows = parse_response(orjson.dumps({"results": {**others, ONE: DONE}}), [ONE, TWO])
    assert [(row.task_urn, row.is_requested) for row in rows] == [(ONE, True), (TWO, True)] + [(urn, False) for urn in expected]


def test_job_and_place_are_read_only_of_a_task_that_was_not_requested() -> None:
    result = DONE | {"externalJobPostingId": 12345678901234567890, "location": {"city": "Oslo"}}
    requested, unrequested = parse_response(orjson.dumps({"results": {ONE: result, OTHER: result}}), [ONE])
    assert requested == SUCCEEDED
    assert (unrequested.external_job_posting_id, unrequested.location) == ("12345678901234567890", "Oslo")


def test_a_urn_that_holds_a_percent_sign_is_found_plain_and_encoded() -> None:
    urn = "urn:li:simpleJobPostingTask:100%25"
    for key in (urn, "urn%3Ali%3AsimpleJobPostingTask%3A100%2525"):
        assert list(parse_response(orjson.dumps({"results": {key: DONE}}), [urn])) == [TaskResponse(urn, Outcome.RECEIVED, "SUCCEEDED")]


MALFORMED = [b"", b"[]", b"null", b'"OK"', b"7", b"<html>", b'{"results":{"a', b"\xff\xfe", b"[" * 100_000]
MALFORMED += [
    b"{}",
    b'{"message":"Internal Server Error","status":500}',
    b'{"results":{"a":NaN}}',
    b'{"results":{"a":1e99999999999999999999}}',
    b'{"results":[]}',
    b'{"errors":"none"}',
    b'{"statuses":404}',
    b'{"results":false}',
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:20]))
def test_a_body_of_another_shape_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        parse_response(body, [ONE])


def test_a_response_about_none_of_more_than_ten_ids_is_malformed() -> None:
    urns = [task_urn(number) for number in range(11)]
    silent = orjson.dumps({"results": {OTHER + "0": DONE, urns[0]: None}, "statuses": {}, "errors": {}})
    with pytest.raises(MalformedResponse, match="nothing about any of 11 ids"):
        parse_response(silent, urns)
    assert [row.outcome for row in parse_response(silent, urns[:10]) if row.is_requested] == [Outcome.MISSING] * 10
    for section in ({"results": {urns[10]: DONE}}, {"errors": {urns[10]: {"status": 404}}}, {"statuses": {urns[10]: 503}}):
        assert len(parse_response(orjson.dumps(section), urns)) == 11


def test_a_byte_order_mark_is_passed_over() -> None:
    assert list(parse_response(b"\xef\xbb\xbf" + orjson.dumps({"results": {ONE: DONE}}), [ONE])) == [SUCCEEDED]


def test_lone_surrogates_become_replacement_characters_and_integers_stay_exact() -> None:
    body = b'{"results":{"%s":{"status":"FAILED","errorMessage":"cut \\ud83d here \\ud83d\\ude00","jobPosting":123456789012345678901234567890}}}'
    (row,) = parse_response(body % ONE.encode(), [ONE])
    assert (row.error_message, row.job_posting_urn) == ("cut \ufffd here \U0001f600", "123456789012345678901234567890")


@pytest.mark.parametrize("name", ["status", "errorMessage", "externalJobPostingId"])
def test_a_field_nested_very_deep_breaks_nothing(name: str) -> None:
    body = b'{"results":{"%s":{"status":"FAILED","%s":%s}}}' % (ONE.encode(), name.encode(), b"[" * 900 + b"]" * 900)
    with suppress(MalformedResponse):
        (row,) = parse_response(body, [ONE])
        assert row.outcome in (Outcome.MISSING, Outcome.RECEIVED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([ONE, TWO, OTHER, ONE_ENCODED, OTHER_ENCODED]) | st.text(max_size=10)
FIELDS = st.sampled_from(["id", "status", "errorMessage", "externalJobPostingId", "jobPosting", "location", "message"])
ENTRIES = st.dictionaries(KEYS, st.dictionaries(FIELDS, JSON) | JSON, max_size=5)
DOCUMENTS = st.dictionaries(st.sampled_from(["results", "statuses", "errors"]) | st.text(max_size=5), ENTRIES | JSON, max_size=5)


def check_parsing(body: bytes) -> None:
    try:
        rows = parse_response(body, [ONE, TWO])
    except MalformedResponse:
        return
    assert [row.task_urn for row in rows if row.is_requested] == [ONE, TWO]
    unrequested = [row for row in rows if not row.is_requested]
    assert len({row.task_urn for row in unrequested} - {ONE, TWO}) == len(unrequested)
    for row in rows:
        assert (row.outcome is Outcome.RECEIVED) == (row.status is not None)
        assert all(isinstance(text, str) and text for text in row[2:7] if text is not None)


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_malformed(body: bytes) -> None:
    check_parsing(body)


@given(DOCUMENTS)
def test_any_json_in_the_documented_places_is_parsed(document: dict[str, Any]) -> None:
    check_parsing(orjson.dumps(document))


@given(DOCUMENTS, st.data())
def test_a_response_cut_anywhere_is_parsed_or_malformed(document: dict[str, Any], data: st.DataObject) -> None:
    body = orjson.dumps(document)
    check_parsing(body[: data.draw(st.integers(0, len(body)))])

"""Reading LinkedIn's answers: every trap its own samples show, and any other bytes."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrecon.linkedin.responses import Answer, MalformedResponse, Outcome, parse_response
from tests.linkedin.conftest import task_urn

ONE, TWO, OTHER = task_urn(1), task_urn(2), task_urn(9)
ONE_ENCODED = ONE.replace(":", "%3A")
OTHER_ENCODED = OTHER.replace(":", "%3a")
DONE = {"status": "SUCCEEDED"}
SUCCEEDED = Answer(ONE, Outcome.ANSWERED, "SUCCEEDED")
MISSING = Answer(ONE, Outcome.MISSING)
TRANSIENT = Answer(ONE, Outcome.TRANSIENT)
NOT_FOUND = Answer(ONE, Outcome.NOT_FOUND)

READ: list[tuple[dict[str, Any], Answer]] = [
    # document, what it says of ONE
    ({"results": {ONE: DONE}, "statuses": {}, "errors": {}}, SUCCEEDED),
    ({"results": {ONE: DONE}, "statuses": [], "errors": ""}, SUCCEEDED),
    # parts that are absent, null, or say nothing of it
    ({}, MISSING),
    ({"results": None, "statuses": None, "errors": None}, MISSING),
    ({"results": {}}, MISSING),
    ({"results": {ONE: None}}, MISSING),
    ({"results": {ONE: {}}}, MISSING),
    ({"results": {ONE: "SUCCEEDED"}}, MISSING),
    ({"results": {ONE: [DONE]}}, MISSING),
    ({"results": {ONE: {"status": None}}}, MISSING),
    ({"results": {ONE: {"status": "  "}}}, MISSING),
    ({"message": "something else", "value": [1]}, MISSING),
    # the key is the truth, however it is written
    ({"results": {ONE: DONE | {"id": TWO}}}, SUCCEEDED),
    ({"results": {ONE: DONE | {"id": 7}}}, SUCCEEDED),
    ({"results": {ONE_ENCODED: DONE}}, SUCCEEDED),
    ({"results": {ONE_ENCODED.replace("%3A", "%3a"): DONE}}, SUCCEEDED),
    ({"results": {ONE: DONE, ONE_ENCODED: None}}, SUCCEEDED),
    ({"results": {ONE_ENCODED: None, ONE: DONE}}, SUCCEEDED),
    ({"errors": {ONE_ENCODED: {"status": 404}}}, NOT_FOUND),
    # what is unknown is kept or passed over
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
def test_what_an_answer_says_of_a_task(document: dict[str, Any], expected: Answer) -> None:
    assert list(parse_response(orjson.dumps(document), [ONE])) == [expected]


UNASKED: list[tuple[dict[str, Any], list[str]]] = [
    # results beside the one asked for, URNs that come unasked
    ({OTHER: DONE}, [OTHER]),
    ({OTHER_ENCODED: DONE}, [OTHER]),
    ({OTHER: DONE, OTHER_ENCODED: DONE}, [OTHER]),
    ({OTHER: None}, []),
    ({OTHER: {}}, []),
    ({"": DONE}, [""]),
    ({"100%25": DONE}, ["100%25"]),
]


@pytest.mark.parametrize(("others", "expected"), UNASKED)
def test_keys_that_nobody_asked_for_come_after_the_asked_ones(others: dict[str, Any], expected: list[str]) -> None:
    answers = parse_response(orjson.dumps({"results": {**others, ONE: DONE}}), [ONE, TWO])
    assert [(answer.task_urn, answer.is_requested) for answer in answers] == [(ONE, True), (TWO, True)] + [(urn, False) for urn in expected]


def test_only_of_a_task_that_nobody_asked_about_the_job_and_the_place_are_read() -> None:
    told = DONE | {"externalJobPostingId": 12345678901234567890, "location": {"city": "Oslo"}}
    asked, unasked = parse_response(orjson.dumps({"results": {ONE: told, OTHER: told}}), [ONE])
    assert asked == SUCCEEDED
    assert (unasked.external_job_posting_id, unasked.location) == ("12345678901234567890", '{"city":"Oslo"}')


TEXTS = st.none() | st.sampled_from(["", " ", "FAILED"]) | st.text(max_size=5)
TOLD = st.dictionaries(st.sampled_from(["status", "errorMessage", "jobPosting", "id"]), TEXTS) | st.none() | st.just({"status": 7})


@given(st.fixed_dictionaries({ONE: TOLD, TWO: TOLD}))
def test_what_is_told_as_usual_is_read_as_what_is_not(told: dict[str, Any]) -> None:
    as_usual, unusual = ({"results": told} | more for more in ({}, {"errors": {OTHER: {"status": 500}}}))
    assert list(parse_response(orjson.dumps(as_usual), [ONE, TWO])) == list(parse_response(orjson.dumps(unusual), [ONE, TWO]))


def test_a_urn_that_holds_a_percent_sign_is_found_plain_and_encoded() -> None:
    urn = "urn:li:simpleJobPostingTask:100%25"
    for key in (urn, "urn%3Ali%3AsimpleJobPostingTask%3A100%2525"):
        assert list(parse_response(orjson.dumps({"results": {key: DONE}}), [urn])) == [Answer(urn, Outcome.ANSWERED, "SUCCEEDED")]


NO_ANSWERS = [b"", b"[]", b"null", b'"OK"', b"7", b"<html>", b'{"results":{"a', b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000]
NO_ANSWERS += [b'{"results":[]}', b'{"errors":"none"}', b'{"statuses":404}', b'{"results":false}']


@pytest.mark.parametrize("body", NO_ANSWERS, ids=lambda body: repr(body[:20]))
def test_a_body_of_another_shape_is_no_answer(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        parse_response(body, [ONE])


@pytest.mark.parametrize("name", ["status", "errorMessage", "externalJobPostingId"])
def test_a_field_nested_too_deep_to_be_written_again_says_nothing(name: str) -> None:
    body = b'{"results":{"%s":{"status":"FAILED","%s":%s}}}' % (ONE.encode(), name.encode(), b"[" * 900 + b"]" * 900)
    (answer,) = parse_response(body, [ONE])
    assert answer in (MISSING, SUCCEEDED._replace(status="FAILED"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([ONE, TWO, OTHER, ONE_ENCODED, OTHER_ENCODED]) | st.text(max_size=10)
FIELDS = st.sampled_from(["id", "status", "errorMessage", "externalJobPostingId", "jobPosting", "location", "message"])
ENTRIES = st.dictionaries(KEYS, st.dictionaries(FIELDS, JSON) | JSON, max_size=5)
DOCUMENTS = st.dictionaries(st.sampled_from(["results", "statuses", "errors"]) | st.text(max_size=5), ENTRIES | JSON, max_size=5)


def check_reading(body: bytes) -> None:
    try:
        answers = parse_response(body, [ONE, TWO])
    except MalformedResponse:
        return
    assert [answer.task_urn for answer in answers if answer.is_requested] == [ONE, TWO]
    unasked = [answer for answer in answers if not answer.is_requested]
    assert len({answer.task_urn for answer in unasked} - {ONE, TWO}) == len(unasked)
    for answer in answers:
        assert (answer.outcome is Outcome.ANSWERED) == (answer.status is not None)
        assert all(isinstance(text, str) and text for text in answer[2:7] if text is not None)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_none(body: bytes) -> None:
    check_reading(body)


@given(DOCUMENTS)
def test_any_json_in_the_documented_places_is_read(document: dict[str, Any]) -> None:
    check_reading(orjson.dumps(document))


@given(DOCUMENTS, st.data())
def test_an_answer_cut_anywhere_is_an_answer_or_none(document: dict[str, Any], data: st.DataObject) -> None:
    body = orjson.dumps(document)
    check_reading(body[: data.draw(st.integers(0, len(body)))])

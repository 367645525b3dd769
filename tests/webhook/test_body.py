"""Parsing of bodies, and one canonical text for all that differ only in form."""

import contextlib
import json
import random
import time
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrecon.webhook.parsing import InvalidNotification, parse_body, parse_import_line

ACME = "urn:li:developerApplication:1001"


def notification(**fields: Any) -> dict[str, Any]:
    return {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME, "externalJobPostingId": "job-1"} | fields


def raw(extra: bytes) -> bytes:
    return b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-1","extra":' + extra + b"}"


def encode(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_a_notification_is_read() -> None:
    read = parse_body(encode(notification(listingStatus="LISTED")))
    assert (read.type, read.application_urn, read.external_job_posting_id) == ("JOB_POSTING_STATUS", ACME, "job-1")
    assert read.payload == (
        '{"developerApplicationUrn":"urn:li:developerApplication:1001","externalJobPostingId":"job-1",'
        '"listingStatus":"LISTED","type":"JOB_POSTING_STATUS"}'
    )
    assert len(read.body_hash) == 64


JOBS = [("job-1", "job-1"), (" a/é\n ", "a/é"), (7, "7"), (-7, "-7"), (12345678901234567890123, "12345678901234567890123")]
JOBS += [(1e3, "1000"), (1.5, "1.5"), ("x" * 200, "x" * 200)]


@pytest.mark.parametrize(("sent", "read"), JOBS)
def test_a_job_is_named_by_a_text_or_a_number(sent: Any, read: str) -> None:
    assert parse_body(encode(notification(externalJobPostingId=sent))).external_job_posting_id == read


@pytest.mark.parametrize("sent", [ACME, "1001", 1001, 1001.0, f" {ACME} "])
def test_an_application_is_named_by_its_urn_or_its_number(sent: Any) -> None:
    assert parse_body(encode(notification(developerApplicationUrn=sent))).application_urn == ACME


MISSING: list[tuple[str, Any]] = [
    ("type", None),
    ("type", ""),
    ("type", 5),
    ("type", "x" * 201),
    ("type", "a\0"),
    ("developerApplicationUrn", None),
    ("developerApplicationUrn", " "),
    ("developerApplicationUrn", True),
    ("developerApplicationUrn", {}),
    ("externalJobPostingId", None),
    ("externalJobPostingId", ""),
    ("externalJobPostingId", "x" * 201),
    ("externalJobPostingId", "a\0b"),
    ("externalJobPostingId", False),
    ("externalJobPostingId", ["job-1"]),
]


@pytest.mark.parametrize(("field", "value"), MISSING)
def test_a_required_field_that_is_missing_or_wrong_is_named_in_the_refusal(field: str, value: Any) -> None:
    with pytest.raises(InvalidNotification, match=field):
        parse_body(encode(notification(**{field: value})))


def test_other_types_need_no_job() -> None:
    body = {"type": "RESYNC_JOBS", "developerApplicationUrn": ACME, "externalJobPostingIds": ["job-1"]}
    assert parse_body(encode(body)).external_job_posting_id is None
    assert parse_body(encode(body | {"externalJobPostingId": "job-1"})).external_job_posting_id == "job-1"
    assert parse_body(encode(body | {"externalJobPostingId": {}})).external_job_posting_id is None


def test_unknown_fields_and_values_and_wrong_types_of_optional_ones_are_kept() -> None:
    fields = {"listingStatus": "PAUSED", "jobPostingInfo": "none", "listingStatusDetail": [1], "new": {"a": [None, True]}}
    assert json.loads(parse_body(encode(notification(**fields))).payload) == notification(**fields)


REFUSED = [
    (b"", "empty"),
    (b" \n", "empty"),
    (b"null", "object"),
    (b"[]", "object"),
    (b"{", "line 1, column 2"),
    (b"{} {}", "not JSON"),
    ("{}".encode("utf-16"), "UTF-8"),
    (b'{"a": "\xff"}', "UTF-8"),
    (raw(b"NaN"), "NaN"),
    (raw(b"-Infinity"), "Infinity"),
    (raw(b"1" + b"0" * 400), "out of range"),
    (raw(b"1e400"), "out of range"),
    (raw(b"9" * 200_000), "out of range"),
    (raw(b"[" * 100_000 + b"]" * 100_000), "nested"),
    (b"[" * 260_000, "nested"),
    (b'{"a":' * 50_000, "nested"),
    (b"[" * 200 + b'"' + b'\\"' * 130_000, "nested"),
    (b"[" * 200 + b'"' * 260_000, "nested"),
    (raw(b'"a\nb"'), "not JSON"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED, ids=lambda value: repr(value)[:40])
def test_what_is_no_notification_is_refused_with_a_reason_in_bounded_time(body: bytes, reason: str) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidNotification, match=reason) as refusal:
        parse_body(body)
    assert time.perf_counter() - started < 1
    assert len(refusal.value.reason) < 200


READ = [
    (raw(b'"\\ud800 x"'), "\ufffd x"),
    (raw(b'"\\ud83d\\ude00"'), "😀"),
    (b"\xef\xbb\xbf" + raw(b"1"), 1),
    (raw(b'1,"extra":2'), 2),
    (raw(b'"\\u0000"'), "\0"),
    (raw(b"[" * 99 + b"]" * 99), json.loads("[" * 99 + "]" * 99)),
    (raw(b'"' + b"[" * 200_000 + b'"'), "[" * 200_000),
    (raw(b"9" * 308), int("9" * 308)),
    (raw(b"0." + b"1" * 200_000), 0.1111111111111111),
    (raw(b"1e-999999999"), 0.0),
    (raw('"\u2028\x7fé"'.encode()), "\u2028\x7fé"),
]


@pytest.mark.parametrize(("body", "extra"), READ, ids=lambda value: repr(value)[:40])
def test_what_is_odd_but_can_be_read_is_read_and_duckdb_takes_it(body: bytes, extra: Any) -> None:
    read = parse_body(body)
    assert json.loads(read.payload)["extra"] == extra
    with duckdb.connect() as connection:
        assert connection.execute("select (?::json)->>'externalJobPostingId'", [read.payload]).fetchone() == ("job-1",)


# Lone surrogates too: a text cut in the middle of an emoji has one.
TEXTS = st.text(st.characters(exclude_categories=[]))
SCALARS = st.none() | st.booleans() | st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
DOCUMENTS = st.dictionaries(
    TEXTS, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
)


def is_utf_8(body: bytes) -> bool:
    return body.decode("utf-8", "replace").encode() == body


def is_parsed_or_rejected(body: bytes) -> bool:
    for read in (parse_body, parse_import_line):
        with contextlib.suppress(InvalidNotification):
            read(body)
    return True


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(item, order)) for key, item in value.items()]
        order.shuffle(items)
        return dict(items)
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_key_order_whitespace_and_escapes_do_not_change_the_canonical_form(document: dict[str, Any], order: random.Random) -> None:
    document = document | notification()
    read = parse_body(encode(document))
    other = json.dumps(shuffled(document, order), ensure_ascii=False, indent=3).encode("utf-8", "surrogatepass")
    if is_utf_8(other):
        assert parse_body(other) == read
    assert parse_body(read.payload.encode()) == read


EQUAL = [
    (b'{"a":"\\u00fc\\u0000\\/\x7f"}', '{"a":"\u00fc\\u0000/\x7f"}'.encode()),
    (b'{"b":1,"a":[-5,99999999999999999,true,null]}', b' { "a" : [-5, 99999999999999999, true, null], "b": 1 }'),
    (b'{"a":1,"a":2}', b'{"a":2}'),
    (b'{"\\ud800":1,"\\ud801":1.50}', b'{"\\ud801":1.5,"\\ud800":1}'),
    (b'{"a":18446744073709551616,"b":1e3}', b'{"b":1000.0,"a":18446744073709551616}'),
    (b'{"a":"\\ud800"}', '{"a":"\ufffd"}'.encode()),
]


@pytest.mark.parametrize(("one", "other"), EQUAL, ids=repr)
def test_what_differs_only_in_form_has_one_canonical_form(one: bytes, other: bytes) -> None:
    assert parse_body(raw(one)).payload == parse_body(raw(other)).payload


def test_a_fraction_changes_nothing_else_of_the_canonical_form() -> None:
    rest = b'{"b":"\\u00fc\\u0000\\/\\u001f\x7f","a":[-5,true,null,"\\u2028"],"n":%s}'
    assert parse_body(raw(rest % b"1.5")).payload == parse_body(raw(rest % b"15")).payload.replace('"n":15', '"n":1.5')


@given(DOCUMENTS)
def test_duckdb_takes_every_canonical_form(document: dict[str, Any]) -> None:
    payload = parse_body(encode(document | notification())).payload
    assert DUCKDB.execute("select json_valid(?), (?::json)->>'type'", [payload, payload]).fetchone() == (True, "JOB_POSTING_STATUS")


DUCKDB = duckdb.connect()


def test_bodies_that_differ_in_the_last_digit_of_a_great_number_differ() -> None:
    one, other = (encode(notification(externalJobPostingId=12345678901234567890120 + last)) for last in (1, 2))
    assert parse_body(one).body_hash != parse_body(other).body_hash


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")) | st.recursive(SCALARS, st.lists).map(encode))
def test_anything_is_parsed_or_rejected(body: bytes) -> None:
    assert is_parsed_or_rejected(body)


@given(DOCUMENTS, st.sampled_from(["type", "developerApplicationUrn", "externalJobPostingId", "body", "received_at"]), SCALARS)
def test_any_value_of_any_known_field_is_parsed_or_rejected(document: dict[str, Any], field: str, value: Any) -> None:
    assert is_parsed_or_rejected(encode(document | notification(**{field: value})))


def test_an_import_line_is_a_bare_body() -> None:
    for line in (encode(notification()), b"\xef\xbb\xbf" + encode(notification()) + b"\r\n"):
        assert parse_import_line(line) == (None, parse_body(encode(notification())))


MOMENTS = [
    ("2026-03-01T06:00:00+02:00", datetime(2026, 3, 1, 4, tzinfo=UTC)),
    ("2026-03-01T06:00:00Z", datetime(2026, 3, 1, 6, tzinfo=UTC)),
    ("2026-03-01 06:00:00.5", datetime(2026, 3, 1, 6, 0, 0, 500_000, tzinfo=UTC)),
    (None, None),
]


@pytest.mark.parametrize(("written", "moment"), MOMENTS)
def test_an_import_line_may_say_when_the_body_was_received(written: str | None, moment: datetime | None) -> None:
    line = encode({"received_at": written, "body": notification()})
    assert parse_import_line(line) == (moment, parse_body(encode(notification())))


def test_an_import_line_may_hold_the_body_as_text() -> None:
    line = encode({"received_at": "2026-03-01", "body": json.dumps(notification(), indent=1)})
    assert parse_import_line(line) == (datetime(2026, 3, 1, tzinfo=UTC), parse_body(encode(notification())))


BAD_LINES = ["yesterday", "", 5, "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "\ud800", ["2026"], "2026-13-01"]


@pytest.mark.parametrize("written", BAD_LINES)
def test_an_import_line_with_a_bad_date_is_invalid(written: Any) -> None:
    with pytest.raises(InvalidNotification, match="received_at"):
        parse_import_line(encode({"received_at": written, "body": notification()}))

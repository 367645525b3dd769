"""Who signed: known responses of LinkedIn's facts page, and whatever a stranger may send."""

import hmac
import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from jobrecon.webhook.signature import compute_challenge_response, find_signer, list_signed_forms

SECRET = "test-client-secret"
CANDIDATES = [("child#1", SecretStr("another")), ("parent#1", SecretStr(SECRET))]
PLAIN = (
    b'{"externalJobPostingId":"job-1234","developerApplicationUrn":"urn:li:developerApplication:12345",'
    b'"type":"JOB_POSTING_STATUS","listingStatus":"LISTED"}'
)
COLOGNE = (
    '{"externalJobPostingId":"job-1234","developerApplicationUrn":"urn:li:developerApplication:12345",'
    '"type":"JOB_POSTING_STATUS","jobPostingInfo":{"location":"Köln, Nordrhein-Westfalen, Germany"}}'
).encode()
PLAIN_DIGEST = "2cd5ce37b80e33b9c1d08b29359125070ec709961813e73eba5b70a8aa22ce70"

KNOWN = [
    (PLAIN, PLAIN_DIGEST, "parent#1 raw"),
    (COLOGNE, "2c151dee298f59993ef5c4bc32ab6f704b52fe6f61ab2e528a508eeb8eb7ae9d", "parent#1 raw"),
    (COLOGNE, "8bc9da8041b1eddacc5e30d7b91e9918eeed110ca543eec826540dfb4f5a1e6a", "parent#1 escaped"),
]


@pytest.mark.parametrize(("body", "digest", "signer"), KNOWN)
def test_the_known_signatures_are_found_with_the_secret_and_the_form(body: bytes, digest: str, signer: str) -> None:
    assert find_signer(body, digest, CANDIDATES) == signer


def test_the_known_challenge_is_answered() -> None:
    response = compute_challenge_response("890e4665-4dfe-4ab1-b689-ed553bceeed0", SecretStr(SECRET))
    assert response == "05f7c3a9fc0fd9476f5fa3a0f318d460b83aba7b241196a57cc44868a392fc57"


@pytest.mark.parametrize("header", [f"hmacsha256={PLAIN_DIGEST}", f"  HMACSHA256={PLAIN_DIGEST.upper()} ", f"hmacsha256= {PLAIN_DIGEST}\t"])
def test_a_prefix_and_any_case_and_spaces_in_the_header_are_accepted(header: str) -> None:
    assert find_signer(PLAIN, header, CANDIDATES) == "parent#1 raw"


MALFORMED = [
    None,
    "",
    "x",
    PLAIN_DIGEST[:-1],
    PLAIN_DIGEST + "0",
    "é" * 64,
    "٠" * 64,
    "g" * 64,
    PLAIN_DIGEST + "\n" + PLAIN_DIGEST,
    "\ud800" * 64,
]


@pytest.mark.parametrize("header", MALFORMED, ids=repr)
def test_a_malformed_header_matches_nothing(header: str | None) -> None:
    assert find_signer(PLAIN, header, CANDIDATES) is None


def test_the_digest_without_the_prefix_in_the_message_does_not_match() -> None:
    assert find_signer(PLAIN, hmac.new(SECRET.encode(), PLAIN, sha256).hexdigest(), CANDIDATES) is None


def test_one_changed_byte_does_not_match() -> None:
    assert find_signer(PLAIN.replace(b"LISTED", b"LISTEd"), PLAIN_DIGEST, CANDIDATES) is None


def test_an_empty_secret_signs_nothing() -> None:
    digest = hmac.new(b"", b"hmacsha256=" + PLAIN, sha256).hexdigest()
    assert find_signer(PLAIN, digest, [("child#1", SecretStr(""))]) is None


def test_a_body_that_is_not_utf_8_is_verified_in_its_raw_form() -> None:
    body = b'{"a": "\xff\xfe"}'
    assert list(list_signed_forms(body)) == [("raw", body)]
    assert find_signer(body, hmac.new(SECRET.encode(), b"hmacsha256=" + body, sha256).hexdigest(), CANDIDATES) == "parent#1 raw"


def test_characters_beyond_the_basic_plane_are_escaped_as_surrogate_pairs() -> None:
    forms = dict(list_signed_forms('{"a\\n": "É\x7f\u2028😀"}'.encode()))
    assert forms["escaped"] == b'{"a\\n": "\\u00c9\x7f\\u2028\\ud83d\\ude00"}'
    assert forms["escaped in upper case"] == b'{"a\\n": "\\u00C9\x7f\\u2028\\uD83D\\uDE00"}'
    assert list(list_signed_forms(b"only ascii")) == [("raw", b"only ascii")]


# The same document, as different serializers write it: sent in one of these forms, signed in another.
WRITTEN = [
    '{"a":"Köln 😀/x","b":"\\"\\n\\\\u00f6"}'.encode(),
    b'{"a":"K\\u00f6ln \\ud83d\\ude00/x","b":"\\"\\n\\\\u00f6"}',
    b'{"a":"K\\u00F6ln \\uD83D\\uDE00/x","b":"\\"\\n\\\\u00f6"}',
    '{"a":"Köln 😀\\/x","b":"\\"\\n\\\\u00f6"}'.encode(),
    b'{"a":"K\\u00f6ln \\ud83d\\ude00\\/x","b":"\\"\\n\\\\u00f6"}',
    b'{"a":"K\\u00F6ln \\uD83D\\uDE00\\/x","b":"\\"\\n\\\\u00f6"}',
]


@pytest.mark.parametrize("sent", WRITTEN, ids=ascii)
@pytest.mark.parametrize("signed", WRITTEN, ids=ascii)
def test_a_body_verifies_in_whichever_way_its_characters_and_slashes_were_written_when_it_was_signed(sent: bytes, signed: bytes) -> None:
    assert json.loads(sent) == json.loads(signed)
    digest = hmac.new(SECRET.encode(), b"hmacsha256=" + signed, sha256).hexdigest()
    signer = find_signer(sent, digest, CANDIDATES)
    assert signer is not None
    assert signer.startswith("parent#1 ")


@given(st.text())
def test_every_form_of_json_reads_as_the_same_document(text: str) -> None:
    for is_escaped in (True, False):
        body = json.dumps({"a": text, "b": "/\\u00f6"}, ensure_ascii=is_escaped).encode("utf-8", "replace")
        forms = list(list_signed_forms(body))
        assert all(json.loads(form) == json.loads(body) for _, form in forms)
        assert len(forms) == len(dict(forms)) <= 12


@given(st.binary(), st.none() | st.text() | st.from_regex(r"\A[0-9a-f]{64}\Z"))
def test_nothing_a_stranger_sends_raises_or_matches(body: bytes, header: str | None) -> None:
    assert find_signer(body, header, CANDIDATES) is None


@given(st.binary(), st.text(min_size=1), st.text(min_size=1))
def test_whatever_was_signed_is_found_and_only_by_its_secret(body: bytes, secret: str, other: str) -> None:
    key = secret.encode("utf-8", "surrogateescape") if not any("\ud800" <= c <= "\udfff" for c in secret) else None
    if key is None or other == secret or len(key) > 64:
        return
    digest = hmac.new(key, b"hmacsha256=" + body, sha256).hexdigest()
    assert find_signer(body, digest, [("a#1", SecretStr(secret))]) == "a#1 raw"


@pytest.mark.parametrize("code", [f"hmacsha256={PLAIN.decode()}", "HMACSHA256=x", " hmacsha256=x"])
def test_no_challenge_is_answered_whose_response_would_sign_a_body(code: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        compute_challenge_response(code, SecretStr(SECRET))


def test_a_secret_appears_in_no_label() -> None:
    assert SECRET not in repr(CANDIDATES)
    assert SECRET not in str(find_signer(PLAIN, PLAIN_DIGEST, CANDIDATES))

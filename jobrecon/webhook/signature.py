"""LinkedIn's signatures and challenges. Pure: no clock, no network, no settings."""

import hmac
import json
import re
from collections.abc import Sequence

from pydantic import SecretStr

PREFIX = b"hmacsha256="
DIGEST_LENGTH = 64

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Candidate = tuple[str, SecretStr]


def find_signer(body: bytes, header: str | None, candidates: Sequence[Candidate]) -> str | None:
    """Which candidate signed `body`, and in which form: "parent#1 raw", "urn:…:1001#2 escaped"; None if none did.

    `candidates` are (label, secret). Every one of them is tried, in constant time, whichever matches: LinkedIn does not
    say whether the parent's or the child's secret signs, nor which of two active ones. Nothing a stranger can send, in
    the body or in the header, raises. An empty secret signs nothing.
    """
    digest = read_signature(header)
    if digest is None:
        return None
    forms = [("raw", body)]
    escaped = escape_unicode(body)
    if escaped is not None:
        forms.append(("escaped", escaped))
    signer = None
    for label, secret in candidates:
        key = secret.get_secret_value().encode("utf-8", "surrogateescape")
        for form, message in forms:
            is_match = hmac.compare_digest(_sign(key, PREFIX + message), digest)
            if is_match and key and signer is None:
                signer = f"{label} {form}"
    return signer


def read_signature(header: str | None) -> str | None:
    """The lower-case hex digest in an `X-LI-Signature` header, with or without its prefix; None if it holds none."""
    if header is None:
        return None
    digest = header.strip().lower().removeprefix(PREFIX.decode()).strip()
    return digest if _DIGEST.fullmatch(digest) else None


def escape_unicode(body: bytes) -> bytes | None:
    r"""`body` with its characters above 0x7F as lower-case `\uXXXX`; None where that is no other form of it.

    LinkedIn's Apply Connect page says that this form is what is signed.
    """
    if body.isascii():
        return None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # The runs hold no quote, backslash or control character, so that JSON's own escaping does just this.
    return _NON_ASCII.sub(lambda run: json.dumps(run[0])[1:-1], text).encode("ascii")


def compute_challenge_response(code: str, secret: SecretStr) -> str:
    """The `challengeResponse` that LinkedIn expects for a challenge code.

    Anyone may send a challenge. The response to a code that begins like the message of a signature would be a valid signature
    of whatever follows, so that a stranger could have notifications signed: such a code raises `ValueError`.
    """
    if is_forgery(code):
        raise ValueError("a challenge code whose response would be a signature")
    return _sign(secret.get_secret_value().encode("utf-8", "surrogateescape"), code.encode("utf-8", "replace"))


def is_forgery(code: str) -> bool:
    """Whether the response to this challenge code could serve as the signature of a body."""
    return code.strip().lower().startswith(PREFIX.decode())


def _sign(key: bytes, message: bytes) -> str:
    # Not `hmac.digest`: it releases the interpreter's lock for each call, and waits for the writer thread to get it back.
    return hmac.new(key, message, "sha256").hexdigest()

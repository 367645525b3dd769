"""Who signed: the active secrets, LinkedIn's signatures and challenges. Nothing a stranger sends raises."""

import hmac
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pydantic import SecretStr

from jobrecon.applications import Application, Applications, Parent
from jobrecon.errors import ConfigurationError
from models.values import read_application_urn

PREFIX = b"hmacsha256="

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# An escaped backslash comes first in each: what follows it is no escape.
_UNICODE_ESCAPE = re.compile(r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})")
_SLASH_ESCAPE = re.compile(r"\\\\|\\/")
_LOWER_CASE_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")

Candidate = tuple[str, SecretStr]


def find_signer(body: bytes, header: str | None, candidates: Sequence[Candidate]) -> str | None:
    """Which candidate signed `body`, and in which form: "parent#1 raw", "urn:…:1001#2 escaped"; None if none did.

    `candidates` are (label, secret). LinkedIn does not say whether the parent's or the child's secret signs, which of two active
    ones, nor how it writes the body that it signs. Comparisons take constant time. Nothing a stranger can send, in the body or
    in the header, raises. An empty secret signs nothing.
    """
    digest = read_signature(header)
    if digest is None:
        return None
    keys = [(label, secret.get_secret_value().encode("utf-8", "surrogateescape")) for label, secret in candidates]
    for form, message in list_signed_forms(body):
        signers = [label for label, key in keys if hmac.compare_digest(_sign(key, PREFIX + message), digest) and key]
        if signers:
            return f"{signers[0]} {form}"
    return None


def read_signature(header: str | None) -> str | None:
    """The lower-case hex digest in an `X-LI-Signature` header, with or without its prefix; None if it holds none."""
    if header is None:
        return None
    digest = header.strip().lower().removeprefix(PREFIX.decode()).strip()
    return digest if _DIGEST.fullmatch(digest) else None


def list_signed_forms(body: bytes) -> Iterator[tuple[str, bytes]]:
    r"""The ways to write the JSON in `body` that may be what was signed, with their names: first as it was received.

    Characters above 0x7F are `\uXXXX` in lower case (LinkedIn's Apply Connect page says that this form is signed), or in upper
    case, or plain; slashes are plain or `\/`. Each text comes once, so that a body in ASCII without slashes has one form.
    """
    yield "raw", body
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return
    plain = _UNICODE_ESCAPE.sub(_unescape, text)
    escaped = _NON_ASCII.sub(lambda run: json.dumps(run[0])[1:-1], plain)
    in_upper_case = _NON_ASCII.sub(lambda run: _LOWER_CASE_ESCAPE.sub(_write_upper_case, json.dumps(run[0])[1:-1]), plain)
    seen = {text}
    for name, form in (("raw", text), ("escaped", escaped), ("escaped in upper case", in_upper_case), ("plain", plain)):
        plain_slashes = _SLASH_ESCAPE.sub(lambda escape: "/" if escape[0] == r"\/" else escape[0], form)
        for suffix, message in (("", form), (", slashes plain", plain_slashes), (", slashes escaped", plain_slashes.replace("/", r"\/"))):
            if message not in seen:
                seen.add(message)
                yield name + suffix, message.encode()


def _unescape(escape: re.Match[str]) -> str:
    """A character above 0x7F; everything else stays as it is written: quotes and controls have to be escaped in any form."""
    high, low, single = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    code = int(single or "0", 16)
    return chr(code) if code > 0x7F and not 0xD800 <= code <= 0xDFFF else escape[0]


def _write_upper_case(escape: re.Match[str]) -> str:
    return r"\u" + escape[0][2:].upper()


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


@dataclass(frozen=True)
class Keyring:
    """All active secrets, newest first, by application."""

    children: dict[str, list[Candidate]] = field(repr=False)
    parent: list[Candidate] = field(repr=False)

    def find_candidates(self, application_urn: str | None) -> list[Candidate]:
        """The secrets that may have signed a body which names this application, in the order in which to try them.

        The name is not yet verified and chooses nothing but this list. An unknown one, or none, means any secret there is.
        """
        if application_urn is not None and application_urn in self.children:
            return self.children[application_urn] + self.parent
        return self.parent + list(chain.from_iterable(self.children.values()))

    def is_known(self, application_urn: str | None) -> bool:
        return application_urn in self.children

    def is_missing(self, application_urn: str | None) -> bool:
        """Whether this application is configured, but none of its secrets could be read."""
        return self.children.get(application_urn or "") == []

    def find_challenged(self, application_id: str | None) -> tuple[str, SecretStr] | None:
        """The application that a challenge is for ('' for the parent) and the secret to respond with; None if unknown.

        `application_id` is its number or its URN. The newest secret of that application; else the parent's; else, where
        only one application is configured, that one's.
        """
        urn = read_application_urn(application_id) or ""
        if candidates := self.children.get(urn):
            return urn, candidates[0][1]
        if self.parent:
            return "", self.parent[0][1]
        if len(self.children) == 1:
            (only, candidates), *_ = self.children.items()
            return (only, candidates[0][1]) if candidates else None
        return None


def load_keyring(applications: Applications) -> Keyring:
    """Resolve every secret anew. An application whose secrets cannot be read has none here; the others are unaffected."""
    return Keyring(
        {application.urn: _load(application, application.urn) for application in applications},
        _load(applications.parent, "parent") if applications.parent else [],
    )


def _load(owner: Application | Parent, name: str) -> list[Candidate]:
    try:
        return [(f"{name}#{number}", secret) for number, secret in owner.number_secrets().items()]
    except ConfigurationError:
        return []

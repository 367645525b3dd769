"""Hostile bodies, generated: the classes of the JSONTestSuite's cases (what must be read, what must not, what is left open),
each alone and as a field of a notification, and more that a stranger or a broken gateway might send.
"""

import gzip
import itertools
import json
from collections.abc import Iterator

HEAD = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-1","x":'

NUMBERS = [
    b"0", b"-0", b"-1", b"123", b"1.5", b"1e5", b"1E5", b"1e+5", b"1e-5", b"-0.0", b"0e1", b"1" + b"0" * 30, b"1" + b"0" * 400,
    b"1e400", b"-1e400", b"1e-400", b"0.1e1", b"9" * 5_000, b"0." + b"1" * 5_000,
    b"01", b"+1", b".5", b"1.", b"1.e1", b"-", b"-a", b"--1", b"++1", b"1+2", b"0x1", b"1e", b"1e+", b"1eE2", b"0e", b"-01", b"1_000",
    b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"Inf", b"1 000", b"\xef\xbc\x91", b"-.5", b"1.0e+", b"0.e1", b"2.e3", b"9.e+",
]  # fmt: skip
STRINGS = [
    b'""', b'"a"', b'"\\u0061"', b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\u0000"', b'"\\ud83d\\ude00"', b'"\\ud800"', b'"\\udc00\\ud800"',
    b'"\\uD834\\uDd"', '"é€😀"'.encode(), b'"\x7f"', '"\u2028"'.encode(), b'"\xef\xbb\xbf"', b'"</script><script>alert(1)</script>"',
    b'"', b'"a', b"'a'", b'"\\x00"', b'"\\a"', b'"\\u00g0"', b'"\\u"', b'"\\', b'"\\"', b'"\n"', b'"\t"', b'"\0"', b'"\x1f"', b'"\\u{61}"',
    b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe9"', b'"\xc3"', b'"\\\xf0\x9f\x98\x80"', b'a"b"', b'"a" "b"',
]  # fmt: skip
STRUCTURES = [
    b"[]", b"{}", b"[1,2]", b'{"a":1}', b'{"a":1,"a":2}', b'{"":0}', b"[[]]", b"[null,true,false]", b' [ ] ', b"[\n1\n]",
    b"[", b"]", b"{", b"}", b"[1", b"[1,", b"[,1]", b"[1,,2]", b"[1,]", b"[1 2]", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{a:1}", b"{1:1}",
    b"{'a':1}", b'{"a" 1}', b'{"a"::1}', b'{"a":1 "b":2}', b'{"a":1}}', b"[1]]", b"[1]x", b"{}#", b"[1]//", b"[/**/1]", b'{"a":1/*x*/}',
    b"nul", b"True", b"tru", b"FALSE", b"undefined", b"null", b"true", b"<a/>", b"a=1&b=2", b"\0", b"\x0c[]", b"\xe2\x81\xa0[]", b"[\x0b1]",
    b"[" * 99 + b"]" * 99, b"[" * 101 + b"]" * 101, b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 40_000, b'[{"":' * 30_000,
]  # fmt: skip
WHOLE = [
    b"", b" ", b"\xef\xbb\xbf", b"\xef\xbb\xbf{}", "{}".encode("utf-16"), "{}".encode("utf-32"), b"\xff\xfe", gzip.compress(HEAD + b"1}"),
    HEAD + b"1}" + b" " * 100_000, HEAD + b"1}\0", HEAD + b"1}" * 2, bytes(range(256)), b"{}" * 50_000, b'"' * 200_000, b"\\" * 200_000,
]  # fmt: skip


def bodies() -> Iterator[bytes]:
    """All of them, several hundred."""
    values = [*NUMBERS, *STRINGS, *STRUCTURES]
    yield from WHOLE
    for value in values:
        yield value
        yield HEAD + value + b"}"
    short = [value for value in values if len(value) < 100]
    for name, value in itertools.product(("type", "developerApplicationUrn", "externalJobPostingId"), short[::3]):
        # The first of a name twice is another's; the last one counts.
        yield HEAD + b'1,"' + name.encode() + b'":' + value + b"}"
    for value in short[::4]:
        yield (
            json.dumps({"type": "RESYNC_JOBS", "developerApplicationUrn": 1001, "externalJobPostingIds": 0})
            .encode()
            .replace(b": 0", b":" + value)
        )


def raw_requests() -> Iterator[bytes]:
    """Whole requests with tricks in the head; each on a connection of its own."""
    body = HEAD + b"1}"
    length = b"Content-Length: %d\r\n" % len(body)
    for line in (
        b"POST /webhook HTTP/1.1", b"POST /webhook HTTP/9.9", b"POST /webhook", b"POST  /webhook HTTP/1.1", b"POST http://x/webhook HTTP/1.1",
        b"POST /webhook/../webhook HTTP/1.1", b"POST /%77ebhook HTTP/1.1", b"POST /webhook%00 HTTP/1.1", b"POST * HTTP/1.1", b"\0\1\2",
        b"POST /w\xc3\xa9 HTTP/1.1", b"POST /webhook?%ff HTTP/1.1", b"CONNECT x:1 HTTP/1.1", b"PRI * HTTP/2.0", b"\x16\x03\x01\x02\x00",
        b"OPTIONS /webhook HTTP/1.1", b"TRACE /webhook HTTP/1.1", b"post /webhook HTTP/1.1", b"BREW /webhook HTTP/1.1", b"GET /\xed\xa0\x80 HTTP/1.1",
    ):  # fmt: skip
        yield line + b"\r\nHost: x\r\n" + length + b"\r\n" + body
    for head in (
        b"Content-Length: -1\r\n", b"Content-Length: 1e3\r\n", b"Content-Length: 99999999999999999999999\r\n", b"Content-Length: 0x10\r\n",
        length + length, length + b"Content-Length: 1\r\n", length + b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, identity\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n",
        length + b"X-LI-Signature: " + b"\xff" * 64 + b"\r\n", length + b"X-LI-Signature: a\r\n b\r\n", length + b"X-LI-Signature: \0\r\n",
        length + b"X-LI-Signature: hmacsha256=\r\n", length + b"X-LI-Signature: " + b"0" * 64 + b"\r\nX-LI-Signature: x\r\n",
        length + b"Expect: 100-continue\r\n", length + b"Expect: 200-ok\r\n", length + b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
        length + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n", length + b"Content-Encoding: gzip\r\n", length + b": x\r\n",
        length + b"Content-Type: multipart/form-data\r\n", length + b"Connection: close, x\r\n", length + b"bad header\r\n", length + b"A\x00B: c\r\n",
        length + b"Host: a\r\nHost: b\r\n", length + b"X: " + b"a" * 15_000 + b"\r\n", length + b"\r",
    ):  # fmt: skip
        yield b"POST /webhook HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n" + body
    chunked = b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for chunks in (
        b"zz\r\n",
        b"-1\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n",
        b"5;x=" + b"a" * 9_000 + b"\r\nabcde\r\n0\r\n\r\n",
        b"0\r\nX-LI-Signature: x\r\n\r\n",
        b"5\r\nab",
    ):
        yield chunked + chunks


def challenge_queries() -> Iterator[bytes]:
    """Query strings of challenges, as bytes on the wire."""
    for code in (
        b"", b"<script>alert(1)</script>", b"%3Cimg%20src=x%3E", b"%00", b"%ff%fe", b"%ED%A0%80", b"a" * 1_024, b"a" * 1_025, b"a" * 15_000, b"\xc3\xa9",
        b"hmacsha256%3D{}", b"%20HMACSHA256={}", b"%0d%0aSet-Cookie:x", b"a&challengeCode=b", b"a;b", b"%", b"%zz", b"+", b"'--", b"${7*7}", b"..%2f",
    ):  # fmt: skip
        yield b"challengeCode=" + code
    for application in (
        b"",
        b"1001",
        b"urn:li:developerApplication:1001",
        b"-1",
        b"%00",
        b"9" * 10_000,
        b"%ED%A0%80",
        b"1001&applicationId=2",
        b"\xff",
    ):
        yield b"challengeCode=c&applicationId=" + application
    yield b"&" * 5_000
    yield b"challengecode=c"

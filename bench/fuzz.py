"""A fuzzer over the served receiver: known good requests, broken at random, signed where that makes sense."""

import hashlib
import hmac
import random
import re
import socket
import time
from collections import Counter
from pathlib import Path

from bench.crash import serve_receiver
from bench.senders import BODY, SECRET
from jobrecon.webhook.signature import PREFIX

PIECES = [
    b"\0", b"\r\n", b"\r\n\r\n", b"\xff", b"{", b"}", b"[" * 200, b'"', b"\\u", b"\\ud800", b"1e999", b"NaN", b"null", b"-", b"0" * 400, b":", b",",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"%00", b"challengeCode=", b"hmacsha256=", b"HTTP/1.0", b"\xed\xa0\x80", b" " * 999,
]  # fmt: skip


def make_body(chance: random.Random) -> bytes:
    body = (BODY % chance.randrange(10**6)).encode()
    return body if chance.random() < 0.3 else break_bytes(body, chance)


def break_bytes(text: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, dropped, doubled or put in."""
    broken = bytearray(text)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(broken) + 1)
        match chance.randrange(4):
            case 0:
                broken[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del broken[at : at + chance.randrange(1, 40)]
            case 2:
                broken[at:at] = chance.choice(PIECES)
            case _:
                broken[at:at] = broken[chance.randrange(len(broken) + 1) :][: chance.randrange(60)]
    return bytes(broken)


def make_request(chance: random.Random) -> bytes:
    if chance.random() < 0.25:
        query = break_bytes(b"challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0&applicationId=1001", chance)
        request = b"GET /webhook?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    else:
        body = make_body(chance)
        signature = hmac.new(SECRET, PREFIX + body, hashlib.sha256).hexdigest().encode()
        head = b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-LI-Signature: " + signature + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        request = head + body
    return request if chance.random() < 0.7 else break_bytes(request, chance)


def fuzz_receiver(home: Path, seconds: float, seed: int = 1) -> str:
    """Fuzz for so long; a sentence with the statuses of the responses. Raises `RuntimeError` for a 5xx, a traceback or a dead receiver."""
    chance = random.Random(seed)
    statuses: Counter[str] = Counter()
    slowest = 0.0
    log = home / "receiver.log"
    with serve_receiver(home, log=log) as (process, host, port):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            request = make_request(chance)
            began = time.monotonic()
            response = b""
            try:
                with socket.create_connection((host, port), timeout=30) as connection:
                    connection.sendall(request)
                    # Without that the receiver would wait for the rest of what was cut off until its deadline.
                    connection.shutdown(socket.SHUT_WR)
                    while chunk := connection.recv(65_536):
                        response += chunk
            except ConnectionError:
                pass
            slowest = max(slowest, time.monotonic() - began)
            found = re.match(rb"HTTP/1\.1 (\d+)", response)
            statuses[found[1].decode() if found else "closed"] += 1
            if response.startswith(b"HTTP/1.1 5") or process.poll() is not None:
                raise RuntimeError(f"{request!r} got {response!r}")
    if "Traceback" in log.read_text(errors="replace"):
        raise RuntimeError(f"a traceback in {log}")
    counts = ", ".join(f"{count:,} × {status}" for status, count in sorted(statuses.items()))
    return f"{seconds:.0f} s of broken requests: {counts}; no 5xx, no traceback, the slowest response took {slowest * 1000:.0f} ms."

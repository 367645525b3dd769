"""What strangers cost the receiver: its memory and disk after forged bodies, unique challenges and replays.

`python -m bench.strangers COUNT` sends so many of each.
"""

import asyncio
import hashlib
import hmac
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.crash import serve_receiver
from bench.senders import BODY, SECRET, make_request

CONNECTIONS = 32
LARGE_REPLAYS = 800
LARGE_BODY = (BODY % 1).replace('"jobCampaign": null', '"jobCampaign": "' + "a" * 200_000 + '"').encode()


def frame(body: bytes, signature: str) -> bytes:
    head = f"POST /webhook HTTP/1.1\r\nHost: bench\r\nX-LI-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def make_forged(number: int) -> bytes:
    return frame((BODY % number).encode(), "0" * 64)


def make_challenge(number: int) -> bytes:
    return f"GET /webhook?challengeCode=code-{number}&applicationId=1001 HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def make_replay(_number: int) -> bytes:
    return make_request(7)


def make_large_replay(_number: int) -> bytes:
    return frame(LARGE_BODY, hmac.new(SECRET, b"hmacsha256=" + LARGE_BODY, hashlib.sha256).hexdigest())


async def send_all(host: str, port: int, make: Callable[[int], bytes], count: int) -> None:
    numbers = iter(range(count))
    await asyncio.gather(*(_send(host, port, make, numbers) for _ in range(CONNECTIONS)))


async def _send(host: str, port: int, make: Callable[[int], bytes], numbers: Iterator[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for number in numbers:
        writer.write(make(number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    await writer.wait_closed()


def measure_strangers(count: int) -> str:
    """Memory of the receiver and size of its database after each kind, as a table."""
    lines = ["| after | memory of the receiver | landing database |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as name, serve_receiver(Path(name) / "home") as (process, host, port):

        def add_line(after: str) -> None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            memory = re.search(r"VmRSS:\s+(\d+)", status)
            size = sum(file.stat().st_size for file in (Path(name) / "home").glob("landing.db*"))
            lines.append(f"| {after} | {int(memory[1]) / 1024 if memory else 0:,.0f} MB | {size / 1e6:,.1f} MB |")

        add_line("its start")
        for kind, make in (("forged bodies", make_forged), ("unique challenges", make_challenge), ("replays of one body", make_replay)):
            asyncio.run(send_all(host, port, make, count))
            add_line(f"{count:,} {kind}")
        asyncio.run(send_all(host, port, make_large_replay, LARGE_REPLAYS))
        add_line(f"{LARGE_REPLAYS} replays of a body of 200 KB")
    return "\n".join(lines)


if __name__ == "__main__":
    print(measure_strangers(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))

"""Senders of signed notifications: as many connections as wanted, each sends its next one as soon as it has a response.

`python -m bench.senders ADDRESS CONNECTIONS SECONDS` prints one JSON object. A process of its own, so that it takes no
time from the server; it writes bytes and checks the status, no more.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

SECRET = b"bench-secret"
APPLICATION_URN = "urn:li:developerApplication:1001"
BODY = """{"type": "JOB_POSTING_STATUS", "externalJobPostingId": "job-%d", "developerApplicationUrn": "urn:li:developerApplication:1001", "jobPostingUrl": "https://www.linkedin.com/jobs/view/123456789", "listingStatus": "NOT_LISTED", "listingStatusDetail": {"errorCode": null, "errorType": "CUSTOMER_ERROR", "statusMessage": "INVALID_LOCATION: The job location cannot be standardized."}, "linkedInApplyStatus": "ENABLED", "linkedInApplyStatusDetail": null, "promotionStatus": "NOT_PROMOTED", "promotionStatusDetail": {"errorType": "CUSTOMER_ERROR", "statusMessage": "LI_CUSTOMER_BASIC: basic"}, "jobCampaign": null, "partnerJobCampaign": null, "jobPostingInfo": {"listedAt": 1746458138000, "expireAt": 1762010139000, "location": "Oslo, Norway", "alternateLocations": [], "companyDetails": {"companyName": "Acme", "companyPage": "https://www.linkedin.com/company/1"}, "visibilityTag": "PUBLIC"}}"""
WARM_UP_SECONDS = 0.5


@dataclass
class Acknowledged:
    """Responses of 200 a second, their latencies, and how many responses had another status."""

    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    others: int


def make_request(number: int, path: str = "/webhook") -> bytes:
    """One signed notification, as bytes on the wire."""
    body = (BODY % number).encode()
    signature = hmac.new(SECRET, b"hmacsha256=" + body, hashlib.sha256).hexdigest()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-LI-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Sender(asyncio.Protocol):
    """One connection. Responses have no body, so that one ends with its headers."""

    def __init__(self, requests: list[bytes], first: int, seen: list[tuple[float, float, bool]], until: float) -> None:
        self._requests = requests
        self._next = first
        self._seen = seen
        self._until = until
        self._response = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._response += data
        if b"\r\n\r\n" not in self._response:
            return
        now = time.monotonic()
        self._seen.append((now, now - self._sent_at, self._response.startswith(b"HTTP/1.1 200")))
        self._response = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        self._next = (self._next + 1) % len(self._requests)
        self._sent_at = time.monotonic()
        self._transport.write(self._requests[self._next])


async def send_for(host: str, port: int, connections: int, seconds: float) -> Acknowledged:
    """Send for so long after a short warm-up; only responses after that count."""
    requests = [make_request(number) for number in range(4_000)]
    began = time.monotonic() + WARM_UP_SECONDS
    seen: list[tuple[float, float, bool]] = []
    loop = asyncio.get_running_loop()
    senders = []
    for number in range(connections):
        _, sender = await loop.create_connection(
            lambda number=number: Sender(requests, number * 37, seen, began + seconds),  # type: ignore[misc]
            host,
            port,
        )
        senders.append(sender)
    await asyncio.wait([sender.ended for sender in senders], timeout=seconds + 5)
    counted = [(took, is_well) for at, took, is_well in seen if began <= at < began + seconds]
    times = sorted(took for took, is_well in counted if is_well) or [float("nan")]
    return Acknowledged(
        per_second=sum(is_well for _, is_well in counted) / seconds,
        p50_milliseconds=times[len(times) // 2] * 1000,
        p99_milliseconds=times[min(len(times) - 1, len(times) * 99 // 100)] * 1000,
        others=sum(not is_well for _, is_well in counted),
    )


def main() -> None:
    host, _, port = sys.argv[1].removeprefix("http://").partition(":")
    result = uvloop.run(send_for(host, int(port), int(sys.argv[2]), float(sys.argv[3])))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()

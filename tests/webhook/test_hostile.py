"""Whatever strangers send: no 500, no traceback, bounded time, and nothing lands that nobody signed."""

import resource
import socket
import time

import httpx
import pytest
from sqlalchemy import Engine

from models.inbox import InboxItem, QuarantinedBody
from tests.webhook.conftest import rows_of, sign
from tests.webhook.hostile import bodies, challenge_queries, raw_requests
from tests.webhook.test_protocol import HURRIED, is_serving, served
from tests.webhook.test_receiver import read_to_end

pytestmark = pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)


def test_hundreds_of_hostile_bodies_are_landed_or_quarantined_when_signed_and_401_when_not(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    sent = list(bodies())
    assert len(sent) >= 300
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with served(engine, HURRIED) as (host, port), httpx.Client(base_url=f"http://{host}:{port}", timeout=20) as client:
        signed = []
        for number, body in enumerate(sent):
            started = time.monotonic()
            kind = ("application/json", "text/plain", "application/x-www-form-urlencoded", "")[number % 4]
            headers = {"Content-Type": kind, "X-LI-Signature": sign(body, "acme-new")}
            response = client.post("/webhook", content=body, headers=headers)
            assert response.status_code in (200, 400), (body[:200], response.status_code)
            assert (response.content == b"") == (response.status_code == 200)
            signed.append(response.status_code)
            assert client.post("/webhook", content=body, headers=headers | {"X-LI-Signature": "0" * 64}).status_code == 401
            assert time.monotonic() - started < 3, body[:200]
    assert len(rows_of(engine, InboxItem)) == signed.count(200) > 50
    assert len(rows_of(engine, QuarantinedBody)) == signed.count(400) > 100
    assert not any(record.exc_info for record in caplog.records)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_heads_with_tricks_land_nothing_and_leave_the_receiver_well(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with served(engine, HURRIED) as address:
        for request in raw_requests():
            started = time.monotonic()
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                try:
                    response = read_to_end(connection)
                except ConnectionError:
                    response = b""
            assert not response.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), (request[:200], response[:200])
            assert b"Traceback" not in response
            assert time.monotonic() - started < 5, request[:200]
        assert rows_of(engine, InboxItem) == []
        assert rows_of(engine, QuarantinedBody) == []
        assert is_serving(address)
    assert not any(record.exc_info for record in caplog.records)


def test_odd_challenges_are_answered_as_json_or_refused(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with served(engine, HURRIED) as address:
        for query in challenge_queries():
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(b"GET /webhook?" + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                response = read_to_end(connection)
            assert response.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 431")), (query[:100], response[:200])
            if response.startswith(b"HTTP/1.1 200"):
                assert b"content-type: application/json" in response
                assert b"nosniff" in response
    assert not any(record.exc_info for record in caplog.records)

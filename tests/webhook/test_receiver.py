"""The receiver over real HTTP and real databases: every response of the contract, and what is kept after it."""

import asyncio
import json
import re
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from jobrecon.applications import Application, Applications
from jobrecon.errors import ConfigurationError
from jobrecon.landing.database import open_landing
from jobrecon.webhook.app import create_app
from jobrecon.webhook.limits import Limits
from jobrecon.webhook.server import serve_in_thread
from jobrecon.webhook.signature import compute_challenge_response
from models.inbox import Challenge, InboxItem, QuarantinedBody
from tests.webhook.conftest import ACME, BETA, BROKEN, Serve, SteppingClock, bodies_of, configured, rows_of, sign


def notification(**fields: Any) -> bytes:
    named = {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME, "externalJobPostingId": "job-1"}
    return json.dumps(named | fields, ensure_ascii=False).encode()


def post(client: httpx.Client, body: bytes, secret: str | None) -> httpx.Response:
    return client.post("/webhook", content=body, headers={} if secret is None else {"X-LI-Signature": sign(body, secret)})


def metric(client: httpx.Client, name: str) -> float | None:
    found = re.search(rf"^{re.escape(name)} (.*)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else None


# Notifications


def test_a_signed_notification_is_200_empty_and_landed(serve: Serve, engine: Engine, clock: SteppingClock) -> None:
    body = notification(listingStatus="LISTED")
    response = post(serve(), body, "acme-new")
    assert (response.status_code, response.content) == (200, b"")
    (row,) = rows_of(engine, InboxItem)
    assert (row.application_urn, row.external_job_posting_id) == (ACME, "job-1")
    assert bodies_of(engine) == [body]
    assert (row.received_at, row.signed_by) == (clock.now, f"{ACME}#1 raw")


SIGNERS = [
    # named application             secret           signed by
    (ACME, "acme-old", f"{ACME}#2 raw"),
    (ACME, "parent-secret", "parent#1 raw"),
    (1001, "acme-new", f"{ACME}#1 raw"),
    (BROKEN, "parent-secret", "parent#1 raw"),
    ("urn:li:developerApplication:9", "beta-secret", f"{BETA}#1 raw"),
    ("urn:li:developerApplication:9", "parent-secret", "parent#1 raw"),
]


def test_both_active_secrets_and_the_parents_are_accepted(serve: Serve, engine: Engine) -> None:
    client = serve()
    for named, secret, _signed_by in SIGNERS:
        assert post(client, notification(developerApplicationUrn=named), secret).status_code == 200
    assert [row.signed_by for row in rows_of(engine, InboxItem)] == [signed_by for *_, signed_by in SIGNERS]


def test_the_escaped_form_of_a_body_may_be_what_is_signed(serve: Serve, engine: Engine) -> None:
    body = notification(location="Köln 😀")
    escaped = sign(json.dumps(json.loads(body)).encode(), "acme-new")
    assert serve().post("/webhook", content=body, headers={"X-LI-Signature": f"hmacsha256={escaped}"}).status_code == 200
    (row,) = rows_of(engine, InboxItem)
    assert row.signed_by == f"{ACME}#1 escaped"
    assert bodies_of(engine) == [body]


def test_an_unknown_type_and_unknown_values_are_landed(serve: Serve, engine: Engine) -> None:
    client = serve()
    assert post(client, b'{"type":"NEW_TYPE","developerApplicationUrn":1001}', "acme-new").status_code == 200
    assert post(client, notification(listingStatus="PAUSED", newField=[1]), "acme-new").status_code == 200
    assert [(row.type, row.external_job_posting_id) for row in rows_of(engine, InboxItem)] == [
        ("NEW_TYPE", None),
        ("JOB_POSTING_STATUS", "job-1"),
    ]


UNSIGNED = [
    # signature header
    None,
    "",
    "not a digest",
    "0" * 64,
    sign(notification(), "beta-secret"),
    sign(notification(), "retired"),
    sign(notification(listingStatus="LISTED"), "acme-new"),
    sign(notification(), ""),
]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_missing_or_wrong_signature_is_401_empty_and_nothing_is_kept(serve: Serve, engine: Engine) -> None:
    client = serve()
    for header in UNSIGNED:
        response = client.post("/webhook", content=notification(), headers={} if header is None else {"X-LI-Signature": header})
        assert (response.status_code, response.content) == (401, b""), header
    assert rows_of(engine, InboxItem) == []
    assert rows_of(engine, QuarantinedBody) == []


NOT_UNDERSTOOD = [
    b"",
    b"\0{",
    b"[1]",
    b"\xff",
    b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001}',
    b"[" * 100_000,
    b'{"a":NaN}',
]


def test_a_signed_body_that_is_not_understood_is_400_and_kept_in_quarantine(serve: Serve, engine: Engine) -> None:
    client = serve()
    responses = [post(client, body, "acme-new") for body in NOT_UNDERSTOOD]
    rows = rows_of(engine, QuarantinedBody)
    assert [(response.status_code, response.json()) for response in responses] == [(400, {"errorMessage": row.reason}) for row in rows]
    assert [row.body for row in rows] == NOT_UNDERSTOOD
    assert {row.signed_by for row in rows} == {f"{ACME}#1 raw"}
    assert rows_of(engine, InboxItem) == []


def test_256_kib_are_taken_and_one_byte_more_is_413(serve: Serve, engine: Engine) -> None:
    client = serve()
    padding = 256 * 1024 - len(notification(x=""))
    assert post(client, notification(x="a" * padding), "acme-new").status_code == 200
    response = post(client, notification(x="a" * (padding + 1)), "acme-new")
    assert (response.status_code, response.content) == (413, b"")
    assert len(rows_of(engine, InboxItem)) == 1


def connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10)


def read_to_end(connection: socket.socket) -> bytes:
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_body_without_end_is_cut_while_it_streams(serve: Serve) -> None:
    with connect(serve(limits=Limits(linger_seconds=0.3))) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            connection.sendall(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        # No end was ever sent; the response and the end of the connection come all the same.
        assert read_to_end(connection).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(serve: Serve) -> None:
    with connect(serve(limits=Limits(linger_seconds=0.3))) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 262145\r\n\r\n")
        assert read_to_end(connection).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_sender_that_stops_in_the_middle_is_not_waited_for(serve: Serve, engine: Engine) -> None:
    client = serve(limits=Limits(body_seconds=0.2, linger_seconds=0.2))
    with connect(client) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert read_to_end(connection).startswith(b"HTTP/1.1 408 ")
    with connect(client) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert post(client, notification(), "acme-new").status_code == 200
    assert len(rows_of(engine, InboxItem)) == 1


def test_a_notification_that_cannot_land_is_500_empty_and_lands_when_sent_again(serve: Serve, engine: Engine) -> None:
    client = serve()
    with engine.begin() as connection:
        connection.execute(text("alter table inbox rename to away"))
    response = post(client, notification(), "acme-new")
    assert (response.status_code, response.content) == (500, b"")
    with engine.begin() as connection:
        connection.execute(text("alter table away rename to inbox"))
    assert post(client, notification(), "acme-new").status_code == 200
    assert len(rows_of(engine, InboxItem)) == 1


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_commit_that_takes_too_long_is_500_and_not_ready_but_alive(serve: Serve, tmp_path: Path) -> None:
    client = serve(limits=Limits(landing_seconds=0.1))
    other = sqlite3.connect(tmp_path / "landing.db", isolation_level=None)
    other.execute("begin immediate")
    assert post(client, notification(), "acme-new").status_code == 500
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    started = time.monotonic()
    assert client.get("/webhook", params={"challengeCode": "c"}).status_code == 200
    assert time.monotonic() - started < 1
    other.execute("rollback")
    other.close()
    wait_until(lambda: client.get("/readyz").status_code == 200)


def wait_until(is_so: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def test_many_senders_at_once_are_all_landed_once(serve: Serve, engine: Engine) -> None:
    client = serve()
    bodies = [notification(externalJobPostingId=f"job-{number}") for number in range(200)]
    with ThreadPoolExecutor(16) as senders:
        statuses = list(senders.map(lambda body: post(client, body, "acme-new").status_code, bodies))
    assert statuses == [200] * 200
    assert sorted(bodies_of(engine)) == sorted(bodies)


def test_what_was_taken_is_landed_when_the_server_stops(engine: Engine, landing_url: str) -> None:
    async def send_all(address: str) -> list[int]:
        async with httpx.AsyncClient(base_url=address) as client:
            signed = [(body := notification(x=number), {"X-LI-Signature": sign(body, "acme-new")}) for number in range(50)]
            responses = await asyncio.gather(*(client.post("/webhook", content=body, headers=headers) for body, headers in signed))
        return [response.status_code for response in responses]

    with serve_in_thread(create_app(configured, engine)) as address:
        statuses = asyncio.run(send_all(address))
    other = open_landing(landing_url)
    assert len(rows_of(other, InboxItem)) == statuses.count(200) == 50
    other.dispose()


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_the_sender_of_far_too_much_hears_the_answer(serve: Serve) -> None:
    client = serve()
    for size in (300_000, 3_000_000):
        assert post(client, b"a" * size, "acme-new").status_code == 413
        assert client.post("/webhook", content=(b"a" * 50_000 for _ in range(size // 50_000))).status_code == 413


# Configuration


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_notification_of_an_application_without_readable_secrets_is_500_so_that_it_comes_again(serve: Serve, engine: Engine) -> None:
    assert post(serve(), notification(developerApplicationUrn=BROKEN), "its-own").status_code == 500
    assert rows_of(engine, InboxItem) == []


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_secrets_rotate_without_a_restart_and_a_broken_configuration_leaves_the_last_one(serve: Serve, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first")
    broken: list[str] = []

    def load() -> Applications:
        if broken:
            raise ConfigurationError("half written")
        return Applications([Application(ACME, "client", [f"file:{secret}"], "Acme")])

    client = serve(load)
    assert post(client, notification(), "first").status_code == 200
    secret.write_text("second")
    wait_until(lambda: post(client, notification(), "second").status_code == 200)
    assert post(client, notification(), "first").status_code == 401
    broken.append("yes")
    time.sleep(0.1)
    assert post(client, notification(), "second").status_code == 200


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_while_secrets_are_reloaded_slowly_others_are_verified_with_the_last_ones(serve: Serve) -> None:
    may_load = threading.Event()
    may_load.set()
    loads: list[int] = []

    def load() -> Applications:
        loads.append(1)
        assert may_load.wait(20)
        return configured()

    client = serve(load, Limits(cache_seconds=0.02, keyring_grace_seconds=60))
    assert post(client, notification(), "acme-new").status_code == 200
    may_load.clear()
    time.sleep(0.03)
    with ThreadPoolExecutor(1) as reloading:
        first = reloading.submit(post, client, notification(), "acme-new")
        wait_until(lambda: len(loads) == 2)
        assert post(client, notification(), "acme-new").status_code == 200
        assert not first.done()
        may_load.set()
        assert first.result(20).status_code == 200


@pytest.mark.parametrize("fault", [ConfigurationError("no such file"), ZeroDivisionError("a fault of ours")], ids=repr)
@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_without_any_configuration_that_can_be_read_the_answer_is_an_empty_500(serve: Serve, fault: Exception) -> None:
    def load() -> Applications:
        raise fault

    client = serve(load)
    responses = [post(client, notification(), "acme-new"), client.get("/webhook", params={"challengeCode": "c"})]
    assert [(response.status_code, response.content) for response in responses] == [(500, b""), (500, b"")]


# Challenges


@pytest.mark.parametrize(("application_id", "secret", "recorded"), [(None, "parent-secret", ""), ("1001", "acme-new", ACME)])
def test_a_challenge_is_answered_with_the_newest_secret_and_recorded(
    serve: Serve, engine: Engine, clock: SteppingClock, application_id: str | None, secret: str, recorded: str
) -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    params = {"challengeCode": code} | ({"applicationId": application_id} if application_id else {})
    response = serve().get("/webhook", params=params)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"challengeCode": code, "challengeResponse": compute_challenge_response(code, SecretStr(secret))}
    wait_until(lambda: rows_of(engine, Challenge))
    assert [(row.application_urn, row.challenged_at) for row in rows_of(engine, Challenge)] == [(recorded, clock.now)]


REFUSED = [
    # query, status
    ({}, 400),
    ({"challengeCode": ""}, 400),
    ({"challengeCode": "x" * 1025}, 400),
    ({"challengeCode": "é" * 513}, 400),
    ({"challengeCode": "hmacsha256=" + notification().decode()}, 400),
    ({"challengeCode": "c", "applicationId": "9"}, 404),
    ({"challengeCode": "c", "applicationId": "\x00é'"}, 404),
    ({"challengeCode": "c"}, 404),
]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_challenge_that_cannot_be_answered_says_why(serve: Serve, engine: Engine) -> None:
    client = serve(lambda: configured(with_parent=False))
    for query, status in REFUSED:
        response = client.get("/webhook", params=query)
        assert response.status_code == status
        assert list(response.json()) == ["errorMessage"]
    assert rows_of(engine, Challenge) == []


def test_challenges_are_recorded_on_every_database(serve: Serve, engine: Engine, clock: SteppingClock) -> None:
    client = serve()
    for _ in range(2):
        assert client.get("/webhook", params={"challengeCode": "c"}).status_code == 200
        clock.advance(7200)
    wait_until(lambda: [row.challenge_count for row in rows_of(engine, Challenge)] == [2])


def test_a_challenge_is_answered_while_the_database_is_away(serve: Serve, engine: Engine) -> None:
    client = serve()
    with engine.begin() as connection:
        for table in ("challenges", "inbox", "bodies"):
            connection.execute(text(f"drop table {table}"))
    assert client.get("/webhook", params={"challengeCode": "c"}).status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/metrics").status_code == 200


# The rest of the outside


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_other_methods_are_405_and_other_paths_404(serve: Serve) -> None:
    client = serve()
    for path, allowed in (
        ("/webhook", {"GET", "HEAD", "POST"}),
        *((path, {"GET", "HEAD"}) for path in ("/healthz", "/readyz", "/metrics")),
    ):
        for method in {"POST", "PUT", "DELETE", "OPTIONS", "BREW"} - allowed:
            response = client.request(method, path, params={"challengeCode": "c"})
            assert response.status_code == 405
            assert set(response.headers["allow"].split(", ")) == allowed
    assert [client.get(path).status_code for path in ("/", "/webhook/", "/docs")] == [404, 404, 404]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_head_is_answered_as_get_is_without_a_body(serve: Serve) -> None:
    client = serve()
    for path in ("/webhook?challengeCode=c", "/healthz", "/readyz", "/metrics"):
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == client.get(path).headers["content-type"]


def test_it_says_that_it_is_alive_and_ready(serve: Serve) -> None:
    client = serve()
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)


def test_the_metrics_count_what_was_answered_and_how_the_inbox_stands(serve: Serve, clock: SteppingClock) -> None:
    client = serve()
    assert metric(client, "jobrecon_webhook_seconds_since_challenge") is None
    post(client, notification(), "acme-new")
    post(client, b"{", "acme-new")
    post(client, notification(), "wrong")
    post(client, notification(), None)
    client.get("/webhook", params={"challengeCode": "c"})
    clock.advance(60)
    wait_until(lambda: metric(client, "jobrecon_webhook_seconds_since_challenge") == 60)
    expected = {
        "landed_total": 1,
        "quarantined_total": 1,
        'refused_total{reason="signature_wrong"}': 1,
        'refused_total{reason="signature_missing"}': 1,
        'refused_total{reason="cannot_land"}': 0,
        'challenges_total{outcome="answered"}': 1,
        "seconds_since_notification": 60,
        "inbox_depth": 1,
        "queue_depth": 0,
    }
    assert {name: metric(client, f"jobrecon_webhook_{name}") for name in expected} == expected


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_only_the_allowed_paths_are_answered(engine: Engine) -> None:
    with (
        serve_in_thread(create_app(configured, engine, paths=["/webhook", "/healthz"])) as address,
        httpx.Client(base_url=address) as client,
    ):
        responses = [
            client.get(path, params={"challengeCode": "c"}).status_code for path in ("/webhook", "/healthz", "/readyz", "/metrics")
        ]
    assert responses == [200, 200, 404, 404]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_more_bodies_than_memory_is_allowed_for_are_500_so_that_they_come_again(serve: Serve) -> None:
    client = serve(limits=Limits(held_bytes=1_000))
    assert post(client, notification(x="a" * 2_000), "acme-new").status_code == 500
    assert post(client, notification(), "acme-new").status_code == 200
    assert metric(client, 'jobrecon_webhook_refused_total{reason="too_busy"}') == 1


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_broken_body_of_a_known_application_is_tried_with_its_own_secret(serve: Serve, engine: Engine) -> None:
    many = [
        Application(f"urn:li:developerApplication:{number}", "c", [f"env:S{number}"], "", environment={f"S{number}": f"s-{number}"})
        for number in range(2_000, 2_100)
    ]
    client = serve(lambda: Applications(many))
    body = b'{"developerApplicationUrn":"urn:li:developerApplication:2099",'
    assert post(client, body, "s-2099").status_code == 400
    assert [row.signed_by for row in rows_of(engine, QuarantinedBody)] == ["urn:li:developerApplication:2099#1 raw"]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_signed_body_that_names_no_application_is_quarantined_however_many_customers_there_are(serve: Serve, engine: Engine) -> None:
    many = [
        Application(f"urn:li:developerApplication:{number}", "c", [f"env:S{number}"], "", environment={f"S{number}": f"s-{number}"})
        for number in range(2_000, 2_300)
    ]
    client = serve(lambda: Applications(many))
    assert post(client, b'{"type":"JOB_POSTING_STATUS"}', "s-2299").status_code == 400
    assert [row.signed_by for row in rows_of(engine, QuarantinedBody)] == ["urn:li:developerApplication:2299#1 raw"]


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_bodies_that_have_every_secret_tried_are_bounded_in_what_they_cost(serve: Serve) -> None:
    client = serve(limits=Limits(cache_seconds=10, unknown_bytes_per_second=10_000))
    body = b'{"x":"' + b"a" * 20_000 + b'"}'
    assert [post(client, body, "wrong").status_code for _ in range(3)] == [401, 500, 500]
    assert post(client, notification(), "acme-new").status_code == 200
    assert metric(client, 'jobrecon_webhook_refused_total{reason="too_busy"}') == 2


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_two_receivers_in_one_process_count_apart(serve: Serve) -> None:
    first = serve()
    assert post(first, notification(), "acme-new").status_code == 200
    assert metric(first, "jobrecon_webhook_landed_total") == 1
    assert metric(serve(), "jobrecon_webhook_landed_total") == 0

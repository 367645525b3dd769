"""Notifications and challenges, received by a real receiver."""

import hashlib
import hmac
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from jobrecon.sandbox import World
from jobrecon.sandbox.webhooks import escape_unicode, sign_body, sign_challenge
from jobrecon.webhook.server import serve_in_thread
from tests.sandbox.conftest import ACME, BOLT, PARENT, Partner, ServeSandbox

SECRETS = {"1001": "acme-new", "1002": "bolt-secret"}


class Receiver:
    """Responds to challenges and stores what it receives, with the sandbox's time of receipt."""

    def __init__(self) -> None:
        self.world: World
        self.deliveries: list[tuple[datetime, str, bytes]] = []
        self.attempts = 0
        self.challenges: list[tuple[datetime, str | None]] = []
        self.status_of: Callable[[int], int] = lambda attempt: 200
        self.is_challenge_answered = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        status, content = self.take(scope, body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def take(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        if scope["method"] == "GET":
            query = parse_qs(scope["query_string"].decode())
            number, code = query.get("applicationId", [None])[0], query["challengeCode"][0]
            self.challenges.append((self.world.now, number))
            secret = SECRETS.get(number, "parent-secret") if self.is_challenge_answered else "wrong"
            digest = hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()
            return 200, json.dumps({"challengeCode": code, "challengeResponse": digest}).encode()
        self.attempts += 1
        status = self.status_of(self.attempts)
        if status == 200:
            self.deliveries.append((self.world.now, dict(scope["headers"])[b"x-li-signature"].decode(), body))
        return status, b""

    def statuses(self) -> dict[str, list[str | None]]:
        """Listing statuses by job, in order of receipt."""
        statuses: dict[str, list[str | None]] = defaultdict(list)
        for _, _, body in self.deliveries:
            content = json.loads(body)
            listing = content.get("listingStatus") or content.get("jobPostingInfo", {}).get("listingStatus")
            statuses[str(content.get("externalJobPostingId"))].append(listing)
        return statuses


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def serve_notifying(receiver: Receiver, serve_sandbox: ServeSandbox) -> Iterator[ServeSandbox]:
    """Serves a sandbox that sends its webhooks to the receiver."""
    with serve_in_thread(receiver) as url:

        def serve(**options: Any) -> Partner:
            partner = serve_sandbox(webhook_url=f"{url}/webhook", **options)
            receiver.world = partner.world
            return partner

        yield serve


def test_signatures_are_those_of_the_known_answers() -> None:
    secret = "test-client-secret"
    assert (
        sign_challenge(secret, "890e4665-4dfe-4ab1-b689-ed553bceeed0") == "05f7c3a9fc0fd9476f5fa3a0f318d460b83aba7b241196a57cc44868a392fc57"
    )
    plain = (
        b'{"externalJobPostingId":"job-1234","developerApplicationUrn":"urn:li:developerApplication:12345",'
        b'"type":"JOB_POSTING_STATUS","listingStatus":"LISTED"}'
    )
    assert sign_body(secret, plain) == "2cd5ce37b80e33b9c1d08b29359125070ec709961813e73eba5b70a8aa22ce70"
    umlaut = (
        '{"externalJobPostingId":"job-1234","developerApplicationUrn":"urn:li:developerApplication:12345",'
        '"type":"JOB_POSTING_STATUS","jobPostingInfo":{"location":"Köln, Nordrhein-Westfalen, Germany"}}'
    ).encode()
    assert sign_body(secret, umlaut) == "2c151dee298f59993ef5c4bc32ab6f704b52fe6f61ab2e528a508eeb8eb7ae9d"
    assert sign_body(secret, escape_unicode(umlaut)) == "8bc9da8041b1eddacc5e30d7b91e9918eeed110ca543eec826540dfb4f5a1e6a"
    assert escape_unicode("😀".encode()) == b"\\ud83d\\ude00"


def test_changes_of_jobs_are_sent_signed_and_in_order_of_time(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying()
    partner.submit_many(300)
    partner.advance(days=4)
    assert len(receiver.deliveries) > 250
    assert all(sign_body("acme-new", body) == signature for _, signature, body in receiver.deliveries)
    times = [time for time, _, _ in receiver.deliveries]
    assert times == sorted(times)
    assert len(set(times)) > 50
    assert any("Köln".encode() in body for _, _, body in receiver.deliveries)
    statuses = receiver.statuses()
    finals = Counter(listings[-1] for listings in statuses.values())
    assert finals["LISTED"] > 200
    assert finals["NOT_LISTED"] > 3
    assert any(listings[0] == "IN_PROGRESS" for listings in statuses.values())
    assert any(listings[-2:] == ["NOT_LISTED", "LISTED"] for listings in statuses.values())
    assert all(each["statusMessage"] for each in details(receiver, "listingStatusDetail"))
    assert any(each["errorCode"] for each in details(receiver, "linkedInApplyStatusDetail"))
    succeeded = partner.state()["tasks"]["SUCCEEDED"]
    assert 0 < succeeded - len(statuses) < 40, "some jobs never get a notification"
    assert partner.state()["webhooks"]["sent"] == len(receiver.deliveries)
    assert partner.state()["webhooks"]["pending"] == 0


def details(receiver: Receiver, name: str) -> list[dict[str, Any]]:
    return [content[name] for _, _, body in receiver.deliveries if (content := json.loads(body)).get(name)]


def test_a_closed_job_is_reported_not_listed_without_a_detail(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying()
    partner.submit_many(100)
    partner.advance(hours=2)
    before = len(receiver.deliveries)
    partner.submit_many(100, "CLOSE")
    partner.advance(hours=2)
    closed = [json.loads(body) for _, _, body in receiver.deliveries[before:]]
    ended = [each for each in closed if each.get("listingStatus") == "NOT_LISTED" and not each.get("listingStatusDetail")]
    assert len(ended) > 50


def test_ids_that_are_numbers_sometimes_come_as_json_numbers(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying()
    for number in range(20):
        partner.submit(str(number + 1))
    partner.advance(hours=6)
    kinds = {type(json.loads(body)["externalJobPostingId"]) for _, _, body in receiver.deliveries}
    assert kinds == {int, str}


def test_the_same_requests_give_the_same_notifications(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    runs = []
    for _ in range(2):
        partner = serve_notifying(seed=3)
        partner.submit_many(50)
        partner.advance(days=1)
        runs.append(sorted((time, body) for time, _, body in receiver.deliveries))
        receiver.deliveries.clear()
    assert runs[0] == runs[1]


def test_a_status_other_than_200_is_retried_later_and_then_given_up(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying()
    partner.submit_many(20)
    receiver.status_of = lambda attempt: 400 if attempt % 2 else 503
    partner.advance(hours=1)
    waiting = partner.state()["webhooks"]
    assert waiting["sent"] == 0
    assert waiting["refused"] > 0
    assert waiting["failed"] > 0
    assert waiting["pending"] > 0
    receiver.status_of = lambda attempt: 200
    partner.advance(hours=3)
    recovered = partner.state()["webhooks"]
    assert recovered["sent"] > 0
    receiver.status_of = lambda attempt: 202
    partner.submit_many(20, prefix="more")
    partner.advance(hours=24)
    assert partner.state()["webhooks"]["given_up"] > 0
    assert all(count <= 5 for count in Counter(body for _, _, body in receiver.deliveries).values())


def test_a_receiver_that_cannot_be_reached_does_not_stop_the_clock(serve_sandbox: ServeSandbox) -> None:
    partner = serve_sandbox(webhook_url="http://127.0.0.1:9/webhook")
    partner.submit_many(10)
    partner.advance(hours=1)
    assert partner.state()["webhooks"]["failed"] > 0


def test_the_webhook_is_challenged_every_two_hours_for_each_application_and_the_parent(
    serve_notifying: ServeSandbox, receiver: Receiver
) -> None:
    partner = serve_notifying(parent=PARENT)
    partner.advance(hours=5)
    acme = [time for time, number in receiver.challenges if number == "1001"]
    assert [round((time - acme[0]).total_seconds()) for time in acme] == [0, 7200, 14400]
    assert {number for _, number in receiver.challenges} == {"1001", "1002", None}
    assert partner.state(BOLT)["webhooks"]["challenges_failed"] == 0


def test_three_consecutive_failed_challenges_block_the_webhook_and_nothing_is_replayed(
    serve_notifying: ServeSandbox, receiver: Receiver
) -> None:
    partner = serve_notifying()
    receiver.is_challenge_answered = False
    partner.advance(hours=3)
    assert partner.state()["webhooks"]["is_blocked"] is False
    partner.advance(hours=2)
    blocked = partner.state()["webhooks"]
    assert (blocked["is_blocked"], blocked["challenges_failed"]) == (True, 3)
    partner.submit_many(30)
    partner.advance(days=1)
    assert receiver.deliveries == []
    assert partner.state()["webhooks"]["dropped"] > 10
    receiver.is_challenge_answered = True
    assert partner.client.post("/control/webhook", json={"webhook_url": partner.world.webhook_url}).status_code == 200
    partner.advance(seconds=1)
    assert receiver.deliveries == []
    partner.submit_many(30, prefix="later")
    partner.advance(hours=6)
    assert {job.split("-")[0] for job in receiver.statuses()} >= {"later"}


def get_webhooks(partner: Partner, query: str = "q=parentApplication&queryCriteria=(webhookStatus:BLOCKED)") -> httpx.Response:
    token = partner.request_token(client_id="78parent", client_secret="parent-secret").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-RestLi-Protocol-Version": "2.0.0"}
    return partner.client.get(f"/v2/developerWebhooks?{query}", headers=headers)


def test_the_parent_sees_which_webhooks_are_blocked(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying(parent=PARENT)
    assert get_webhooks(partner).json() == {"paging": {"start": 0, "count": 10, "links": []}, "elements": []}
    receiver.is_challenge_answered = False
    partner.advance(hours=5)
    blocked = get_webhooks(partner).json()["elements"]
    assert [each["developerApplication"] for each in blocked] == [ACME, BOLT]
    assert {(each["webhookUrl"], each["webhookStatus"]) for each in blocked} == {(partner.world.webhook_url, "BLOCKED")}
    assert get_webhooks(partner, "q=other").status_code == 400
    assert partner.client.get("/v2/developerWebhooks?q=parentApplication", headers=partner.headers()).status_code == 403


def test_notifications_can_be_lost(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying()
    partner.inject_faults(lost_rate=1)
    partner.submit_many(20)
    partner.advance(days=1)
    assert receiver.deliveries == []
    assert partner.state()["webhooks"]["lost"] > 10


def test_notifications_can_come_twice_late_and_out_of_order(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying()
    partner.inject_faults(duplicate_rate=1)
    partner.submit_many(20)
    partner.advance(hours=1)
    bodies = Counter(body for _, _, body in receiver.deliveries)
    assert bodies
    assert max(bodies.values()) == 2
    partner.inject_faults(duplicate_rate=0, late_rate=1)
    partner.submit_many(20, prefix="late")
    before = len(receiver.deliveries)
    partner.advance(seconds=1200)
    assert not any(job.startswith("late") for job in receiver.statuses())
    partner.advance(days=3)
    assert len(receiver.deliveries) > before
    partner.inject_faults(late_rate=0, reorder_rate=0.5)
    partner.submit_many(100, prefix="mixed")
    partner.advance(hours=2)
    assert any(listings[:2] == ["LISTED", "IN_PROGRESS"] for job, listings in receiver.statuses().items() if job.startswith("mixed"))


def test_signatures_can_be_over_the_escaped_form_and_with_the_parents_secret(serve_notifying: ServeSandbox, receiver: Receiver) -> None:
    partner = serve_notifying(parent=PARENT)
    partner.inject_faults(escaped_signature_rate=1, parent_signature_rate=1)
    partner.submit_many(20)
    partner.advance(hours=1)
    assert receiver.deliveries
    assert all(sign_body("parent-secret", escape_unicode(body)) == signature for _, signature, body in receiver.deliveries)


def test_a_ticking_world_moves_by_itself(serve_sandbox: ServeSandbox) -> None:
    partner = serve_sandbox(ticking=True)
    before = partner.world.now
    deadline = time.monotonic() + 5
    while partner.world.now == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert partner.world.now > before

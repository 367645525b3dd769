"""Sends webhooks, signed notifications and challenges, minute by minute of the sandbox's time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby

import httpx

from jobrecon.sandbox.lifecycle import ChallengeDue, Delivery
from jobrecon.sandbox.rates import SeededRandom
from jobrecon.sandbox.world import Due, World

SIGNATURE_HEADER = "X-LI-Signature"
CONCURRENCY = 16
DELIVERY_TIMEOUT_SECONDS = 5.0
CHALLENGE_TIMEOUT_SECONDS = 3.0
FAILURES_UNTIL_BLOCKED = 3
TICK_SECONDS = 0.25


def sign_body(secret: str, body: bytes) -> str:
    """The value of `X-LI-Signature` for a body."""
    return hmac.new(secret.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()


def sign_challenge(secret: str, challenge_code: str) -> str:
    """The `challengeResponse` that proves possession of the secret."""
    return hmac.new(secret.encode(), challenge_code.encode(), hashlib.sha256).hexdigest()


def escape_unicode(body: bytes) -> bytes:
    """The body with every character above 0x7F as lower-case backslash-u escapes, surrogate pairs above 0xFFFF."""
    units = "".join(each if each < "\x80" else _escape_character(each) for each in body.decode())
    return units.encode("ascii")


def _escape_character(character: str) -> str:
    encoded = character.encode("utf-16-be").hex()
    return "".join(f"\\u{encoded[start : start + 4]}" for start in range(0, len(encoded), 4))


class WebhookSender:
    """Moves the world's clock and sends what falls due meanwhile. One move at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._moving = asyncio.Lock()
        self._clients: asyncio.Queue[httpx.AsyncClient] = asyncio.Queue()
        self._ticked_at = time.monotonic()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps the connections open and, where the world is ticking, moves its clock with real time."""
        async with AsyncExitStack() as stack:
            certificates = httpx.create_ssl_context()
            # A client for each connection: before each request it looks at all of its idle ones, half of the time of a delivery.
            for _ in range(CONCURRENCY):
                # trust_env off: the receiver is local and not behind this machine's proxy.
                client = httpx.AsyncClient(timeout=DELIVERY_TIMEOUT_SECONDS, trust_env=False, verify=certificates)
                self._clients.put_nowait(await stack.enter_async_context(client))
            self._ticked_at = time.monotonic()
            ticking = asyncio.create_task(self._tick()) if self.world.is_ticking else None
            try:
                yield
            finally:
                if ticking is not None:
                    ticking.cancel()
                    await asyncio.gather(ticking, return_exceptions=True)

    async def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`; done when everything due until then was delivered or rescheduled."""
        async with self._moving:
            await self._move_to(self.world.seconds + seconds)

    async def advance_to(self, timestamp: float) -> bool:
        """Move the clock to `timestamp` as `advance` does; False, and nothing moves, where that lies in the past."""
        async with self._moving:
            if timestamp < self.world.seconds:
                return False
            await self._move_to(timestamp)
            return True

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            async with self._moving:
                now = time.monotonic()
                elapsed, self._ticked_at = now - self._ticked_at, now
                await self._move_to(self.world.seconds + elapsed)

    async def _move_to(self, until: float) -> None:
        while (due := self.world.next_due(until)) is not None:
            await self._send_group(due)

    async def _send_group(self, due: list[Due]) -> None:
        """Different jobs concurrently, the notifications of one job in sequence: they are reordered only by fault injection."""
        await asyncio.gather(*(self._challenge(each) for each in due if isinstance(each, ChallengeDue)))
        deliveries = [each for each in due if isinstance(each, Delivery)]
        deliveries.sort(key=_job_of)
        await asyncio.gather(*(self._deliver_in_order(list(of_job)) for _, of_job in groupby(deliveries, _job_of)))

    async def _deliver_in_order(self, deliveries: list[Delivery]) -> None:
        client = await self._clients.get()
        try:
            for delivery in deliveries:
                await self._deliver(client, delivery)
        finally:
            self._clients.put_nowait(client)

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        counts = delivery.state.webhooks
        if counts.is_blocked:
            counts.pending -= 1
            counts.dropped += 1
            return
        delivery.attempts += 1
        secret = delivery.state.application.client_secrets[0]
        if delivery.is_parent_signed and self.world.parent is not None:
            secret = self.world.parent.application.client_secrets[0]
        signed = escape_unicode(delivery.body) if delivery.is_escaped_signed else delivery.body
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: sign_body(secret, signed)}
        status = await self._post(client, delivery.body, headers)
        if status == 200:
            counts.pending -= 1
            counts.sent += 1
            return
        if status == 400:
            counts.refused += 1
        else:
            counts.failed += 1
        self.world.retry(delivery)

    async def _post(self, client: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> int | None:
        assert self.world.webhook_url is not None
        try:
            response = await client.post(self.world.webhook_url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return response.status_code

    async def _challenge(self, due: ChallengeDue) -> None:
        state = due.state
        counts = state.webhooks
        if counts.is_blocked:
            return
        state.challenge_rounds += 1
        secrets = list(state.application.client_secrets)
        requests: list[tuple[dict[str, str], list[str]]] = [({"applicationId": state.number}, secrets)]
        if self.world.parent is not None:
            requests.append(({}, self.world.parent.application.client_secrets))
        passed = True
        for position, (parameters, candidates) in enumerate(requests):
            code = SeededRandom(self.world.seed, state.urn, "challenge", state.challenge_rounds, position).uuid()
            counts.challenges += 1
            if not await self._send_challenge(parameters, code, candidates):
                counts.challenges_failed += 1
                passed = False
        counts.consecutive_failures = 0 if passed else counts.consecutive_failures + 1
        if counts.consecutive_failures >= FAILURES_UNTIL_BLOCKED:
            counts.is_blocked = True
        else:
            self.world.schedule_challenge(state)

    async def _send_challenge(self, parameters: dict[str, str], code: str, secrets: list[str]) -> bool:
        assert self.world.webhook_url is not None
        client = await self._clients.get()
        try:
            response = await client.get(
                self.world.webhook_url,
                params={"challengeCode": code, **parameters},
                # Two hours after the last challenge no connection is still open.
                headers={"Connection": "close"},
                timeout=CHALLENGE_TIMEOUT_SECONDS,
            )
            content = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return False
        finally:
            self._clients.put_nowait(client)
        return (
            response.status_code == 200
            and response.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
            and isinstance(content, dict)
            and content.get("challengeCode") == code
            and content.get("challengeResponse") in [sign_challenge(secret, code) for secret in secrets]
        )


def _job_of(delivery: Delivery) -> tuple[str, str]:
    return delivery.state.urn, delivery.external_id

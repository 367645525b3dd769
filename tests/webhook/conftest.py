"""A landing database of each kind, for real, and a receiver over it served on a loopback port."""

import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeVar
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select
from starlette.types import ASGIApp, Receive, Scope, Send

from jobrecon.applications import Application, Applications, Parent
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import Delivery, InvalidBody, write_inbox
from jobrecon.landing.merges import mark_merged
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.webhook.app import create_app
from jobrecon.webhook.limits import Limits
from jobrecon.webhook.notifications import make_delivery
from jobrecon.webhook.parsing import parse_body
from jobrecon.webhook.server import serve_in_thread
from models.inbox import InboxItem, ReceivedBody

ACME = "urn:li:developerApplication:1001"
BETA = "urn:li:developerApplication:1002"
BROKEN = "urn:li:developerApplication:1003"
SECRETS = {"ACME_NEW": "acme-new", "ACME_OLD": "acme-old", "BETA": "beta-secret", "PARENT": "parent-secret"}


def sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), b"hmacsha256=" + body, sha256).hexdigest()


@pytest.fixture
def engine(landing_url: str) -> Iterator[Engine]:
    engine = open_landing(landing_url)
    yield engine
    engine.dispose()


@dataclass
class SteppingClock:
    """A clock that stands until a test moves it."""

    now: datetime = datetime(2026, 3, 1, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


def configured(*, with_parent: bool = True, only: str | None = None) -> Applications:
    """Acme with two secrets, Beta with one, Broken with one that is not set; and the parent."""

    def application(urn: str, *names: str) -> Application:
        return Application(urn, "client", [f"env:{name}" for name in names], urn, environment=SECRETS)

    items = [application(ACME, "ACME_NEW", "ACME_OLD"), application(BETA, "BETA"), application(BROKEN, "NOT_SET")]
    return Applications([item for item in items if only in (None, item.urn)], Parent(["env:PARENT"], SECRETS) if with_parent else None)


class Stage:
    """One server for all tests (to stop one takes uvicorn a while), on which each test puts the app it is about."""

    address = ""
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (event := (await receive())["type"]) and event.startswith("lifespan."):
                await send({"type": f"{event}.complete"})
                if event == "lifespan.shutdown":
                    return
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    stage = Stage()
    with serve_in_thread(stage) as stage.address:
        yield stage


HURRIED_CACHES = Limits(cache_seconds=0.02)

Serve = Callable[..., httpx.Client]
T = TypeVar("T", bound=SQLModel)


@pytest.fixture
def serve(stage: Stage, engine: Engine, clock: SteppingClock) -> Iterator[Serve]:
    """Serves a receiver over the landing database and gives a client of it; by default over `configured()`."""
    with ExitStack() as stack:

        def start(loader: Callable[[], Applications] = configured, limits: Limits | None = None) -> httpx.Client:
            stage.app = create_app(loader, engine, clock, limits=limits or HURRIED_CACHES)
            return stack.enter_context(httpx.Client(base_url=stage.address, timeout=20))

        yield start


def land(engine: Engine, body: bytes, at: datetime, signed_by: str = "", times: int = 1) -> list[str]:
    """Land a body so many times, in one commit; the ids of its deliveries."""
    deliveries: list[Delivery] = [make_delivery(parse_body(body), body, at, signed_by) for _ in range(times)]
    write_inbox(engine, deliveries)
    return [delivery.delivery_id for delivery in deliveries]


def mark(engine: Engine, inbox_ids: Sequence[int], at: datetime) -> str:
    """Mark deliveries as merged by a run of their own; the id of the merge."""
    merge_id = uuid4().hex
    mark_merged(engine, inbox_ids, at, merge_id=merge_id, run_id=uuid4().hex)
    return merge_id


def quarantine(engine: Engine, body: bytes, reason: str, at: datetime, signed_by: str = "") -> None:
    write_inbox(engine, [InvalidBody(at, reason, body, signed_by)])


def challenge(engine: Engine, application_urn: str, at: datetime) -> None:
    write_inbox(engine, [ReceivedChallenge(application_urn, at)])


def bodies_of(engine: Engine) -> list[bytes]:
    """The bodies of all deliveries as received, in order of arrival."""
    bodies = {row.raw_hash: row.body for row in rows_of(engine, ReceivedBody)}
    return [bodies[row.raw_hash or ""] for row in sorted(rows_of(engine, InboxItem), key=lambda row: row.inbox_id or 0)]


def rows_of(engine: Engine, table: type[T]) -> list[T]:
    with Session(engine) as session:
        return list(session.exec(select(table)).all())

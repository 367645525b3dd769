"""A webhook that LinkedIn has blocked: a finding at once, with one look-up a day."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import write_inbox
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.webhook.server import serve_in_thread
from tests.findings.rows import NOW, TICK, Row, read_findings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Portal:
    """What LinkedIn says of the partner's webhooks."""

    settings: Settings
    blocked: list[str] = field(default_factory=list)
    status: int = 200
    look_ups: int = 0

    def configure_parent(self, client_id: str = 'client_id = "78parent"') -> None:
        text = self.settings.applications.read_text(encoding="utf-8")
        parent = f'\n[parent]\n{client_id}\nclient_secrets = ["env:PARENT_SECRET"]\n'
        self.settings.applications.write_text(text + parent, encoding="utf-8")

    def challenge(self, at: datetime) -> None:
        engine = open_landing(self.settings.landing_url)
        write_inbox(engine, [ReceivedChallenge("", at)])
        engine.dispose()

    def run(self, as_of: datetime = NOW) -> RunSummary:
        with open_reconciliation(self.settings, as_of, clock=lambda: as_of) as run:
            run.pull()
            run.ingest_notifications()
            asyncio.run(run.check())
            run.update_findings()
            run.publish()
        return run.summary

    def read_silences(self) -> list[Row]:
        with open_warehouse(self.settings) as warehouse:
            return read_findings(warehouse, kind="WEBHOOK_SILENT")

    async def serve(self, request: Request) -> Response:
        self.look_ups += 1
        elements = [{"url": url, "webhookStatus": "BLOCKED"} for url in self.blocked]
        return JSONResponse({"paging": {"start": 0, "count": 10, "links": []}, "elements": elements}, self.status)


@pytest.fixture
def portal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    monkeypatch.setenv("PARENT_SECRET", "parent-secret")

    async def grant(request: Request) -> Response:
        return JSONResponse({"access_token": "token", "expires_in": 1800})

    portal = Portal(settings)
    routes = [Route("/v2/developerWebhooks", portal.serve), Route("/oauth/v2/accessToken", grant, methods=["POST"])]
    with serve_in_thread(Starlette(routes=routes)) as url:
        portal.settings = settings.model_copy(update={"api_url": url, "token_url": f"{url}/oauth/v2/accessToken"})
        yield portal


def test_a_blocked_webhook_is_a_finding_at_once_and_ends_when_linkedin_says_so(portal: Portal) -> None:
    portal.configure_parent()
    portal.challenge(NOW - HOUR)
    portal.blocked = ["https://partner.example/webhook"]
    summary = portal.run()
    assert summary.state == "INCOMPLETE"
    assert summary.failures == []
    assert summary.incomplete_reasons == [
        "LinkedIn has blocked the webhook since 2026-03-10 12:00 UTC: changes may have gone unnoticed. `jobrecon doctor` says what to check."
    ]
    (finding,) = portal.read_silences()
    assert (finding["since"], finding["resolved_at"]) == (NOW, None)
    assert "blocked the webhook" in finding["reason"]
    assert "button in the developer portal" in finding["reason"]
    portal.challenge(NOW + 22 * HOUR)
    portal.blocked = []
    portal.run(NOW + DAY)
    (finding,) = portal.read_silences()
    assert (finding["since"], finding["resolved_at"]) == (NOW, NOW + DAY)


def test_linkedin_is_asked_once_a_day_and_sooner_where_a_blocked_webhook_was_challenged(portal: Portal) -> None:
    portal.configure_parent()
    for later, count in ((timedelta(), 1), (DAY - TICK, 1), (DAY, 2)):
        portal.challenge(NOW + later - HOUR)
        portal.run(NOW + later)
        assert portal.look_ups == count
    portal.blocked = ["https://partner.example/webhook"]
    portal.run(NOW + 2 * DAY)
    portal.run(NOW + 2 * DAY + HOUR)
    assert portal.look_ups == 3
    portal.challenge(NOW + 2 * DAY + 2 * HOUR)
    portal.blocked = []
    portal.run(NOW + 2 * DAY + 3 * HOUR)
    assert portal.look_ups == 4
    assert [row["resolution"] for row in portal.read_silences()] == ["HEARD"]


@pytest.mark.parametrize("client_id", [None, ""])
def test_without_the_parents_client_id_linkedin_is_not_asked(portal: Portal, client_id: str | None) -> None:
    if client_id is not None:
        portal.configure_parent(client_id)
    portal.blocked = ["https://partner.example/webhook"]
    assert portal.run().state == "COMPLETED"
    assert portal.look_ups == 0


@pytest.mark.parametrize("status", [403, 404])
def test_without_access_nothing_changes(portal: Portal, status: int) -> None:
    portal.configure_parent()
    portal.status = status
    summary = portal.run()
    assert (summary.state, summary.notes, portal.read_silences()) == ("COMPLETED", [], [])
    portal.run(NOW + HOUR)
    assert portal.look_ups == 1

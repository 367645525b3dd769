"""A report with its history, delivered to a mail server and a chat that are real and local."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobrecon.delivery.deliver import Delivery, deliver_report
from jobrecon.reports.report import ReportResult
from jobrecon.webhook.server import serve_in_thread
from tests.delivery.mail_server import Mailbox, serve_mail
from tests.reports.conftest import NOW, History, history, report, settings

__all__ = ["NOW", "History", "history", "report", "settings"]

Deliver = Callable[..., Delivery]


def use_server(settings_of: History, box: Mailbox) -> None:
    settings_of.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{box.port}?starttls=off")
    settings_of.settings.mail_from = "jobrecon@example.com"
    settings_of.settings.mail_to = "boss@example.com"


@pytest.fixture
def mailbox(history: History) -> Iterator[Mailbox]:
    """A mail server that the settings name."""
    with serve_mail() as box:
        use_server(history, box)
        yield box


@pytest.fixture
def deliver(history: History, report: Callable[..., ReportResult]) -> Deliver:
    """Write the report and deliver it."""

    def write_and_deliver(date: dt.date | None = None) -> Delivery:
        return deliver_report(history.settings, report(date), NOW)

    return write_and_deliver


def add_two_managers(history: History) -> None:
    history.add_customer("Acme", "Dana Fox", "urn:1", email="dana@example.com")
    history.add_customer("Beta", "Jo Ng", "urn:2", email="jo@example.com")
    history.add_customer("Gamma", "Nobody Written", "urn:3")
    history.add_finding(reason="Acme's issue")
    history.add_finding(reason="Beta's issue", account_manager="Jo Ng", customer="Beta")
    history.add_run()


@dataclass
class Chat:
    """What a chat's webhook received."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    async def receive(self, request: Request) -> Response:
        if self.status == 200:
            self.messages.append(orjson.loads(await request.body()))
        return Response(status_code=self.status)


@pytest.fixture
def chat(history: History) -> Iterator[Chat]:
    """A chat that takes apprise's plain JSON, and that the settings name."""
    opened = Chat()
    with serve_in_thread(Starlette(routes=[Route("/hook", opened.receive, methods=["POST"])])) as url:
        history.settings.chat_url = SecretStr(url.replace("http://", "json://") + "/hook")
        yield opened

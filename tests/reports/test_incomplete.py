"""What could not be seen, for real: a run against a sandbox, then banner, subject, summary and the run's state."""

import datetime as dt
import email
import email.policy
import json
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from jobrecon.clock import utc_now
from jobrecon.delivery.deliver import deliver_report
from jobrecon.ingest import import_tasks
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import write_inbox
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.reconcile.opening import reconcile
from jobrecon.reconcile.summary import RunSummary
from jobrecon.reports.report import ReportResult, write_report
from jobrecon.sandbox import FaultInjection, SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.webhook.server import serve_in_thread
from tests.reports.test_page import Page

ACME = "urn:li:developerApplication:1001"
SECRET = "the-secret-of-acme"
RunAndReport = Callable[..., tuple[RunSummary, ReportResult, EmailMessage]]


@pytest.fixture
def run_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunAndReport:
    """Reconcile 150 tasks with these settings, write the report and its mail; returns (run, report, mail)."""

    def run(
        secret: str = SECRET, prepare: Callable[[Settings], None] = lambda _settings: None, **options: Any
    ) -> tuple[RunSummary, ReportResult, EmailMessage]:
        monkeypatch.setenv("ACME_SECRET", secret)
        application = SandboxApplication(ACME, "78acme", [SECRET])
        world = World([application], utc_now() - dt.timedelta(hours=2), faults=FaultInjection())
        (tmp_path / "tasks.ndjson").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in world.create_tasks(ACME, 150)))
        world.seconds += 7200
        applications = tmp_path / "applications.toml"
        applications.write_text(
            f'[[applications]]\nurn = "{ACME}"\nclient_id = "78acme"\nclient_secrets = ["env:ACME_SECRET"]\ncustomer = "Acme"\n'
            'account_manager = "Dana Fox"\naccount_manager_email = "dana@example.com"\n'
        )
        with serve_in_thread(create_app(world)) as url:
            addresses: dict[str, Any] = {"api_url": url, "token_url": f"{url}/oauth/v2/accessToken"}
            settings = Settings(_env_file=None, home=tmp_path / "var", applications=applications, **addresses, **options)
            with open_warehouse(settings) as warehouse:
                import_tasks(warehouse, tmp_path / "tasks.ndjson", settings.load_applications(), utc_now())
            prepare(settings)
            summary = reconcile(settings)
        report = write_report(settings, None, utc_now())
        [mail] = deliver_report(settings, report, utc_now()).kept
        return summary, report, email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)

    return run


def let_the_webhook_fall_silent(settings: Settings) -> None:
    write_inbox(open_landing(settings.landing_url), [ReceivedChallenge(ACME, utc_now() - dt.timedelta(days=3))])


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a wrong secret": ({"secret": "a-wrong-secret"}, ACME),
    "a landing database that is gone": ({"landing_url": "postgresql+psycopg://reader@127.0.0.1:1/gone"}, "landing database"),
    "a budget that ran out": ({"daily_call_limit": 1}, "calls for the day"),
    "a webhook that fell silent": ({"prepare": let_the_webhook_fall_silent}, "webhook"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_not_seen_is_said_everywhere(run_and_report: RunAndReport, case: str) -> None:
    options, words = CASES[case]
    summary, report, mail = run_and_report(**options)
    assert summary.state == "INCOMPLETE"
    summary = json.loads((report.folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["complete"] is False
    assert any(words in reason for reason in summary["incomplete_reasons"]), summary["incomplete_reasons"]
    page = Page((report.folder / "index.html").read_text(encoding="utf-8"))
    assert ("div", {"class": "banner", "role": "alert"}) in page.tags
    assert mail["subject"].startswith("INCOMPLETE: ")
    for text in (page.text, *(cast(EmailMessage, mail.get_body((kind,))).get_content() for kind in ("plain", "html"))):
        assert "INCOMPLETE" in text
        assert words.replace(ACME, "Acme") in text
        assert "All clear" not in text
        assert "a-wrong-secret" not in text


def test_a_run_that_saw_everything_is_complete(run_and_report: RunAndReport) -> None:
    summary, report, mail = run_and_report()
    assert summary.state == "COMPLETED"
    assert report.summary["complete"] is True
    assert not mail["subject"].startswith("INCOMPLETE")

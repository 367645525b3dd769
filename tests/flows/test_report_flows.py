"""The flows around the reports, on a real server and worker: mails, backfill, maintenance, events and automations."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobrecon.clock import utc_now
from tests.delivery.mail_server import serve_mail
from tests.flows.conftest import Partner
from tests.flows.prefect_stack import FlowRun, wait_for

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]


def run_with(partner: Partner, name: str, **parameters: str | bool) -> FlowRun:
    deployment = partner.stack.get(f"/deployments/name/{name}/{name}")["id"]
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": parameters, "idempotency_key": uuid4().hex}
    return partner.stack.wait(FlowRun(partner.stack.post(f"/deployments/{deployment}/create_flow_run", wanted), partner.stack))


def test_past_days_are_reported_again_and_nothing_is_sent(partner: Partner) -> None:
    partner.configure(JOBRECON_MAIL_TO="boss@example.com")
    assert partner.stack.run("reconcile").state[0] == "COMPLETED"
    today = utc_now().date()
    run = run_with(partner, "backfill", first=(today - timedelta(days=2)).isoformat(), last=today.isoformat())
    assert run.state == ("COMPLETED", "Completed"), run.message
    assert "3 reports written" in run.message
    folders = sorted(partner.settings.reports.iterdir())
    assert [folder.name for folder in folders] == [(today - timedelta(days=back)).isoformat() for back in (2, 1, 0)]
    assert not list(partner.settings.reports.glob("*/mail"))
    assert partner.stack.run("daily-report").state[0] == "COMPLETED"
    assert [path.name for path in partner.settings.reports.glob("*/mail/*.eml")] == ["index.eml"]
    assert partner.stack.run("maintain").state == ("COMPLETED", "Completed")


def test_a_wrong_mail_server_fails_the_run_with_a_message_and_leaves_the_report(partner: Partner) -> None:
    partner.configure(JOBRECON_MAIL_TO="boss@example.com", JOBRECON_SMTP_URL="smtp://secret-word@")
    assert partner.stack.run("reconcile").state[0] == "COMPLETED"
    run = partner.stack.run("daily-report")
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("ConfigurationError: JOBRECON_SMTP_URL")
    assert "secret-word" not in run.message + run.read_log()
    assert list(partner.settings.reports.glob("*/index.html"))


def list_mails(partner: Partner) -> list[str]:
    """The state of each message's record, by its name."""
    return sorted(path.name for path in partner.settings.reports.glob("*/mail/*.json"))


def count_automatic_runs(partner: Partner) -> int:
    """The runs of the daily report that an automation started for this partner's report, and that have ended."""
    deployment = partner.stack.get("/deployments/name/daily-report/daily-report")["id"]
    wanted = {"deployments": {"id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_DESC"}
    runs = partner.stack.post("/flow_runs/filter", wanted)
    return sum(run["parameters"].get("follow_up") is True and run["state_type"] == "COMPLETED" for run in runs)


def test_an_incomplete_report_is_mailed_as_such_and_the_complete_one_once_it_is_there(partner: Partner) -> None:
    down = {"JOBRECON_LANDING_URL": "postgresql+psycopg://reader@127.0.0.1:1/gone"}
    before = count_automatic_runs(partner)
    with serve_mail() as mailbox:
        mail = {
            "JOBRECON_MAIL_TO": "boss@example.com",
            "JOBRECON_MAIL_FROM": "jobrecon@example.com",
            "JOBRECON_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}?starttls=off",
            "JOBRECON_REPORT_URL": "https://reports.example.com",
        }
        partner.configure(**mail, **down)
        # An incomplete run before the morning's report starts no mail of the day.
        assert partner.stack.run("reconcile").state == ("FAILED", "Incomplete")
        assert run_with(partner, "daily-report", follow_up=True).state == ("COMPLETED", "Incomplete")
        assert not mailbox.mails
        morning = partner.stack.run("daily-report")
        assert morning.state == ("COMPLETED", "Incomplete"), morning.message
        assert "(https://reports.example.com/" in morning.read_artifacts()["daily-report"]["data"]
        partner.configure(**mail)
        assert partner.stack.run("reconcile").state == ("COMPLETED", "Completed")
        wait_for("the run that the automation starts", lambda: count_automatic_runs(partner) > before + 1 or None)
        assert ["INCOMPLETE" in each["subject"] for each in mailbox.mails] == [True, False]
        assert list_mails(partner) == ["index.incomplete.json", "index.json"]


def test_parameters_have_descriptions(partner: Partner) -> None:
    for name in ("reconcile", "daily-report", "maintain", "backfill"):
        deployment = partner.stack.get(f"/deployments/name/{name}/{name}")
        for parameter, described in deployment["parameter_openapi_schema"]["properties"].items():
            assert described.get("description"), (name, parameter)


def test_findings_and_incomplete_runs_emit_events_in_plain_words(partner: Partner) -> None:
    def read(name: str) -> list[Any]:
        wanted = {"filter": {"event": {"name": [name]}}, "limit": 50}
        return wait_for(name, lambda: partner.stack.post("/events/filter", wanted)["events"] or None)

    assert partner.stack.run("reconcile").state == ("COMPLETED", "Completed")
    events = read("jobrecon.finding.opened")
    assert events[0]["resource"]["prefect.resource.id"].startswith("jobrecon.finding.")
    assert {"customer", "reason", "next_action", "issue", "opened_in_run"} <= events[0]["payload"].keys()
    assert events[0]["resource"]["prefect.resource.name"].startswith(f"{events[0]['payload']['issue']}: ")
    assert "\x1b" not in json.dumps(events)
    partner.configure(JOBRECON_LANDING_URL="postgresql+psycopg://reader@127.0.0.1:1/gone")
    assert partner.stack.run("reconcile").state == ("FAILED", "Incomplete")

    def read_reasons() -> list[str] | None:
        """Those of this run: runs of other tests may have been incomplete too."""
        reasons = [reason for event in read("jobrecon.run.incomplete") for reason in event["payload"]["reasons"]]
        return [reason for reason in reasons if "landing database" in reason] or None

    assert wait_for("the event of the incomplete run", read_reasons)

"""The flows around the reports, on a real server and worker: mails, backfill, maintenance, events and automations."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import yaml

from jobrecon.clock import utc_now
from tests.flows.conftest import Partner
from tests.flows.prefect_stack import ROOT, FlowRun, wait_for

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]


def run_with(partner: Partner, name: str, **parameters: str) -> FlowRun:
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


def test_findings_emit_events_and_the_documented_automation_reports_an_incomplete_run(partner: Partner) -> None:
    text = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8").split("<!-- automation: incomplete -->", 1)[1]
    automation = yaml.safe_load(text.split("```yaml\n", 1)[1].split("```", 1)[0])
    deployment = partner.stack.get("/deployments/name/daily-report/daily-report")["id"]
    automation["actions"][0]["deployment_id"] = deployment
    created = partner.stack.post("/automations/", automation)
    try:
        assert partner.stack.run("reconcile").state == ("COMPLETED", "Completed")
        opened = {"filter": {"event": {"name": ["jobrecon.finding.opened"]}}, "limit": 50}
        events = wait_for("findings opened", lambda: partner.stack.post("/events/filter", opened)["events"])
        assert events[0]["resource"]["prefect.resource.id"].startswith("jobrecon.finding.")
        assert {"customer", "reason", "next_action", "opened_in_run"} <= events[0]["payload"].keys()
        assert "\x1b" not in json.dumps(events)
        partner.configure(JOBRECON_LANDING_URL="postgresql+psycopg://reader@127.0.0.1:1/gone")
        assert partner.stack.run("reconcile").state[1] == "Incomplete"
        wanted = {"deployments": {"id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_DESC"}
        wait_for(
            "the report that the automation starts",
            lambda: any(
                run["created_by"] and run["created_by"]["type"] == "AUTOMATION" for run in partner.stack.post("/flow_runs/filter", wanted)
            ),
        )
    finally:
        partner.stack.api.delete(f"/automations/{created['id']}")

"""The day around the reports, on a real server and worker: mails, backfill, upkeep, and what automations hear."""

import json
from datetime import timedelta
from uuid import uuid4

import yaml

from jobrecon.clock import utc_now
from tests.flows.conftest import Shop
from tests.flows.prefect_stack import ROOT, FlowRun, wait_for


def run_with(shop: Shop, name: str, **parameters: str) -> FlowRun:
    deployment = shop.station.get(f"/deployments/name/{name}/{name}")["id"]
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": parameters, "idempotency_key": uuid4().hex}
    return shop.station.wait(FlowRun(shop.station.post(f"/deployments/{deployment}/create_flow_run", wanted), shop.station))


def test_past_days_are_reported_again_and_nothing_is_sent(shop: Shop) -> None:
    shop.configure(JOBRECON_MAIL_TO="boss@example.com")
    assert shop.station.run("reconcile").state[0] == "COMPLETED"
    today = utc_now().date()
    run = run_with(shop, "backfill", first=(today - timedelta(days=2)).isoformat(), last=today.isoformat())
    assert run.state == ("COMPLETED", "Completed"), run.message
    assert "3 reports written" in run.message
    folders = sorted(shop.settings.reports.iterdir())
    assert [folder.name for folder in folders] == [(today - timedelta(days=back)).isoformat() for back in (2, 1, 0)]
    assert not list(shop.settings.reports.glob("*/mail"))
    assert shop.station.run("daily-report").state[0] == "COMPLETED"
    assert [path.name for path in shop.settings.reports.glob("*/mail/*.eml")] == ["index.eml"]
    assert shop.station.run("maintain").state == ("COMPLETED", "Completed")


def test_a_mail_server_that_is_wrong_fails_the_run_in_words_and_leaves_the_report(shop: Shop) -> None:
    shop.configure(JOBRECON_MAIL_TO="boss@example.com", JOBRECON_SMTP_URL="smtp://secret-word@")
    assert shop.station.run("reconcile").state[0] == "COMPLETED"
    run = shop.station.run("daily-report")
    assert run.state == ("FAILED", "Failed")
    assert run.message.startswith("ConfigurationError: JOBRECON_SMTP_URL")
    assert "secret-word" not in run.message + run.read_log()
    assert list(shop.settings.reports.glob("*/index.html"))


def test_automations_hear_of_findings_and_the_documented_one_reports_an_incomplete_run(shop: Shop) -> None:
    text = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8").split("<!-- automation: incomplete -->", 1)[1]
    automation = yaml.safe_load(text.split("```yaml\n", 1)[1].split("```", 1)[0])
    deployment = shop.station.get("/deployments/name/daily-report/daily-report")["id"]
    automation["actions"][0]["deployment_id"] = deployment
    created = shop.station.post("/automations/", automation)
    try:
        assert shop.station.run("reconcile").state == ("COMPLETED", "Completed")
        opened = {"filter": {"event": {"name": ["jobrecon.finding.opened"]}}, "limit": 50}
        events = wait_for("findings opened", lambda: shop.station.post("/events/filter", opened)["events"])
        assert events[0]["resource"]["prefect.resource.id"].startswith("jobrecon.finding.")
        assert {"customer", "reason", "next_action", "opened_in_run"} <= events[0]["payload"].keys()
        assert "\x1b" not in json.dumps(events)
        shop.configure(JOBRECON_LANDING_URL="postgresql+psycopg://reader@127.0.0.1:1/gone")
        assert shop.station.run("reconcile").state[1] == "Incomplete"
        wanted = {"deployments": {"id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_DESC"}
        wait_for(
            "the report that the automation starts",
            lambda: any(
                run["created_by"] and run["created_by"]["type"] == "AUTOMATION" for run in shop.station.post("/flow_runs/filter", wanted)
            ),
        )
    finally:
        shop.station.api.delete(f"/automations/{created['id']}")

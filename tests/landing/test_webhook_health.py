"""LinkedIn's silence, from the receiver through a run to the report, the metrics and the doctor's knowledge."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from jobrecon.landing.inbox_reader import read_state
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.settings import Settings
from models.inbox import ChallengeTime, InboxItem
from tests.webhook.conftest import Serve, SteppingClock, challenge, rows_of
from tests.webhook.test_receiver import metric, notification, post, wait_until

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def reconcile(settings: Settings, as_of: datetime) -> RunSummary:
    with open_reconciliation(settings, as_of, clock=lambda: as_of) as run:
        run.pull()
        run.ingest_notifications()
        run.update_findings()
        run.publish()
        return run.summary


def test_the_time_of_each_challenge_is_kept_once_a_second(serve: Serve, engine: Engine, clock: SteppingClock) -> None:
    client = serve()
    for seconds in (0, 0.2, 0.5, 3, 7200):
        clock.now = SIX + timedelta(seconds=seconds)
        assert client.get("/webhook", params={"challengeCode": "c"}).status_code == 200
        assert client.get("/webhook", params={"challengeCode": "c", "applicationId": "1001"}).status_code == 200
    wait_until(lambda: len(rows_of(engine, ChallengeTime)) == 6)
    times = sorted(row.challenged_at for row in rows_of(engine, ChallengeTime) if row.application_urn == "")
    assert times == [SIX, SIX + timedelta(seconds=3), SIX + 2 * HOUR]


def test_a_silence_is_a_finding_a_banner_and_a_metric_and_ends_when_linkedin_is_heard(
    settings: Settings, landing_url: str, serve: Serve, engine: Engine, clock: SteppingClock
) -> None:
    settings = settings.model_copy(update={"landing_url": landing_url})
    client = serve()
    challenge(engine, "", SIX)
    summary = reconcile(settings, SIX + 4 * HOUR)
    assert (summary.state, summary.findings_open) == ("COMPLETED", 0)
    summary = reconcile(settings, SIX + 5 * HOUR)
    assert (summary.state, summary.findings_open) == ("INCOMPLETE", 1)
    assert "LinkedIn has not challenged the webhook since 2026-03-01 06:00 UTC" in summary.incomplete_reasons[0]
    assert read_state(engine).silences == {"": SIX}
    clock.now = SIX + 5 * HOUR
    wait_until(lambda: metric(client, 'jobrecon_webhook_silent{application=""}') == 1)
    challenge(engine, "", SIX + 6 * HOUR)
    summary = reconcile(settings, SIX + 7 * HOUR)
    assert (summary.state, summary.findings_open, summary.findings_resolved) == ("COMPLETED", 0, 1)
    assert read_state(engine).silences == {}
    clock.now = SIX + 7 * HOUR
    wait_until(lambda: metric(client, 'jobrecon_webhook_silent{application=""}') == 0)


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_run_deletes_what_is_merged_and_older_than_the_setting(
    settings: Settings, landing_url: str, serve: Serve, engine: Engine
) -> None:
    settings = settings.model_copy(update={"landing_url": landing_url, "inbox_retention_days": 2.0})
    assert post(serve(), notification(), "acme-new").status_code == 200
    reconcile(settings, SIX + HOUR)
    assert len(rows_of(engine, InboxItem)) == 1
    reconcile(settings, SIX + 50 * HOUR)
    assert rows_of(engine, InboxItem) == []


def test_metrics_tell_of_duplicates_types_and_the_age_of_the_inbox(serve: Serve, clock: SteppingClock) -> None:
    client = serve()
    for status in ("LISTED", "LISTED", "NOT_LISTED", "LISTED"):
        assert post(client, notification(listingStatus=status), "acme-new").status_code == 200
        clock.advance(10)
    resync = b'{"type":"RESYNC_JOBS","developerApplicationUrn":1001,"syncAllOpenJobs":true}'
    for body in (resync, resync, b'{"type":"NEW","developerApplicationUrn":1001}', b"{"):
        post(client, body, "acme-new")
    wait_until(lambda: metric(client, "jobrecon_webhook_inbox_depth") == 7)
    expected = {
        "landed_total": 7,
        "duplicates_total": 2,
        'landed_by_type_total{type="JOB_POSTING_STATUS"}': 4,
        'landed_by_type_total{type="RESYNC_JOBS"}': 2,
        'landed_by_type_total{type="other"}': 1,
        "quarantine_depth": 1,
        "inbox_age_seconds": 40,
    }
    assert {name: metric(client, f"jobrecon_webhook_{name}") for name in expected} == expected
    assert re.search(r"^# TYPE jobrecon_webhook_duplicates_total counter", client.get("/metrics").text, re.MULTILINE)

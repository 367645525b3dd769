"""`jobrecon webhook` and what is below it, and what the doctor says of a silence, as processes of their own."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobrecon.landing.database import open_landing
from jobrecon.landing.webhook_health import write_silences
from models.inbox import InboxItem, QuarantinedBody
from tests.webhook.conftest import ACME, challenge, quarantine, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-1"}'


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "JOBRECON_HOME": str(home), "JOBRECON_TOKEN_URL": "http://127.0.0.1:9/none"}
    program = [sys.executable, "-m", "jobrecon", *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True, cwd=home, check=False, timeout=60)


def test_redrive_says_what_landed_and_why_the_rest_did_not(tmp_path: Path) -> None:
    engine = open_landing(f"sqlite:///{tmp_path / 'landing.db'}")
    quarantine(engine, BODY, "a fault that is fixed by now", SIX)
    quarantine(engine, b"{", "The body is not JSON.", SIX)
    result = run(tmp_path, "webhook", "redrive")
    assert result.returncode == 0, result.stderr
    assert "1 notifications landed" in result.stdout
    assert "1 invalid: The body is not JSON (line 1, column 2)." in result.stdout
    assert [row.external_job_posting_id for row in rows_of(engine, InboxItem)] == ["job-1"]
    assert len(rows_of(engine, QuarantinedBody)) == 1
    engine.dispose()


def test_the_doctor_names_what_is_silent_and_what_is_in_quarantine(tmp_path: Path) -> None:
    engine = open_landing(f"sqlite:///{tmp_path / 'landing.db'}")
    quarantine(engine, b"{", "The body is not JSON.", SIX)
    challenge(engine, "", SIX)
    write_silences(engine, {"": SIX, ACME: SIX})
    engine.dispose()
    checks: list[dict[str, Any]] = json.loads(run(tmp_path, "doctor", "--json").stdout)["checks"]
    webhook = [check["detail"] for check in checks if check["name"] == "webhook" and check["state"] == "FAIL"]
    assert any(f"no notification about the jobs of {ACME} since 2026-03-01" in detail for detail in webhook)
    assert any("LinkedIn last challenged it" in detail for detail in webhook)
    assert [check["state"] for check in checks if check["name"] == "quarantine"] == ["WARN"]


def test_a_path_that_is_none_of_the_receivers_is_a_usage_error(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("JOBRECON_WEBHOOK_PATHS", "/webhook,/admin")
    result = run(tmp_path, "webhook")
    assert result.returncode == 2
    assert "JOBRECON_WEBHOOK_PATHS" in result.stderr

"""`serve_webhook` as a process of its own: it starts, logs without secrets, and stops having kept what it took."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from jobrecon.errors import ConfigurationError
from jobrecon.landing.database import open_landing
from jobrecon.settings import load_settings
from jobrecon.webhook.server import serve_webhook
from tests.webhook.conftest import ACME, bodies_of, sign

BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-confidential"}'
SERVE = """
from jobrecon.settings import load_settings
from jobrecon.webhook.server import serve_webhook
serve_webhook(load_settings(), "127.0.0.1", 0)
"""


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_served_receiver_stops_in_good_order_with_status_0_and_logs_no_body_or_secret(tmp_path: Path, stop: signal.Signals) -> None:
    environment = {
        **os.environ,
        "JOBRECON_HOME": str(tmp_path),
        "JOBRECON_APPLICATION_URN": ACME,
        "JOBRECON_CLIENT_ID": "78acme",
        "JOBRECON_CLIENT_SECRET": "very-secret",
    }
    process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"receiving for 1 applications on (http://127\.0\.0\.1:\d+)/webhook", line):
                break
        assert found
        headers = {"X-LI-Signature": sign(BODY, "very-secret")}
        with httpx.Client(base_url=found[1], transport=httpx.HTTPTransport(retries=20)) as client:
            assert client.post("/webhook", content=BODY, headers=headers).status_code == 200
            assert client.get("/webhook", params={"challengeCode": "code-confidential"}).status_code == 200
        process.send_signal(stop)
        lines += process.stderr.readlines()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    log = "".join(lines)
    engine = open_landing(f"sqlite:///{tmp_path / 'landing.db'}")
    assert bodies_of(engine) == [BODY]
    engine.dispose()
    assert not re.search("very-secret|confidential|Traceback", log)
    assert any(json.loads(line)["message"].startswith("receiving for 1 applications") for line in lines if line.startswith("{"))
    access = [json.loads(line[line.index("{") :]) for line in lines if "jobrecon.webhook.access" in line]
    assert [(line["method"], line["path"], line["status"], line["received_bytes"]) for line in access] == [
        ("POST", "/webhook", 200, len(BODY)),
        ("GET", "/webhook", 200, 0),
    ]


def test_a_log_that_nobody_reads_stops_neither_the_receiver_nor_its_end(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "JOBRECON_HOME": str(tmp_path),
        "JOBRECON_APPLICATION_URN": ACME,
        "JOBRECON_CLIENT_ID": "78acme",
        "JOBRECON_CLIENT_SECRET": "very-secret",
    }
    process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = None
        while not found:
            found = re.search(r"on (http://127\.0\.0\.1:\d+)/webhook", process.stderr.readline())
        headers = {"X-LI-Signature": sign(BODY, "very-secret")}
        path = "/" + "x" * 150
        with httpx.Client(base_url=found[1], transport=httpx.HTTPTransport(retries=20), timeout=10) as client:
            # A pipe holds 64 KB.
            assert [client.get(path).status_code for _ in range(600)] == [404] * 600
            assert client.post("/webhook", content=BODY, headers=headers).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_an_address_that_is_taken_or_none_is_a_configuration_error(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, applications=tmp_path / "none.toml")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="in use"):
        serve_webhook(settings, "127.0.0.1", taken.getsockname()[1])
    for host, port in (("no.such.host.invalid", 80), ("127.0.0.1", 70_000), ("a" * 300, 80)):
        with pytest.raises(ConfigurationError, match="cannot listen"):
            serve_webhook(settings, host, port)

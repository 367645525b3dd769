"""The demo's two days: a fake LinkedIn, the real receiver, flows and report, on this machine with nothing configured."""

import asyncio
import inspect
import json
import os
import random
import shlex
import shutil
import sys
import time
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from jobrecon.clock import utc_now
from jobrecon.demo.home import clear_home, configured
from jobrecon.demo.partner import CUSTOMERS, Partner
from jobrecon.landing.database import using_landing
from jobrecon.sandbox import FaultInjection, SandboxApplication, World
from jobrecon.sandbox import create_app as create_sandbox
from jobrecon.warehouse import open_published
from jobrecon.webhook.app import create_app as create_receiver
from jobrecon.webhook.server import serve_in_thread

FAULTS = FaultInjection(
    error_5xx_rate=0.02, duplicate_rate=0.05, late_rate=0.02, reorder_rate=0.02, per_id_error_rate=0.001, lost_rate=0.01
)

# Hours after the start: what the partner's system sends, and when a reconciliation runs.
REQUESTS = (
    (0.0, "CREATE", 0.60),
    (8.0, "CREATE", 0.25),
    (25.0, "REMEDIES", 1.0),
    (26.0, "UPDATE", 0.08),
    (28.0, "CLOSE", 0.06),
    (30.0, "CREATE", 0.14),
    (32.0, "RENEW", 0.02),
    (47.9, "CREATE", 0.01),
)
VERBS = {"CREATE": "posts", "UPDATE": "changes", "CLOSE": "closes", "RENEW": "renews", "REMEDIES": "carries out half of the remedies, for"}
RUNS = (0.2, 1.0, 8.5, 24.0, 26.5, 33.0, 48.0)


def run_demo(home: Path, job_count: int = 2_000, seed: int = 7) -> dict[str, Any]:
    """Post jobs through the sandbox, let two days of its clock pass, reconcile, report; returns the last report's summary.

    Everything lies in `home`. Raises `ConfigurationError` where that holds files that are not a demo's, or cannot be written.
    """
    clear_home(home)
    start = time.monotonic()
    started = (utc_now() - timedelta(hours=48)).replace(microsecond=0)
    applications = [
        SandboxApplication(f"urn:li:developerApplication:{1001 + index}", f"demo{index + 1}", [f"demo-secret-{index + 1}-{seed}"])
        for index in range(len(CUSTOMERS))
    ]
    world = World(applications, started, seed, faults=FAULTS)
    with (
        serve_in_thread(create_sandbox(world)) as api_url,
        configured(home, applications, api_url) as settings,
        using_landing(settings.landing_url) as engine,
    ):
        receiver = create_receiver(settings.load_applications, engine, clock=lambda: world.now)
        with serve_in_thread(receiver) as receiver_url, httpx.Client(base_url=api_url, timeout=300) as api:
            partner = Partner(home, settings, world, api, random.Random(seed))
            _print(f"The fake LinkedIn serves on {api_url}, the webhook receiver on {receiver_url}. Nothing leaves this machine.")
            api.post("/control/webhook", json={"webhook_url": f"{receiver_url}/webhook"}).raise_for_status()
            summary = _simulate(partner, receiver_url, started, job_count)
            _print_results(partner, summary, time.monotonic() - start)
    return summary


def _simulate(partner: Partner, receiver_url: str, started: datetime, job_count: int) -> dict[str, Any]:
    # Loaded by name: this room does not import the flows.
    reconcile, report = import_module("flows.reconcile").reconcile, import_module("flows.daily_report").daily_report
    steps = sorted([*((hour, "send", (operation, share)) for hour, operation, share in REQUESTS), *((hour, "run", None) for hour in RUNS)])
    reported: set[Any] = set()
    for hour, step, request in steps:
        now = started + timedelta(hours=hour)
        partner.api.post("/control/clock", json={"now": now.isoformat()}).raise_for_status()
        if step == "send" and request:
            sent = partner.send(request[0], round(request[1] * job_count))
            _print(f"{_format_time(now)}  the partner's system {VERBS[request[0]]} {sent:,} jobs; their task URNs are imported")
        else:
            _call(reconcile, as_of=now)
            _print_run(partner, now)
        day = now.astimezone(partner.settings.zone).date()
        if reported and day not in reported:
            _call(report, date=max(reported))
        reported.add(day)
    _post_forged_notification(partner, receiver_url)
    # By its date: midnight may have passed since the last run.
    return dict(_call(report, date=max(reported)))


def _post_forged_notification(partner: Partner, receiver_url: str) -> None:
    """Post a notification with a wrong signature, which the receiver refuses."""
    body = json.dumps(
        {
            "type": "JOB_POSTING_STATUS",
            "externalJobPostingId": next(iter(partner.jobs)),
            "developerApplicationUrn": "urn:li:developerApplication:1001",
        }
    )
    response = httpx.post(f"{receiver_url}/webhook", content=body, headers={"X-LI-Signature": "0" * 64})
    _print(f"{_format_time(partner.world.now)}  a forged notification is refused: HTTP {response.status_code}")


def _call(flow: Any, **parameters: Any) -> Any:
    result = flow(**parameters)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def _print_run(partner: Partner, now: datetime) -> None:
    with open_published(partner.settings) as warehouse:
        row = warehouse.read("runs/select_last_run")[0]
    _print(
        f"{_format_time(now)}  reconcile: {row['tasks_polled']:,} tasks polled with {row['calls_used']:,} calls, {row['tasks_settled']:,} settled, "
        f"{row['notifications_merged']:,} notifications; findings +{row['findings_opened']:,} −{row['findings_resolved']:,} = {row['findings_open']:,} open"
    )


def _print_results(partner: Partner, summary: dict[str, Any], seconds: float) -> None:
    with open_published(partner.settings) as warehouse:
        worst = warehouse.read("findings/select_worst_findings", row_limit=1)
    job = worst[0]["job"] if worst else next(iter(partner.jobs))
    folder = partner.settings.reports / summary["date"]
    _print(f"\n{summary['verdict']}\nTwo days, simulated in {seconds:.0f} s. Results:")
    _print(f"  {folder / 'index.html'}    the report, beside it one page for each account manager")
    _print(f"  {folder / 'findings.xlsx'}    the same as a workbook")
    _print(f"  {partner.settings.published}    the tables, for analysts")
    # A demo's home brings its own settings: the commands need no other variable.
    command = f"JOBRECON_HOME={shlex.quote(str(partner.home))} {_program()}"
    _print("Try next:")
    _print(f"  {command} explain {job}")
    _print(f"  {command} budget")
    _print(f"  {command} report --date {(partner.world.now.astimezone(partner.settings.zone) - timedelta(days=1)).date()}")


def _program() -> str:
    """How this program is started from the working directory."""
    called = Path(sys.argv[0])
    if called.name != "jobrecon":
        return f"{shlex.quote(sys.executable)} -m jobrecon"
    found = shutil.which("jobrecon")
    return "jobrecon" if found and Path(found).samefile(called) else shlex.quote(os.path.relpath(called))


def _format_time(timestamp: datetime) -> str:
    return f"{timestamp:%a %d %b %H:%M}"


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201

"""The main job on this machine with nothing configured: two days of a made-up LinkedIn, the real flows, a real report."""

import asyncio
import inspect
import json
import os
import random
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx

from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, JobreconError
from jobrecon.imports import import_tasks
from jobrecon.landing import open_landing
from jobrecon.sandbox import Misbehaviour, SandboxApplication, World
from jobrecon.sandbox import create_app as create_sandbox
from jobrecon.serving import serve_in_thread
from jobrecon.settings import Settings, load_settings
from jobrecon.warehouse import open_for_reading, open_warehouse
from jobrecon.webhook.app import create_app as create_receiver

MARK = "this-is-a-demo.txt"
CUSTOMERS = (
    # customer, account manager, share of the jobs
    ("Northwind Hotels", "Dana Fox", 0.30),
    ("Acme Logistics", "Dana Fox", 0.25),
    ("Blue Harbour Clinics", "Ravi Stone", 0.20),
    ("Kestrel Retail", "Ravi Stone", 0.15),
    ("Lumen Schools", "Mika Berg", 0.10),
)
TITLES = (
    "Chef",
    "Night porter",
    "Truck driver",
    "Warehouse clerk",
    "Nurse",
    "Store manager",
    "Teacher",
    "Physiotherapist",
    "Data analyst",
    "Cook",
)
PLACES = ("Oslo, Norway", "Köln, Nordrhein-Westfalen, Germany", "Austin, Texas, United States", "Lyon, France", "Utrecht, Netherlands")
MISBEHAVIOUR = Misbehaviour(error_5xx_rate=0.02, duplicate_rate=0.05, late_rate=0.02, reorder_rate=0.02, per_id_error_rate=0.001)

# Hours after the beginning: what the partner's system sends, and when a reconciliation runs.
REQUESTS = (
    (0.0, "CREATE", 0.60),
    (8.0, "CREATE", 0.25),
    (25.0, "RESEND", 1.0),
    (26.0, "UPDATE", 0.08),
    (28.0, "CLOSE", 0.06),
    (30.0, "CREATE", 0.14),
    (32.0, "RENEW", 0.02),
    (47.9, "CREATE", 0.01),
)
RUNS = (0.2, 1.0, 8.5, 24.0, 26.5, 33.0, 48.0)


@dataclass
class Demo:
    """What the demo's steps share."""

    home: Path
    settings: Settings
    world: World
    api: httpx.Client
    receiver_url: str
    dice: random.Random
    jobs: dict[str, dict[str, Any]]
    """Jobs by id: application, title, location."""


def run_demo(settings: Settings, job_count: int = 2_000, seed: int = 7) -> dict[str, Any]:
    """Post jobs through the sandbox, let two days of its clock pass, reconcile, report; returns the last report's summary.

    Everything lies in `settings.home`. Raises `ConfigurationError` where that holds something that is no demo's.
    """
    home = settings.home
    _clear_home(home)
    began = time.monotonic()
    started = (utc_now() - timedelta(hours=48)).replace(microsecond=0)
    applications = [
        SandboxApplication(f"urn:li:developerApplication:{1001 + index}", f"demo{index + 1}", [f"demo-secret-{index + 1}-{seed}"])
        for index in range(len(CUSTOMERS))
    ]
    world = World(applications, started, seed, misbehaviour=MISBEHAVIOUR)
    with serve_in_thread(create_sandbox(world)) as api_url, _configured(home, applications, api_url) as configured:
        engine = open_landing(configured.landing_url)
        receiver = create_receiver(configured.load_applications, engine, clock=lambda: world.now)
        with serve_in_thread(receiver) as receiver_url, httpx.Client(base_url=api_url, timeout=300) as api:
            demo = Demo(home, configured, world, api, receiver_url, random.Random(seed), {})
            _say(f"LinkedIn's stand-in serves on {api_url}, the webhook receiver on {receiver_url}. Nothing leaves this machine.")
            api.post("/control/register", json={"webhook_url": f"{receiver_url}/webhook"}).raise_for_status()
            summary = _live_two_days(demo, started, job_count)
            _show_end(demo, summary, time.monotonic() - began)
        engine.dispose()
    return summary


def _live_two_days(demo: Demo, started: datetime, job_count: int) -> dict[str, Any]:
    reconcile, report = _load_flow("reconcile"), _load_flow("daily-report")
    steps = sorted([*((hour, "send", (operation, share)) for hour, operation, share in REQUESTS), *((hour, "run", None) for hour in RUNS)])
    reported: set[Any] = set()
    for hour, step, request in steps:
        now = started + timedelta(hours=hour)
        demo.api.post("/control/clock", json={"now": now.isoformat()}).raise_for_status()
        if step == "send" and request:
            _send(demo, request[0], round(request[1] * job_count))
        else:
            _call(reconcile, as_of=now)
            _say_run(demo, now)
        day = now.astimezone(demo.settings.zone).date()
        if reported and day not in reported:
            _call(report, date=max(reported))
        reported.add(day)
    _forge(demo)
    return dict(_call(report))


def _send(demo: Demo, operation: str, count: int) -> None:
    """Send requests as the partner's system would, keep the task URNs in a file, and import that."""
    tasks: list[dict[str, Any]] = []
    requests = _choose(demo, operation, count)
    for index in range(len(CUSTOMERS)):
        urn = f"urn:li:developerApplication:{1001 + index}"
        elements = [request for request in requests if demo.jobs[request["externalJobPostingId"]]["application_urn"] == urn]
        if not elements:
            continue
        form = {
            "grant_type": "client_credentials",
            "client_id": f"demo{index + 1}",
            "client_secret": demo.world.applications[urn].application.client_secrets[0],
        }
        token = demo.api.post("/oauth/v2/accessToken", data=form).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Restli-Method": "batch_create"}
        for start in range(0, len(elements), 100):
            part = elements[start : start + 100]
            response = _post_until_accepted(demo.api, headers, part)
            for element, answer in zip(part, response["elements"], strict=True):
                if "id" in answer:
                    tasks.append(
                        {
                            "task_urn": answer["id"],
                            "external_job_posting_id": element["externalJobPostingId"],
                            "operation": element["jobPostingOperationType"],
                            "requested_at": demo.world.now.isoformat(),
                            "application_urn": urn,
                            "title": element["title"],
                        }
                    )
    file = demo.home / "tasks" / f"{demo.world.now:%Y-%m-%dT%H%M}-{operation.lower()}.ndjson"
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    with open_warehouse(demo.settings) as warehouse:
        import_tasks(warehouse, file, demo.settings.load_applications(), demo.world.now)
    verb = {"CREATE": "posts", "UPDATE": "changes", "CLOSE": "closes", "RENEW": "renews", "RESEND": "sends again what failed:"}[operation]
    _say(f"{_clock(demo.world.now)}  the partner's system {verb} {len(tasks):,} jobs; their task URNs are imported")


def _post_until_accepted(api: httpx.Client, headers: dict[str, str], elements: list[dict[str, Any]]) -> Any:
    for _ in range(10):
        response = api.post("/v2/simpleJobPostings", headers=headers, json={"elements": elements})
        if response.status_code == 200:
            return response.json()
    raise JobreconError(f"The stand-in did not accept the demo's jobs: HTTP {response.status_code}.")


def _choose(demo: Demo, operation: str, count: int) -> list[dict[str, Any]]:
    if operation == "CREATE":
        chosen = []
        for _ in range(count):
            index = demo.dice.choices(range(len(CUSTOMERS)), [share for *_, share in CUSTOMERS])[0]
            job = f"{CUSTOMERS[index][0].split()[0].lower()}-{len(demo.jobs) + 1:04}"
            title, place = demo.dice.choice(TITLES), demo.dice.choice(PLACES)
            demo.jobs[job] = {"application_urn": f"urn:li:developerApplication:{1001 + index}", "title": title, "location": place}
            chosen.append(job)
    elif operation == "RESEND":
        with open_for_reading(demo.settings) as warehouse:
            failed = [row["job"] for row in warehouse.read("plan/worst_findings", row_limit=10_000) if row["kind"] == "FAILED"]
        chosen, operation = failed[: len(failed) // 2], "CREATE"
    else:
        chosen = demo.dice.sample(sorted(demo.jobs), count)
    return [
        {
            "externalJobPostingId": job,
            "jobPostingOperationType": operation,
            "title": demo.jobs[job]["title"],
            "location": demo.jobs[job]["location"],
            "alternateLocations": ["Bergen, Norway"] if operation == "CREATE" and demo.dice.random() < 0.01 else [],
        }
        for job in chosen
    ]


def _forge(demo: Demo) -> None:
    """Somebody else's notification: the receiver must not take it."""
    body = json.dumps(
        {
            "type": "JOB_POSTING_STATUS",
            "externalJobPostingId": next(iter(demo.jobs)),
            "developerApplicationUrn": "urn:li:developerApplication:1001",
        }
    )
    answer = httpx.post(f"{demo.receiver_url}/webhook", content=body, headers={"X-LI-Signature": "0" * 64})
    _say(f"{_clock(demo.world.now)}  a forged notification is refused: HTTP {answer.status_code}")


def _load_flow(name: str) -> Any:
    """A flow of the room above, found by its entry point: this room does not import it."""
    (found,) = entry_points(group="jobrecon.flows", name=name)
    return found.load()


def _call(flow: Any, **parameters: Any) -> Any:
    result = flow(**parameters)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def _say_run(demo: Demo, now: datetime) -> None:
    with open_for_reading(demo.settings) as warehouse:
        row = warehouse.read("plan/last_run")[0]
    _say(
        f"{_clock(now)}  reconcile: {row['tasks_polled']:,} tasks polled with {row['calls_used']:,} calls, {row['tasks_settled']:,} settled, "
        f"{row['notifications_merged']:,} notifications; findings +{row['findings_opened']:,} −{row['findings_resolved']:,} = {row['findings_open']:,} open"
    )


def _show_end(demo: Demo, summary: dict[str, Any], seconds: float) -> None:
    with open_for_reading(demo.settings) as warehouse:
        worst = warehouse.read("plan/worst_findings", row_limit=1)
    job = worst[0]["job"] if worst else next(iter(demo.jobs))
    folder = demo.settings.reports / summary["date"]
    _say(f"\n{summary['verdict']}\nTwo days took {seconds:.0f} s. Look at:")
    _say(f"  {folder / 'index.html'}    the report, beside it one page for each account manager")
    _say(f"  {folder / 'findings.xlsx'}    the same as a workbook")
    _say(f"  {demo.settings.published}    the tables, for analysts")
    prefix = "" if demo.home == Path("var") else f"JOBRECON_HOME={shlex.quote(str(demo.home))} "
    program = "jobrecon" if shutil.which("jobrecon") else shlex.quote(os.path.relpath(sys.argv[0]))
    applications = f"JOBRECON_APPLICATIONS={shlex.quote(str(demo.home / 'applications.toml'))}"
    _say("Try next:")
    _say(f"  {prefix}{program} explain {job}")
    _say(f"  {prefix}{applications} {program} budget")
    _say(f"  {prefix}{program} report --date {(demo.world.now.astimezone(demo.settings.zone) - timedelta(days=1)).date()}")


def _clear_home(home: Path) -> None:
    if home.exists() and any(home.iterdir()):
        if not (home / MARK).is_file():
            raise ConfigurationError(
                f"{home} holds something that is no demo's. Nothing was changed. Give the demo a folder of its own: JOBRECON_HOME=demo jobrecon demo"
            )
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARK).write_text("Everything in this folder is made up. The next `jobrecon demo` removes it.\n", encoding="utf-8")


@contextmanager
def _configured(home: Path, applications: list[SandboxApplication], api_url: str) -> Iterator[Settings]:
    """The environment of a user who configured all this, while the block runs."""
    secrets = home / "secrets"
    secrets.mkdir(mode=0o700)
    entries = []
    for (customer, manager, _), application in zip(CUSTOMERS, applications, strict=True):
        file = secrets / application.client_id
        file.touch(mode=0o600)
        file.write_text(application.client_secrets[0], encoding="utf-8")
        entries.append(
            f'[[applications]]\nurn = "{application.urn}"\nclient_id = "{application.client_id}"\nclient_secrets = ["file:{file.absolute()}"]\n'
            f'customer = "{customer}"\naccount_manager = "{manager}"\naccount_manager_email = "{manager.split()[0].lower()}@example.com"\n'
        )
    (home / "applications.toml").write_text("\n".join(entries), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_"))} | {
        "JOBRECON_HOME": str(home),
        "JOBRECON_APPLICATIONS": str(home / "applications.toml"),
        "JOBRECON_API_URL": api_url,
        "JOBRECON_TOKEN_URL": f"{api_url}/oauth/v2/accessToken",
        "JOBRECON_TIMEZONE": os.environ.get("JOBRECON_TIMEZONE", "UTC"),
        # A Prefect of the demo's own, quiet, that writes down what it did before it ends.
        "PREFECT_HOME": str((home / "prefect").absolute()),
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "DO_NOT_TRACK": "1",
    }
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield load_settings()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _clock(moment: datetime) -> str:
    return f"{moment:%a %d %b %H:%M}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201

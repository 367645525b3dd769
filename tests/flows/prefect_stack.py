"""A real Prefect for the tests: server, work pool, deployments and a worker, each a process, used over its REST API."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))
WAIT_SECONDS = 120
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
T = TypeVar("T")


def wait_for(what: str, read: Callable[[], T | None]) -> T:
    """Call `read` until it returns something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            value = read()
            if value is not None and value is not False:
                return value
        except (httpx.TransportError, FileNotFoundError, json.JSONDecodeError):
            pass
        time.sleep(0.2)
    pytest.fail(f"waited {WAIT_SECONDS} s for {what}")


@dataclass
class FlowRun:
    """A flow run as the server's API describes it."""

    facts: dict[str, Any]
    stack: "PrefectStack" = field(repr=False)

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def state(self) -> tuple[str, str]:
        """Type and name of its state."""
        return self.facts["state"]["type"], self.facts["state"]["name"]

    @property
    def message(self) -> str:
        return str(self.facts["state"]["message"])

    def read_log(self) -> str:
        query = {"logs": {"flow_run_id": {"any_": [self.id]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        return "\n".join(line["message"] for line in self.stack.post("/logs/filter", query))

    def wait_for_log(self, text: str) -> str:
        """The log, once it contains `text`: lines arrive with a delay."""
        return wait_for(f"{text!r} in the log of {self.id}", lambda: log if text in (log := self.read_log()) else None)

    def read_artifacts(self) -> dict[str, dict[str, Any]]:
        found = self.stack.post("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [self.id]}}})
        return {artifact["key"]: artifact for artifact in found}


@dataclass
class PrefectStack:
    """A served Prefect with our deployments, a worker, and the folder the worker runs in."""

    api: httpx.Client
    folder: Path
    worker_log: Path

    def configure(self, **settings: str) -> None:
        """Write the `.env` file of the worker's folder."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")

    def get(self, path: str) -> Any:
        return self._request("GET", path)

    def post(self, path: str, content: Any) -> Any:
        return self._request("POST", path, content)

    def _request(self, method: str, path: str, content: Any = None) -> Any:
        def send() -> httpx.Response | None:
            response = self.api.request(method, path, json=content)
            # The server's SQLite is busy now and then.
            return response if response.status_code != 503 else None

        return wait_for(f"a response to {method} {path}", send).raise_for_status().json()

    def start(self, name: str, at: datetime | None = None) -> FlowRun:
        """Create a run of a deployment, as if scheduled for `at`."""
        deployment = self.get(f"/deployments/name/{name}/{name}")["id"]
        wanted = {
            "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat() if at else None}},
            "idempotency_key": uuid4().hex,
        }
        return FlowRun(self.post(f"/deployments/{deployment}/create_flow_run", wanted), self)

    def wait(self, run: FlowRun) -> FlowRun:
        """The run once it has ended."""

        def read() -> FlowRun | None:
            facts = self.get(f"/flow_runs/{run.id}")
            return FlowRun(facts, self) if facts["state"] and facts["state"]["type"] in ENDED else None

        return wait_for(f"the end of run {run.id}; the worker's log:\n{self.worker_log.read_text(encoding='utf-8')[-3000:]}", read)

    def run(self, name: str, at: datetime | None = None) -> FlowRun:
        """Run a deployment and wait for its end."""
        return self.wait(self.start(name, at))


@contextmanager
def open_prefect_stack(home: Path) -> Iterator[PrefectStack]:
    """Server, pool, deployments and worker as docs/prefect.md starts them, without the settings of this machine's user."""
    port = find_free_port()
    folder = home / "folder"
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "JOBRECON_"))} | {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Runs start when a test starts them.
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5",
    }
    with ExitStack() as stack:
        # The server is stopped last: a client without its server waits for it, for each queued event.
        stack.enter_context(start(home / "server.log", environment, "server", "start", "--port", str(port)))
        api = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}/api", trust_env=False, timeout=30))
        wait_for("the Prefect server", lambda: api.get("/health").is_success)
        run_prefect(environment, "work-pool", "create", "jobrecon", "--type", "process", "--overwrite")
        worker_environment = environment | {"PROJECT_ROOT": str(folder)}
        stack.enter_context(start(home / "worker.log", worker_environment, "worker", "start", "--pool", "jobrecon", "--name", "test"))
        run_prefect(environment, "--no-prompt", "deploy", "--all")
        yield PrefectStack(api, folder, home / "worker.log")


def run_prefect(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([PREFECT, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 0, f"prefect {' '.join(arguments)}:\n{done.stdout}{done.stderr}"


@contextmanager
def start(log: Path, environment: dict[str, str], *arguments: str) -> Iterator[None]:
    """A `prefect` process, ended with the block; a worker takes its runs with it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PREFECT, *arguments], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

"""Flow runs over the API of Prefect's server."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
T = TypeVar("T")


@dataclass(frozen=True)
class FlowRun:
    """A flow run as the server describes it."""

    facts: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def state(self) -> str:
        """The name of its state: Completed, Incomplete, Crashed …"""
        return str((self.facts.get("state") or {}).get("name"))

    @property
    def has_ended(self) -> bool:
        return (self.facts.get("state") or {}).get("type") in ENDED

    @property
    def message(self) -> str:
        return str((self.facts.get("state") or {}).get("message"))

    @property
    def created(self) -> datetime:
        return datetime.fromisoformat(self.facts["created"]).astimezone(UTC)

    @property
    def started_by(self) -> str:
        """SCHEDULE, AUTOMATION, or nothing where it was started over the API."""
        return str((self.facts.get("created_by") or {}).get("type"))


class Prefect:
    """A Prefect server."""

    def __init__(self, address: str) -> None:
        self._api = httpx.Client(base_url=f"{address}/api", trust_env=False, timeout=30)

    def start(self, deployment: str) -> FlowRun:
        """Start a run of `flow/deployment` now."""
        found = self._send("GET", f"/deployments/name/{deployment}")
        return FlowRun(self._send("POST", f"/deployments/{found['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}}))

    def read(self, run: FlowRun) -> FlowRun:
        return FlowRun(self._send("GET", f"/flow_runs/{run.id}"))

    def wait(self, run: FlowRun) -> FlowRun:
        """The run once it has ended."""

        def read() -> FlowRun | None:
            current = self.read(run)
            return current if current.has_ended else None

        return wait_until(f"the end of flow run {run.facts['name']}", read)

    def list_runs(self, flow: str) -> list[FlowRun]:
        """The runs of a flow, the oldest first."""
        query = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_ASC", "limit": 200}
        return sorted(map(FlowRun, self._send("POST", "/flow_runs/filter", query)), key=lambda run: run.created)

    def wait_for_gather(self, since: datetime, state: str) -> FlowRun:
        """The run of `gather` that an automation started after `since`, once it has ended as `state`."""

        def read() -> FlowRun | None:
            runs = [run for run in self.list_runs("gather") if run.created > since and run.state == state]
            return runs[-1] if runs else None

        return wait_until(f"a run of gather that ends as {state}", read)

    def wait_for_all(self) -> None:
        """Until no run is left that goes on or waits."""

        def read() -> bool | None:
            runs = [FlowRun(facts) for facts in self._send("POST", "/flow_runs/filter", {"limit": 200})]
            return True if all(run.has_ended for run in runs) else None

        wait_until("the end of all flow runs", read)

    def _send(self, method: str, path: str, content: Any = None) -> Any:
        def send() -> httpx.Response | None:
            response = self._api.request(method, path, json=content)
            # A busy server says so now and then.
            return response if response.status_code != 503 else None

        return wait_until(f"a response to {method} {path}", send).raise_for_status().json()


def wait_until(what: str, read: Callable[[], T | None], seconds: float = 400) -> T:
    """Call `read` until it returns something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if (value := read()) is not None:
                return value
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise RuntimeError(f"waited {seconds:.0f} s for {what}")

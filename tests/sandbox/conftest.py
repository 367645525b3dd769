"""A sandbox served for real on loopback, and a partner that calls it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from jobrecon.sandbox import FaultInjection, SandboxApplication, World, create_app
from jobrecon.webhook.server import serve_in_thread

ACME = "urn:li:developerApplication:1001"
BOLT = "urn:li:developerApplication:1002"
START = datetime(2025, 5, 5, 8, 0, tzinfo=UTC)


def make_world(**options: Any) -> World:
    applications = [SandboxApplication(ACME, "78acme", ["acme-new", "acme-old"]), SandboxApplication(BOLT, "78bolt", ["bolt-secret"])]
    return World(applications, options.pop("start", START), **options)


PARENT = SandboxApplication("urn:li:developerApplication:1000", "78parent", ["parent-secret"])
DESCRIPTION = "Cooks for up to two hundred guests a day in a team of twelve. " * 3


def posting(external_id: str, operation: str = "CREATE", **more: Any) -> dict[str, Any]:
    """An element of a batch create with every mandatory field; a None leaves one out."""
    element = {
        "externalJobPostingId": external_id,
        "jobPostingOperationType": operation,
        "title": "Cook",
        "description": DESCRIPTION,
        "location": "Köln, Germany",
        "listedAt": int(START.timestamp() * 1000),
        "companyApplyUrl": "https://example.com/apply",
    }
    return {name: value for name, value in (element | more).items() if value is not None}


class Partner:
    """A client of the sandbox: requests of a partner's system, and the control endpoints."""

    def __init__(self, url: str, world: World, client: httpx.Client) -> None:
        self.url = url
        self.world = world
        self.client = client
        self.tokens: dict[str, str] = {}

    def request_token(self, **form: str) -> httpx.Response:
        full = {"grant_type": "client_credentials", "client_id": "78acme", "client_secret": "acme-new"} | form
        return self.client.post("/oauth/v2/accessToken", data={name: value for name, value in full.items() if value})

    def headers(self, application: str = ACME) -> dict[str, str]:
        if application not in self.tokens:
            form = {} if application == ACME else {"client_id": "78bolt", "client_secret": "bolt-secret"}
            self.tokens[application] = self.request_token(**form).json()["access_token"]
        return {"Authorization": f"Bearer {self.tokens[application]}"}

    def post(self, elements: Any, application: str = ACME) -> httpx.Response:
        headers = self.headers(application) | {"X-Restli-Method": "batch_create"}
        return self.client.post("/v2/simpleJobPostings", json={"elements": elements}, headers=headers)

    def submit(self, external_id: str, operation: str = "CREATE", application: str = ACME, **more: Any) -> str:
        response = self.post([posting(external_id, operation, **more)], application)
        return str(response.json()["elements"][0]["id"])

    def submit_many(self, count: int, operation: str = "CREATE", prefix: str = "job") -> list[str]:
        urns: list[str] = []
        for start in range(0, count, 100):
            elements = [posting(f"{prefix}-{number}", operation) for number in range(start, min(start + 100, count))]
            urns += [element["id"] for element in self.post(elements).json()["elements"]]
        return urns

    def list_job(self, external_id: str, **more: Any) -> dict[str, Any]:
        """Post a job, again under another id where chance fails it, until LinkedIn lists it; returns its status record."""
        for attempt in range(20):
            self.submit(f"{external_id}-{attempt}", **more)
            self.advance(hours=2)
            record = self.get_status(f"{external_id}-{attempt}")
            if record is not None and record["listingStatus"] == "LISTED":
                return record
        raise AssertionError("no job was listed")

    def get_status(self, external_id: str) -> dict[str, Any] | None:
        """The record of one job; None where LinkedIn knows no such job."""
        response = self.client.get(f"/v2/jobPostingStatus/{quote(external_id, safe='')}", headers=self.headers())
        return dict(response.json()) if response.status_code == 200 else None

    def get_tasks(self, urns: list[str], application: str = ACME, path: str = "/v2/simpleJobPostingTasks") -> httpx.Response:
        query = "&".join(f"ids={urn}" for urn in urns)
        return self.client.get(f"{path}?{query}", headers=self.headers(application))

    def tunnel(self, query: str | bytes, path: str = "/v2/simpleJobPostingTasks", **headers: str) -> httpx.Response:
        tunneled = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"} | headers
        return self.client.post(path, content=query, headers=self.headers() | tunneled)

    def results(self, urns: list[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(urns), 100):
            found |= self.tunnel("&".join(f"ids={urn}" for urn in urns[start : start + 100])).json()["results"]
        return found

    def advance(self, **duration: float) -> None:
        seconds = duration.get("seconds", 0) + 3600 * duration.get("hours", 0) + 86_400 * duration.get("days", 0)
        assert self.client.post("/control/clock", json={"advance_seconds": seconds}).status_code == 200
        if seconds >= 1800:
            self.tokens.clear()

    def inject_faults(self, **settings: Any) -> None:
        assert self.client.post("/control/faults", json=settings).status_code == 200

    def state(self, application: str = ACME) -> dict[str, Any]:
        described: dict[str, Any] = self.client.get("/control/state").json()["applications"][application]
        return described


ServeSandbox = Callable[..., Partner]


@contextmanager
def open_partner(**options: Any) -> Iterator[Partner]:
    world = make_world(**options)
    # A kept-alive connection would wait 40 ms for each response: Nagle's algorithm against delayed acknowledgements.
    limits = httpx.Limits(max_keepalive_connections=0)
    with serve_in_thread(create_app(world)) as url, httpx.Client(base_url=url, trust_env=False, timeout=30, limits=limits) as client:
        yield Partner(url, world, client)


@pytest.fixture
def serve_sandbox() -> Iterator[ServeSandbox]:
    """Serves a new world with the options given; ends with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(open_partner(**options))


@pytest.fixture
def partner(serve_sandbox: ServeSandbox) -> Partner:
    """A partner of a new sandbox without faults."""
    return serve_sandbox(faults=FaultInjection())


@pytest.fixture(scope="module")
def shared_partner() -> Iterator[Partner]:
    """A partner shared by the tests of a module that leave nothing behind."""
    with open_partner() as partner:
        yield partner

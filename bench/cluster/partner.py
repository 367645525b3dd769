"""The partner and LinkedIn's side: jobs are posted, notifications sent to both receivers, and it is kept which were acknowledged."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import orjson

from jobrecon.sandbox.webhooks import sign_body

SHARDS = {1001: "", 1002: "b"}
JOBS = 120
CALL_LIMIT = 100
JOB = {
    "jobPostingOperationType": "CREATE",
    "title": "Cook",
    "location": "Oslo, Norway",
    "description": "You cook for two hundred guests a day, in a team of twelve, in shifts that are planned a month ahead.",
    "listedAt": 1746458138000,
    "companyApplyUrl": "https://jobs.example.com/1",
}


def urn(number: int) -> str:
    return f"urn:li:developerApplication:{number}"


def write_applications(file: Path) -> None:
    """One customer in the default shard, one in shard b."""
    file.write_text(
        "".join(
            f'[[applications]]\nurn = "{urn(number)}"\nclient_id = "c{number}"\nclient_secrets = ["env:SECRET_{number}"]\n'
            f'customer = "Customer {number}"\naccount_manager = "Dana Fox"\ndaily_call_limit = {CALL_LIMIT}\n'
            + (f'shard = "{shard}"\n' if shard else "")
            for number, shard in SHARDS.items()
        ),
        encoding="utf-8",
    )


def post_jobs(linkedin: str, file: Path) -> None:
    """Jobs of all customers on LinkedIn; `file` becomes the list of their tasks."""
    with httpx.Client(base_url=linkedin, timeout=60, trust_env=False) as api:
        for number in SHARDS:
            form = {"grant_type": "client_credentials", "client_id": f"c{number}", "client_secret": f"secret-{number}"}
            token = api.post("/oauth/v2/accessToken", data=form).raise_for_status().json()["access_token"]
            elements = [JOB | {"externalJobPostingId": f"job-{number}-{job}"} for job in range(JOBS)]
            headers = {"Authorization": f"Bearer {token}", "X-Restli-Method": "batch_create"}
            for first in range(0, JOBS, 100):
                api.post("/v2/simpleJobPostings", headers=headers, json={"elements": elements[first : first + 100]}).raise_for_status()
        file.write_bytes(api.get("/control/tasks").raise_for_status().content)


def read_calls(linkedin: str) -> dict[str, int]:
    """How often LinkedIn was called, by application."""
    state = httpx.get(f"{linkedin}/control/state", trust_env=False, timeout=30).json()
    return {name: int(each["calls_total"]) for name, each in state["applications"].items()}


class Sender(threading.Thread):
    """LinkedIn's notifications: each about another job, to the receivers in turn; a body that got no 200 is not sent again."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[str] = set()
        self.failed = 0
        self._ports = ports
        self._is_ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            count = 0
            while not self._is_ended.is_set():
                number, port = 1001 + count % 2, self._ports[count // 2 % len(self._ports)]
                job = f"job-{number}-{count}" if count < 2 * JOBS else f"job-{number}-later-{count}"
                if self._send(client, port, number, job):
                    self.acknowledged.add(job)
                else:
                    self.failed += 1
                count += 1
                time.sleep(0.1)

    def end(self) -> None:
        self._is_ended.set()
        if self.is_alive():
            self.join()

    def _send(self, client: httpx.Client, port: int, number: int, job: str) -> bool:
        content: dict[str, Any] = {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": urn(number), "externalJobPostingId": job}
        body = orjson.dumps(content | {"listingStatus": "LISTED"})
        headers = {"Content-Type": "application/json", "X-LI-Signature": sign_body(f"secret-{number}", body)}
        with contextlib.suppress(httpx.HTTPError):
            return client.post(f"http://127.0.0.1:{port}/webhook", content=body, headers=headers).status_code == 200
        return False

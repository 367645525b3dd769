"""The partner's system of the demo: customers with jobs, posted to the fake LinkedIn."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from jobrecon.errors import JobreconError
from jobrecon.ingest import import_tasks
from jobrecon.sandbox import World
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published, open_warehouse

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
LOCATIONS = ("Oslo, Norway", "Köln, Nordrhein-Westfalen, Germany", "Austin, Texas, United States", "Lyon, France", "Utrecht, Netherlands")


DESCRIPTION = (
    "You work in a team of twelve, in shifts that are planned a month ahead. We offer a contract without term, training in the first"
    " weeks, and a ticket for the way to work. Applications in any form are welcome."
)
SHORT_LIVED, PREMIUM = 0.03, 0.05
"""Of the jobs posted: those that expire within the next days, and those paid for."""


class Partner:
    """Sends requests as an applicant tracking system would, and imports the task URNs it gets."""

    def __init__(self, home: Path, settings: Settings, world: World, api: httpx.Client, rng: random.Random) -> None:
        self.home = home
        self.settings = settings
        self.world = world
        self.api = api
        self.rng = rng
        self.jobs: dict[str, dict[str, Any]] = {}
        """Jobs by id: application, title, location."""

    def send(self, operation: str, count: int) -> int:
        """Send requests, write the task URNs to a file and import it; returns the number of tasks."""
        tasks: list[dict[str, Any]] = []
        requests = self._choose(operation, count)
        for index in range(len(CUSTOMERS)):
            urn = f"urn:li:developerApplication:{1001 + index}"
            elements = [request for request in requests if self.jobs[request["externalJobPostingId"]]["application_urn"] == urn]
            if not elements:
                continue
            form = {
                "grant_type": "client_credentials",
                "client_id": f"demo{index + 1}",
                "client_secret": self.world.applications[urn].application.client_secrets[0],
            }
            token = self.api.post("/oauth/v2/accessToken", data=form).raise_for_status().json()["access_token"]
            headers = {"Authorization": f"Bearer {token}", "X-Restli-Method": "batch_create"}
            for start in range(0, len(elements), 100):
                part = elements[start : start + 100]
                response = _post_until_accepted(self.api, headers, part)
                for element, result in zip(part, response["elements"], strict=True):
                    if "id" in result:
                        tasks.append(
                            {
                                "task_urn": result["id"],
                                "external_job_posting_id": element["externalJobPostingId"],
                                "operation": element["jobPostingOperationType"],
                                "requested_at": self.world.now.isoformat(),
                                "application_urn": urn,
                                "title": element["title"],
                            }
                        )
        file = self.home / "tasks" / f"{self.world.now:%Y-%m-%dT%H%M}-{operation.lower()}.ndjson"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
        with open_warehouse(self.settings) as warehouse:
            import_tasks(warehouse, file, self.settings.load_applications(), self.world.now)
        return len(tasks)

    def _choose(self, operation: str, count: int) -> list[dict[str, Any]]:
        if operation == "CREATE":
            chosen = []
            for _ in range(count):
                index = self.rng.choices(range(len(CUSTOMERS)), [share for *_, share in CUSTOMERS])[0]
                job = f"{CUSTOMERS[index][0].split()[0].lower()}-{len(self.jobs) + 1:04}"
                title, location = self.rng.choice(TITLES), self.rng.choice(LOCATIONS)
                self.jobs[job] = {"application_urn": f"urn:li:developerApplication:{1001 + index}", "title": title, "location": location}
                chosen.append(job)
            requests = [(job, operation) for job in chosen]
        elif operation == "REMEDIES":
            requests = self._read_remedies()[::2]
        else:
            requests = [(job, operation) for job in self.rng.sample(sorted(self.jobs), count)]
        return [
            {
                "externalJobPostingId": job,
                "jobPostingOperationType": operation,
                "title": self.jobs[job]["title"],
                "location": self.jobs[job]["location"],
                "alternateLocations": ["Bergen, Norway"] if operation == "CREATE" and self.rng.random() < 0.01 else [],
                "description": DESCRIPTION,
                "companyApplyUrl": f"https://jobs.example.com/{job}",
                "listedAt": int(self.world.now.timestamp() * 1000),
                **(self._choose_listing() if operation == "CREATE" else {}),
            }
            for job, operation in requests
        ]

    def _read_remedies(self) -> list[tuple[str, str]]:
        """What the published copy says is to be sent now: job and operation, one a job."""
        with open_published(self.settings) as warehouse:
            rows = warehouse.connection.execute(
                "select external_job_posting_id, any_value(remedy order by remedy) from remedies where not_before <= ? group by all order by all",
                [self.world.now],
            ).fetchall()
        return [(job, remedy) for job, remedy in rows if job in self.jobs]

    def _choose_listing(self) -> dict[str, Any]:
        listing: dict[str, Any] = {"listingType": "PREMIUM"} if self.rng.random() < PREMIUM else {}
        if self.rng.random() < SHORT_LIVED:
            listing["expireAt"] = int((self.world.now + timedelta(days=self.rng.uniform(2.5, 4.5))).timestamp() * 1000)
        return listing


def _post_until_accepted(api: httpx.Client, headers: dict[str, str], elements: list[dict[str, Any]]) -> Any:
    for _ in range(10):
        response = api.post("/v2/simpleJobPostings", headers=headers, json={"elements": elements})
        if response.status_code == 200:
            return response.json()
    raise JobreconError(f"The fake LinkedIn did not accept the demo's jobs: HTTP {response.status_code}.")

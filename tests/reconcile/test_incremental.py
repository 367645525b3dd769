"""A run examines only what changed, and leaves what a rebuild from nothing leaves: random worlds live many runs, and are compared after each."""

import random
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from jobrecon.applications import Application, Applications
from jobrecon.ingest.result import ImportResult
from jobrecon.ingest.staging import stage_rows
from jobrecon.ingest.tasks import merge_tasks
from jobrecon.linkedin.responses import Outcome, TaskResponse
from jobrecon.reconcile.catalog import load_catalog
from jobrecon.reconcile.checks import merge_checks
from jobrecon.reconcile.findings import find_suspicious
from jobrecon.reconcile.run import Reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.reconcile.verify import compare
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from jobrecon.warehouse.duckdb_file import connect
from tests.findings.rows import NOW, deliver, delivery, merge_responses, read

TICKS = 50
URNS = [f"urn:li:developerApplication:{number}" for number in (1, 2, 3)]
LATE_HEARD = URNS[2]
"""An application of which LinkedIn says nothing for half of the time."""
STATUSES = ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "FAILED", "PROCESSED", "IN_PROGRESS"]
MESSAGES = [None, "Job has an invalid location", "a text nobody has seen"]
LISTINGS = ["LISTED", "LISTED", "NOT_LISTED", "IN_PROGRESS", None]


class Killed(BaseException):
    """The process ends here."""


class MortalWarehouse(Warehouse):
    """A warehouse whose process is killed before one of its statements."""

    statements_left = -1

    def _execute(
        self, text: str, staged: Mapping[str, pa.Table] | None, values: Mapping[str, Any], fetch: Any = duckdb.DuckDBPyConnection.fetchall
    ) -> Any:
        self.statements_left -= 1
        if self.statements_left == 0:
            raise Killed
        return super()._execute(text, staged, values, fetch)


class World:
    """A partner's installation: what happens in it is drawn from a seed."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.chance = random.Random(seed)
        self.chance_of_runs = random.Random(seed)
        """Of how a run works, apart from what happens."""
        self.now = NOW
        self.tick = 0
        self.settings = settings.model_copy(update={"task_lifespan_days": 2, "checks": False})
        self.applications = [Application(urn, "client", [], f"Customer {urn[-1]}") for urn in URNS]
        self.unseen: set[str] = set()
        self.unseen_facets: set[str] = set()
        self.counter = 0
        with open_warehouse(self.settings) as warehouse:
            load_catalog(warehouse)

    @contextmanager
    def open(self, statements_left: int = -1) -> Iterator[Warehouse]:
        """The warehouse as a new process finds it, killed before one of its statements."""
        warehouse = MortalWarehouse(connect(Path(self.settings.warehouse)), self.settings)
        # So few rows gain nothing by a second thread.
        warehouse.connection.execute("set threads = 1")
        warehouse.statements_left = statements_left
        with closing(warehouse.connection), suppress(Killed):
            yield warehouse

    def pick_job(self) -> tuple[str, str]:
        return self.chance.choice(URNS), f"job-{self.chance.randrange(16)}"

    def pick_moment(self) -> datetime:
        """Mostly lately, now and then late or ahead."""
        kind = self.chance.random()
        if kind < 0.15:
            return self.now + timedelta(minutes=self.chance.randrange(1, 3000))
        if kind < 0.35:
            return self.now - timedelta(hours=self.chance.randrange(1, 300))
        return self.now - timedelta(minutes=self.chance.randrange(0, 200))

    def import_tasks(self, warehouse: Warehouse) -> None:
        rows: list[Any] = []
        for _ in range(self.chance.randrange(1, 4)):
            self.counter += 1
            urn, job = self.pick_job()
            values = {
                "task_urn": f"urn:li:simpleJobPostingTask:{self.counter}",
                "application_urn": urn,
                "external_job_posting_id": job,
                "operation": self.chance.choice(["CREATE", "CREATE", "UPDATE", "RENEW", "CLOSE"]),
                "requested_at": min(self.pick_moment(), self.now + timedelta(hours=20)).isoformat(),
                "location": self.chance.choice([None, None, None, "Oslo"]),
            }
            rows.append((self.counter, values, None, None))
        merge_tasks(warehouse, ImportResult("test"), stage_rows("test", rows), Applications(self.applications), self.now)

    def poll(self, warehouse: Warehouse) -> None:
        pending = read(warehouse, "select * from job_tasks where state = 'PENDING' order by task_urn")
        for task in self.chance.sample(pending, min(len(pending), self.chance.randrange(1, 4))):
            if task["application_urn"] in self.unseen or task["requested_at"] > self.now:
                continue
            status = self.chance.choice(STATUSES)
            message = self.chance.choice(MESSAGES) if status in ("FAILED", "PROCESSED") else None
            outcome = self.chance.choice([Outcome.RECEIVED] * 8 + [Outcome.INVALID_URN, Outcome.NOT_FOUND])
            response = TaskResponse(task["task_urn"], outcome)
            if outcome == Outcome.RECEIVED:
                response = response._replace(
                    status=status, error_message=message, job_posting_urn=self.chance.choice([None, "urn:li:jobPosting:7"])
                )
            batch = [response]
            if self.chance.random() < 0.15:
                self.counter += 1
                batch.append(
                    TaskResponse(
                        f"urn:li:simpleJobPostingTask:{self.counter}",
                        Outcome.RECEIVED,
                        status="SUCCEEDED",
                        external_job_posting_id=task["external_job_posting_id"],
                        location="Bergen",
                        is_requested=False,
                    )
                )
            merge_responses(warehouse, batch, as_of=self.now, application_urn=task["application_urn"])

    def notify(self, warehouse: Warehouse) -> None:
        rows = []
        for _ in range(self.chance.randrange(1, 3)):
            urn, job = self.pick_job()
            if urn == LATE_HEARD and self.tick < TICKS // 2:
                continue
            body: dict[str, Any] = {"listingStatus": self.chance.choice(LISTINGS)}
            if self.chance.random() < 0.3:
                body["listingStatusDetail"] = {
                    "statusMessage": self.chance.choice(["INVALID_LOCATION: no", "PENDING_CUSTOMER_MIGRATION: wait"])
                }
            if self.chance.random() < 0.4:
                body["linkedInApplyStatus"] = self.chance.choice(["ENABLED", "NOT_ENABLED", "IN_PROGRESS"])
            if self.chance.random() < 0.3:
                body["promotionStatus"] = self.chance.choice(["PROMOTED", "NOT_PROMOTED"])
            if self.chance.random() < 0.5:
                body["jobPostingInfo"] = {
                    "expireAt": round((self.now + timedelta(hours=self.chance.randrange(-5, 200))).timestamp() * 1000)
                }
            rows.append(delivery(self.pick_moment(), developerApplicationUrn=urn, externalJobPostingId=job, **body))
            if self.chance.random() < 0.3:
                rows.append(delivery(self.pick_moment(), developerApplicationUrn=urn, externalJobPostingId=job, **body))
        if rows:
            deliver(warehouse, *rows)

    def request_again(self, warehouse: Warehouse) -> None:
        urn, job = self.pick_job()
        if urn != LATE_HEARD:
            named = [job] if self.chance.random() < 0.7 else []
            body: dict[str, Any] = {
                "type": "RESYNC_JOBS",
                "developerApplicationUrn": urn,
                "externalJobPostingIds": named,
                "externalJobPostingId": None,
            }
            deliver(warehouse, delivery(self.pick_moment(), **body))

    def check(self, warehouse: Warehouse) -> None:
        rows = []
        for urn, job in sorted({self.pick_job() for _ in range(2)}):
            if urn != LATE_HEARD or self.tick > TICKS // 2:
                is_known = self.chance.random() < 0.8
                payload = f'{{"listingStatus": "{self.chance.choice(LISTINGS[:4])}"}}' if is_known else None
                rows.append({"application_urn": urn, "external_job_posting_id": job, "is_known": is_known, "payload": payload})
        if rows:
            merge_checks(warehouse, rows, self.now)

    def rename(self, _: Warehouse) -> None:
        number = self.chance.randrange(len(self.applications))
        application = self.applications[number]
        change = {"customer": f"Customer {self.tick}"} if self.chance.random() < 0.5 else {"is_retired": not application.is_retired}
        self.applications[number] = Application(**(vars(application) | change))

    def hide(self, _: Warehouse) -> None:
        self.unseen = set(self.chance.sample(URNS, 1)) if self.chance.random() < 0.7 else set()
        self.unseen_facets = {"LISTING", "APPLY", "PROMOTION", "WEBHOOK"} if self.chance.random() < 0.3 else set()

    def set_rules(self, warehouse: Warehouse) -> None:
        """Other settings, or a warehouse as another version of the program left it."""
        if self.chance.random() < 0.5:
            self.settings = self.settings.model_copy(
                update={
                    "stuck_after": self.chance.choice([3600, 7200]),
                    "unconfirmed_after": self.chance.choice([86_400, 40_000]),
                    "expiring_within": self.chance.choice([259_200, 100_000]),
                }
            )
        else:
            warehouse.connection.execute(
                "update findings set reason = 'as another version says it', severity = 'LOW' where resolved_at is null"
            )
            warehouse.connection.execute("update warehouse_info set value = 'another version' where name = 'rules'")

    def happen(self, warehouse: Warehouse) -> None:
        events = [self.import_tasks, self.poll, self.poll, self.notify, self.check, self.request_again]
        for event in self.chance.sample(events, self.chance.choice([0, 1, 1, 2, 3])):
            event(warehouse)
        for rare_event, likelihood in ((self.rename, 0.1), (self.hide, 0.25), (self.set_rules, 0.06)):
            if self.chance.random() < likelihood:
                rare_event(warehouse)

    def run(self, warehouse: Warehouse) -> RunSummary:
        """A run without LinkedIn and without the landing database."""
        summary = RunSummary(run_id=f"run-{self.tick}", as_of=self.now, started_at=self.now)
        run = Reconciliation(warehouse, self.settings, Applications(self.applications), None, summary, lambda: self.now)
        run.unseen_applications = dict.fromkeys(self.unseen, "could not be polled")
        run.unseen_facets = set(self.unseen_facets)
        run.slice_jobs = self.chance_of_runs.choice([5, 200_000])
        run.pull()
        if self.chance_of_runs.random() < 0.5:
            # As a run that checks and finds no job to check: what that derived is not derived again.
            run.derived = find_suspicious(warehouse, self.settings, self.now, self.unseen_facets, run.slice_jobs)
        run.update_findings()
        return summary

    def live(self) -> RunSummary:
        """One tick: things happen, a run is perhaps killed, and one ends."""
        self.tick += 1
        self.now += timedelta(minutes=self.chance.choice([0, 10, 10, 30, 60, 300, 1440]))
        with self.open() as warehouse:
            self.happen(warehouse)
        if self.chance.random() < 0.3:
            with self.open(statements_left=self.chance.randrange(1, 70)) as warehouse:
                self.run(warehouse)
        with self.open() as warehouse:
            return self.run(warehouse)

    def list_differences(self) -> list[str]:
        """What differs from a rebuild from nothing; jobs that are touched, and findings not seen, though everything could be."""
        unseen = {"urns": sorted(self.unseen), "facets": sorted(self.unseen_facets)}
        run = {"as_of": self.now, "failed_applications": "\n".join(unseen["urns"]), "unseen_facets": "\n".join(unseen["facets"])}
        with self.open() as warehouse:
            lines = [f"touched_jobs: {row}" for row in read(warehouse, TOUCHED, **unseen)]
            lines += [f"findings: {row} was not seen" for row in read(warehouse, NOT_SEEN, **unseen, now=self.now)]
            return lines + compare(warehouse, run).lines


TOUCHED = """
select *
from touched_jobs
anti join (
    select *
    from findings
    where resolved_at is null and (list_contains($urns, application_urn) or list_contains($facets, facet))
) using (application_urn, external_job_posting_id)
"""
NOT_SEEN = """
select finding_key
from findings
where
    resolved_at is null
    and last_seen_at != $now
    and not (list_contains($urns::varchar[], application_urn) or list_contains($facets::varchar[], facet))
"""


@pytest.mark.parametrize("seed", [4])
def test_after_each_run_everything_is_as_if_it_had_been_worked_out_from_nothing(tmp_path: Path, seed: int) -> None:
    world = World(Settings(home=tmp_path, applications=tmp_path / "applications.toml"), seed)
    touched = []
    for _ in range(TICKS):
        touched.append(world.live().jobs_touched)
        assert world.list_differences() == [], (world.tick, world.now)
    with world.open() as warehouse:
        kinds = read(warehouse, "select distinct kind, facet from findings")
    assert len(kinds) >= 10
    assert sorted(touched)[TICKS // 2] < 16, "half of the runs examine few of the 48 jobs"

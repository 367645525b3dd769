"""Checks: the posting status of jobs about which findings would open, and of all listed jobs once a day."""

import asyncio
import math
from collections.abc import Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from jobrecon.applications import Application
from jobrecon.clock import Clock
from jobrecon.errors import AccessDenied, JobreconError, WarehouseError
from jobrecon.ingest.notifications import define_status_fields
from jobrecon.linkedin.batches import MAX_IDS
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.ledger import POSTING_STATUS, read_ledger
from jobrecon.linkedin.posting_status import PostingStatus, PostingStatusClient
from jobrecon.reconcile.allowance import count_allowed_calls
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage

MERGE_ROWS = 50_000
"""Responses merged at once."""


class Checker:
    """One run's checks, all applications concurrently, within an allowance of each application's daily calls.

    An error of one application is recorded in `notes` and stops no other.
    """

    def __init__(self, warehouse: Warehouse, settings: Settings, engine: Engine, as_of: datetime, clock: Clock) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.engine = engine
        self.as_of = as_of
        self.clock = clock
        self.jobs_checked = 0
        self.calls_used = 0
        self.calls_left = 0
        self.notes: dict[str, str] = {}
        """Why jobs of an application were not checked."""
        self._rows: list[dict[str, Any]] = []
        self._lock = asyncio.Lock()

    def list_accessible(self, applications: Iterable[Application]) -> list[Application]:
        """The applications without those that LinkedIn denied access to the resource within the last day."""
        denied = {
            row["application_urn"]: row["denied_until"]
            for row in read_ledger(self.engine, since=self.clock().date() - timedelta(days=1))
            if row["resource"] == POSTING_STATUS and row["denied_until"] and row["denied_until"] > self.clock()
        }
        for urn, until in denied.items():
            self.notes[urn] = f"{urn} has no access to {POSTING_STATUS}: its jobs are not checked until {until:%Y-%m-%d %H:%M} UTC."
        return [application for application in applications if application.urn not in denied]

    async def check(self, applications: Iterable[Application], since_last_run: timedelta, job: str | None = None) -> None:
        """Check what is due, or only `job`; merged and committed on return. Runs after `find_suspicious`."""
        listed = dict(self.warehouse.run("checks/select_listed_counts"))
        # The daily check of listed jobs is spread over the day: as many as fall to the time since the last run.
        part = since_last_run.total_seconds() / self.settings.check_every
        async with HttpClient() as http:
            clients = [PostingStatusClient(each, self.settings, self.engine, http, self.clock) for each in applications]
            allowances = [self._count_allowed_calls(client) for client in clients]
            due = [
                self._select_due(client.application.urn, math.ceil(listed.get(client.application.urn, 0) * part), calls * MAX_IDS, job)
                for client, calls in zip(clients, allowances, strict=True)
            ]
            with self.warehouse.single_threaded() as cursor:
                await asyncio.gather(*(self._check_jobs(*each, cursor) for each in zip(clients, due, allowances, strict=True)))
                await self._merge(cursor)

    def _count_allowed_calls(self, client: PostingStatusClient) -> int:
        ledger = client.ledger
        left = ledger.count_left()
        if not left:
            self.notes[client.application.urn] = (
                f"{client.application.urn} used up its calls to {POSTING_STATUS} for the day: jobs are checked again from 00:00 UTC on."
            )
        return count_allowed_calls(left, ledger.call_limit, ledger.clock(), self.settings.tick_seconds, self.settings.call_reserve)

    async def _check_jobs(self, client: PostingStatusClient, ids: list[str], max_calls: int, cursor: Warehouse) -> None:
        urn, ledger = client.application.urn, client.ledger
        try:
            async with aclosing(client.fetch(ids, max_calls)) as responses:
                async for statuses in responses:
                    await self._add(urn, statuses, cursor)
        except WarehouseError:
            raise
        except AccessDenied as error:
            self.notes[urn] = str(error)
        except JobreconError as error:
            self.notes[urn] = f"Not all jobs of {urn} could be checked, findings rest on what else is known: {error}"
        self.calls_used += ledger.calls_used
        self.calls_left += await asyncio.to_thread(ledger.count_left)

    def _select_due(self, application_urn: str, sweep_limit: int, id_limit: int, job: str | None) -> list[str]:
        return self.warehouse.column(
            "checks/select_due_checks",
            application_urn=application_urn,
            as_of=self.as_of,
            lifespan_seconds=self.settings.task_lifespan_days * 86_400,
            check_every=self.settings.check_every,
            sweep_limit=sweep_limit,
            id_limit=id_limit,
            job=job,
        )

    async def _add(self, application_urn: str, statuses: list[PostingStatus], cursor: Warehouse) -> None:
        self._rows += [
            {
                "application_urn": application_urn,
                "external_job_posting_id": status.external_job_posting_id,
                "is_known": status.is_known,
                "payload": status.record and status.record.decode(),
            }
            for status in statuses
        ]
        if len(self._rows) >= MERGE_ROWS and not self._lock.locked():
            await self._merge(cursor)

    async def _merge(self, cursor: Warehouse) -> None:
        async with self._lock:
            rows, self._rows = self._rows, []
            if rows:
                await asyncio.to_thread(merge_checks, cursor, rows, self.as_of)
                self.jobs_checked += len(rows)


def merge_checks(warehouse: Warehouse, rows: list[dict[str, Any]], as_of: datetime) -> None:
    """Merge responses into `posting_checks`: one equal to the job's newest check dates that one, another is a new row."""
    staged = stage("staged_checks", rows)
    with warehouse.transaction():
        warehouse.touch("touched/insert_checked_jobs", staged)
        define_status_fields(warehouse)
        warehouse.run("checks/update_posting_checks", staged, as_of=as_of)
        warehouse.run("checks/insert_posting_checks", staged, as_of=as_of)

"""The sandbox's world: applications, tasks, jobs and its own clock. Pure: it does no I/O and reads no other clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from jobrecon.sandbox import messages, rates
from jobrecon.sandbox.applications import POSTING_STATUS, TASKS, ApplicationState, SandboxApplication
from jobrecon.sandbox.faults import FaultInjection, FaultInjector
from jobrecon.sandbox.jobs import LISTED, NOT_LISTED, Content, Job, notification_body, resync_body
from jobrecon.sandbox.lifecycle import ChallengeDue, Delivery, JobChanged, JobExpires, Schedule, TaskSettled, plan_lifecycle
from jobrecon.sandbox.rates import SeededRandom
from jobrecon.sandbox.tasks import FAILED, PROCESSED, Task, decide_other_location, decide_task

POSTING_STATUS_CALL_LIMIT = 1_000_000
FIRST_POSTING_NUMBER = 3_900_000_000
GROUP_SECONDS = 60
FIRST_CHALLENGE_SECONDS = 60
CHALLENGE_INTERVAL_SECONDS = 7200
RETRY_SECONDS = (60, 300, 1800, 7200)

Due = Delivery | ChallengeDue


class World:
    """LinkedIn's side for some applications.

    Everything follows from `seed` and the requests, their order and times: the same requests at the same times get the same
    task URNs, outcomes and notifications. The clock stands still unless it is moved, or, where `ticking`, moved with real time
    by the application that serves the world.
    """

    def __init__(
        self,
        applications: Sequence[SandboxApplication],
        start: datetime,
        seed: int = 1,
        webhook_url: str | None = None,
        parent: SandboxApplication | None = None,
        faults: FaultInjection | None = None,
        call_limit: int = 300_000,
        *,
        ticking: bool = False,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("the world's start needs an offset")
        self.seed = seed
        self.webhook_url = webhook_url
        self.parent = None if parent is None else ApplicationState(parent)
        self.faults = faults if faults is not None else FaultInjection()
        self.injector = FaultInjector(seed)
        self.call_limits = {TASKS: call_limit, POSTING_STATUS: POSTING_STATUS_CALL_LIMIT}
        self.is_ticking = ticking
        self.applications = {each.urn: ApplicationState(each) for each in applications}
        if len(self.applications) != len(applications) or len({each.client_id for each in applications}) != len(applications):
            raise ValueError("two sandbox applications share a urn or a client_id")
        self.seconds = start.timestamp()
        self.tokens: dict[str, tuple[ApplicationState, float]] = {}
        self._schedule = Schedule()
        self._postings = FIRST_POSTING_NUMBER
        if webhook_url is not None:
            self._schedule_challenges()

    @property
    def now(self) -> datetime:
        """The sandbox's time. While webhooks are sent it is the time at which they arrive."""
        return datetime.fromtimestamp(self.seconds, UTC)

    # Tokens

    def issue_token(self, state: ApplicationState) -> tuple[str, int]:
        """A new access token, and its lifetime in seconds."""
        state.tokens_issued += 1
        rng = SeededRandom(self.seed, state.urn, "token", state.tokens_issued)
        token = "AQX" + (rng.draw(32) + rng.draw(32)).hex()
        lifetime = self.faults.token_lifetime_seconds
        self.tokens[token] = (state, self.seconds + lifetime)
        return token, int(lifetime)

    def expire_tokens(self) -> None:
        """Expire all tokens issued so far."""
        self.tokens = {token: (state, self.seconds) for token, (state, _) in self.tokens.items()}

    # Tasks

    def submit(
        self,
        state: ApplicationState,
        *,
        external_id: str,
        operation: str,
        title: str | None = None,
        location: str | None = None,
        other_locations: tuple[str, ...] | None = None,
        content: Content | None = None,
    ) -> Task:
        """Accept an operation on a job. Its outcome is decided here and shows once the task settles."""
        job = state.jobs.get(external_id) or self._new_job(state, external_id)
        job.requests += 1
        rng = SeededRandom(self.seed, state.urn, external_id, operation, job.requests)
        title, location = title or job.title, location or job.location
        if other_locations is None:
            other_locations = () if operation == "CREATE" else job.other_locations
        content = content or Content()
        error = None
        if operation == "CREATE":
            error = rng.choice(messages.DUPLICATE_CREATE) if job.exists else None
        elif not job.exists:
            error = messages.NON_EXISTING_JOB
        if operation in ("CREATE", "UPDATE"):
            error = error or content.find_error(self.seconds)
        task = decide_task(
            rng,
            external_id=external_id,
            operation=operation,
            title=title,
            location=location,
            requested_at=self.seconds,
            job_posting=job.posting_number,
            certain_error=error,
        )
        if task.status != FAILED:
            job.title, job.location, job.other_locations = title, location, other_locations
            job.exists = job.exists and task.status == PROCESSED if operation == "CLOSE" else True
            task.content = content
            if task.settles_at < math.inf:
                self._schedule.add(task.settles_at, TaskSettled(state, task))
        self._store(state, task, [decide_other_location(rng, task, location, self._next_posting()) for location in other_locations])
        return task

    def create_tasks(self, application_urn: str, count: int, *, prefix: str = "bulk") -> list[dict[str, Any]]:
        """Many CREATE tasks fast, for benchmarks: they settle like others, but without jobs, so no notifications follow."""
        state = self.applications[application_urn]
        rows: list[dict[str, Any]] = []
        first = len(state.tasks)
        shared = {"operation": "CREATE", "requested_at": self.now.isoformat(), "application_urn": application_urn, "title": "Benchmark job"}
        for number in range(first, first + count):
            external_id = f"{prefix}-{number}"
            task = decide_task(
                SeededRandom(self.seed, application_urn, external_id, "CREATE", 1),
                external_id=external_id,
                operation="CREATE",
                title="Benchmark job",
                location=messages.PLACES[number % len(messages.PLACES)],
                requested_at=self.seconds,
                job_posting=FIRST_POSTING_NUMBER - 1 - number,
                certain_error=None,
            )
            state.tasks[task.urn] = task
            rows.append({"task_urn": task.urn, "external_job_posting_id": external_id, "location": task.location} | shared)
        return rows

    def task_row(self, state: ApplicationState, task: Task) -> dict[str, Any]:
        """A task as the partner's own warehouse would store it, in the columns of the import."""
        return {
            "task_urn": task.urn,
            "external_job_posting_id": task.external_id,
            "operation": task.operation,
            "requested_at": datetime.fromtimestamp(task.requested_at, UTC).isoformat(),
            "application_urn": state.urn,
            "title": task.title,
            "location": task.location,
        }

    def _new_job(self, state: ApplicationState, external_id: str) -> Job:
        rng = SeededRandom(self.seed, state.urn, external_id, "job")
        job = Job(external_id, rng.choice(messages.COMPANIES), rng.happens(rates.SILENT_JOB), self._next_posting())
        state.jobs[external_id] = job
        return job

    def _next_posting(self) -> int:
        self._postings += 1
        return self._postings

    def _store(self, state: ApplicationState, task: Task, others: list[Task]) -> None:
        task.siblings = tuple(other.urn for other in others)
        for each in (task, *others):
            state.tasks[each.urn] = each
        state.recent.append(task.urn)

    # Time

    def next_due(self, until: float) -> list[Due] | None:
        """Move on to the next webhooks due before `until`; None once that is reached.

        Those within one minute come together, in order of time, and the clock stands at the last of them.
        """
        due: list[Due] = []
        group_end = until
        while (at := self._schedule.next_at()) is not None and at <= group_end:
            _, event = self._schedule.pop()
            self.seconds = max(self.seconds, at)
            if isinstance(event, TaskSettled):
                self._settle(event)
            elif isinstance(event, JobChanged):
                self._change(event)
            elif isinstance(event, JobExpires):
                self._expire(event)
            else:
                if not due:
                    group_end = min(until, at - at % GROUP_SECONDS + GROUP_SECONDS)
                due.append(event)
        if due:
            return due
        self.seconds = max(self.seconds, until)
        return None

    def retry(self, delivery: Delivery) -> None:
        """Send an undelivered notification again later, a few times."""
        if delivery.attempts > len(RETRY_SECONDS):
            delivery.state.webhooks.pending -= 1
            delivery.state.webhooks.given_up += 1
        else:
            self._schedule.add(self.seconds + RETRY_SECONDS[delivery.attempts - 1], delivery)

    def schedule_challenge(self, state: ApplicationState) -> None:
        """Challenge the application's webhook again after the interval."""
        self._schedule.add(self.seconds + CHALLENGE_INTERVAL_SECONDS, ChallengeDue(state))

    def register_webhook(self, url: str) -> None:
        """Register `url`, also after a block: notifications go there from now on; dropped ones are not sent again."""
        is_new = self.webhook_url is None
        self.webhook_url = url
        for state in self.applications.values():
            counts = state.webhooks
            if counts.is_blocked and not is_new:
                self._schedule.add(self.seconds + FIRST_CHALLENGE_SECONDS, ChallengeDue(state))
            counts.is_blocked, counts.consecutive_failures = False, 0
        if is_new:
            self._schedule_challenges()

    def _schedule_challenges(self) -> None:
        for state in self.applications.values():
            self._schedule.add(self.seconds + FIRST_CHALLENGE_SECONDS, ChallengeDue(state))

    def _settle(self, event: TaskSettled) -> None:
        state, task = event.state, event.task
        job = state.jobs[task.external_id]
        # A newer request may have taken effect before: a job closed meanwhile is not listed again.
        if task.requested_at >= job.effective_request_at:
            job.effective_request_at = task.requested_at
            job.take_over(task.operation, task.content, self.seconds)
            self._schedule_expiry(state, job)
            plan_lifecycle(self._schedule, state, job, task, task.settles_at, SeededRandom(self.seed, task.urn, "life"))

    def _schedule_expiry(self, state: ApplicationState, job: Job) -> None:
        if job.expire_at is not None:
            self._schedule.add(job.expire_at, JobExpires(state, job))

    def _expire(self, event: JobExpires) -> None:
        job = event.job
        if job.expire_at is not None and job.expire_at <= self.seconds and job.listing is not None and job.listing[0] == LISTED:
            self._change(JobChanged(event.state, job, job.generation, listing=(NOT_LISTED, None)))

    def _change(self, event: JobChanged) -> None:
        job = event.job
        if event.generation != job.generation or (event.only_while and (job.listing is None or job.listing[0] != event.only_while)):
            return
        job.events += 1
        if event.listing is not None:
            job.listing = event.listing
            if event.listing[0] == LISTED:
                job.start_lifetime(self.seconds)
                self._schedule_expiry(event.state, job)
        job.apply = event.apply or job.apply
        job.promotion = event.promotion or job.promotion
        if job.is_silent or self.webhook_url is None:
            return
        urn = event.state.urn
        rng = SeededRandom(self.seed, urn, job.external_id, "notification", job.events)
        if event.is_resync:
            body = resync_body(job, urn)
        else:
            facets = {"listing": job.listing, "apply": job.apply, "promotion": job.promotion}
            body = notification_body(job, urn, rng, **facets, company_details=self.faults.company_details)
        self._notify(event.state, job.external_id, orjson.dumps(body))

    def _notify(self, state: ApplicationState, external_id: str, body: bytes) -> None:
        if state.webhooks.is_blocked:
            state.webhooks.dropped += 1
            return
        planned = self.injector.plan_notification(self.faults, self.seconds, has_parent=self.parent is not None)
        if not planned.times:
            state.webhooks.lost += 1
        for time in planned.times:
            state.webhooks.pending += 1
            self._schedule.add(time, Delivery(state, external_id, body, planned.is_escaped_signed, planned.is_parent_signed))

"""The sandbox's world: applications, tasks, jobs and a clock. Pure: it reads no clock and talks to nobody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from jobrecon.sandbox import messages, rates
from jobrecon.sandbox.applications import ApplicationState, SandboxApplication
from jobrecon.sandbox.events import Agenda, ChallengeRound, Change, Delivery, Settlement
from jobrecon.sandbox.fault_injection import FaultInjection, Mischief
from jobrecon.sandbox.jobs import LISTED, Job, notification_body, resync_body
from jobrecon.sandbox.lifecycle import plan_life
from jobrecon.sandbox.seeded_random import SeededRandom
from jobrecon.sandbox.tasks import FAILED, PROCESSED, Task, decide_other_place, decide_task

FIRST_POSTING_NUMBER = 3_900_000_000
GROUP_SECONDS = 60
FIRST_CHALLENGE_SECONDS = 60
CHALLENGE_INTERVAL_SECONDS = 7200
RETRY_SECONDS = (60, 300, 1800, 7200)
LATE_MEDIAN_SECONDS, HELD_BACK_MEDIAN_SECONDS, REPEATED_MEDIAN_SECONDS = 14_400.0, 600.0, 60.0

Due = Delivery | ChallengeRound


class World:
    """LinkedIn's side of the story for some applications.

    Everything follows from `seed` and from what is requested, in which order and when: the same requests at the same moments
    get the same task URNs, outcomes and notifications. The clock stands still unless it is moved (or `ticking`, where the
    application that serves the world moves it with real time).
    """

    def __init__(
        self,
        applications: Sequence[SandboxApplication],
        start: datetime,
        seed: int = 1,
        webhook_url: str | None = None,
        parent_secret: str | None = None,
        faults: FaultInjection | None = None,
        call_limit: int = 300_000,
        *,
        ticking: bool = False,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("the world's start needs an offset")
        self.seed = seed
        self.webhook_url = webhook_url
        self.parent_secret = parent_secret
        self.faults = faults if faults is not None else FaultInjection()
        self.mischief = Mischief(self.faults, seed)
        self.call_limit = call_limit
        self.is_ticking = ticking
        self.applications = {each.urn: ApplicationState(each) for each in applications}
        if len(self.applications) != len(applications) or len({each.client_id for each in applications}) != len(applications):
            raise ValueError("two sandbox applications share a urn or a client_id")
        self.seconds = start.timestamp()
        self.tokens: dict[str, tuple[ApplicationState, float]] = {}
        self._agenda = Agenda()
        self._postings = FIRST_POSTING_NUMBER
        if webhook_url is not None:
            self._enter_challenges()

    @property
    def now(self) -> datetime:
        """The sandbox's moment. While webhooks go out it is the moment at which they arrive."""
        return datetime.fromtimestamp(self.seconds, UTC)

    # Tokens

    def issue_token(self, state: ApplicationState) -> tuple[str, int]:
        """A new access token, and its life in seconds."""
        state.tokens_issued += 1
        chance = SeededRandom(self.seed, state.urn, "token", state.tokens_issued)
        token = "AQX" + (chance.draw(32) + chance.draw(32)).hex()
        life = self.faults.token_life_seconds
        self.tokens[token] = (state, self.seconds + life)
        return token, int(life)

    def expire_tokens(self) -> None:
        """End all tokens given out so far."""
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
    ) -> Task:
        """Accept an operation on a job; what becomes of it is decided here and shows when its time has come."""
        job = state.jobs.get(external_id) or self._new_job(state, external_id)
        job.requests += 1
        chance = SeededRandom(self.seed, state.urn, external_id, operation, job.requests)
        title, location = title or job.title, location or job.location
        if other_locations is None:
            other_locations = () if operation == "CREATE" else job.other_locations
        refusal = None
        if operation == "CREATE":
            refusal = chance.choose(messages.DUPLICATE_CREATE) if job.exists else None
        elif operation != "CLOSE" and not job.exists:
            refusal = messages.NON_EXISTING_JOB
        task = decide_task(
            chance,
            external_id=external_id,
            operation=operation,
            title=title,
            location=location,
            requested_at=self.seconds,
            job_posting=job.posting_number,
            refusal=refusal,
        )
        if task.status != FAILED:
            job.title, job.location, job.other_locations = title, location, other_locations
            job.exists = job.exists and task.status == PROCESSED if operation == "CLOSE" else True
            if task.settles_at < math.inf:
                self._agenda.add(task.settles_at, Settlement(state, task))
        self._keep(state, task, [decide_other_place(chance, task, place, self._next_posting()) for place in other_locations])
        return task

    def create_tasks(self, application_urn: str, count: int, *, prefix: str = "bulk") -> list[dict[str, Any]]:
        """Many CREATE tasks fast, for benchmarks: they settle like others, but there is no job behind them to notify of."""
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
                refusal=None,
            )
            state.tasks[task.urn] = task
            rows.append({"task_urn": task.urn, "external_job_posting_id": external_id, "location": task.location} | shared)
        return rows

    def task_row(self, state: ApplicationState, task: Task) -> dict[str, Any]:
        """What the partner's own warehouse would know of a task."""
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
        chance = SeededRandom(self.seed, state.urn, external_id, "job")
        job = Job(external_id, chance.choose(messages.COMPANIES), chance.happens(rates.SILENT_JOB), self._next_posting())
        state.jobs[external_id] = job
        return job

    def _next_posting(self) -> int:
        self._postings += 1
        return self._postings

    def _keep(self, state: ApplicationState, task: Task, others: list[Task]) -> None:
        task.siblings = tuple(other.urn for other in others)
        for each in (task, *others):
            state.tasks[each.urn] = each
        state.recent.append(task.urn)

    # Time

    def next_due(self, until: float) -> list[Due] | None:
        """Let the world go on to the next moment before `until` at which something is to be sent; None: it has arrived.

        What falls within one sandbox minute comes together, in order of time, and the clock stands at the last of it.
        """
        due: list[Due] = []
        group_end = until
        while (at := self._agenda.next_at()) is not None and at <= group_end:
            _, event = self._agenda.pop()
            self.seconds = max(self.seconds, at)
            if isinstance(event, Settlement):
                self._settle(event)
            elif isinstance(event, Change):
                self._change(event)
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
            self._agenda.add(self.seconds + RETRY_SECONDS[delivery.attempts - 1], delivery)

    def schedule_challenge(self, state: ApplicationState) -> None:
        """Challenge the application's webhook again when its time comes."""
        self._agenda.add(self.seconds + CHALLENGE_INTERVAL_SECONDS, ChallengeRound(state))

    def register_webhook(self, url: str) -> None:
        """Register `url`, as after a block: notifications go there from now on; what was dropped stays dropped."""
        is_new = self.webhook_url is None
        self.webhook_url = url
        for state in self.applications.values():
            counts = state.webhooks
            if counts.is_blocked and not is_new:
                self._agenda.add(self.seconds + FIRST_CHALLENGE_SECONDS, ChallengeRound(state))
            counts.is_blocked, counts.failures_in_a_row = False, 0
        if is_new:
            self._enter_challenges()

    def _enter_challenges(self) -> None:
        for state in self.applications.values():
            self._agenda.add(self.seconds + FIRST_CHALLENGE_SECONDS, ChallengeRound(state))

    def _settle(self, event: Settlement) -> None:
        state, task = event.state, event.task
        job = state.jobs[task.external_id]
        # A newer request has taken effect before this one did: a job closed in the meantime is not listed again.
        if task.requested_at >= job.effective_request_at:
            job.effective_request_at = task.requested_at
            plan_life(self._agenda, state, job, task, task.settles_at, SeededRandom(self.seed, task.urn, "life"))

    def _change(self, event: Change) -> None:
        job = event.job
        if event.generation != job.generation or (event.only_while and (job.listing is None or job.listing[0] != event.only_while)):
            return
        job.events += 1
        if event.listing is not None:
            job.listing = event.listing
            if event.listing[0] == LISTED and job.listed_at_ms is None:
                job.listed_at_ms = int(self.seconds * 1000)
        job.apply = event.apply or job.apply
        job.promotion = event.promotion or job.promotion
        if job.is_silent or self.webhook_url is None:
            return
        urn = event.state.urn
        chance = SeededRandom(self.seed, urn, job.external_id, "notification", job.events)
        if event.is_resync:
            body = resync_body(job, urn)
        else:
            body = notification_body(job, urn, chance, listing=job.listing, apply=job.apply, promotion=job.promotion)
        self._notify(event.state, job.external_id, orjson.dumps(body))

    def _notify(self, state: ApplicationState, external_id: str, body: bytes) -> None:
        if state.webhooks.is_blocked:
            state.webhooks.dropped += 1
            return
        settings, mischief, at = self.faults, self.mischief, self.seconds
        if mischief.strikes(settings.late_rate):
            at += mischief.delay(LATE_MEDIAN_SECONDS)
        elif mischief.strikes(settings.reorder_rate):
            at += mischief.delay(HELD_BACK_MEDIAN_SECONDS)
        is_escaped = mischief.strikes(settings.escaped_signature_rate)
        is_parent = self.parent_secret is not None and mischief.strikes(settings.parent_signature_rate)
        moments = [at]
        if mischief.strikes(settings.duplicate_rate):
            moments.append(at + mischief.delay(REPEATED_MEDIAN_SECONDS))
        for moment in moments:
            state.webhooks.pending += 1
            self._agenda.add(moment, Delivery(state, external_id, body, is_escaped, is_parent))

"""What happens to jobs over time: the schedule of events, and what follows once a task has taken effect."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

from jobrecon.sandbox import messages, rates
from jobrecon.sandbox.applications import ApplicationState
from jobrecon.sandbox.jobs import ENABLED, IN_PROGRESS, LISTED, NOT_ENABLED, NOT_LISTED, NOT_PROMOTED, PROMOTED, Facet, Job
from jobrecon.sandbox.rates import SeededRandom
from jobrecon.sandbox.tasks import PROCESSED, Task


@dataclass(slots=True)
class TaskSettled:
    """A task takes effect on its job."""

    state: ApplicationState
    task: Task


@dataclass(slots=True)
class JobChanged:
    """The status of a job changes, unless another operation took effect before."""

    state: ApplicationState
    job: Job
    generation: int
    only_while: str | None = None
    """Applies only while the listing status is this."""
    listing: Facet | None = None
    apply: Facet | None = None
    promotion: Facet | None = None
    is_resync: bool = False


@dataclass(slots=True)
class JobExpires:
    """A job is taken down, unless its time was extended or it is no longer listed."""

    state: ApplicationState
    job: Job


@dataclass(slots=True)
class Delivery:
    """A notification to send."""

    state: ApplicationState
    external_id: str
    body: bytes
    is_escaped_signed: bool = False
    is_parent_signed: bool = False
    attempts: int = 0


@dataclass(slots=True)
class ChallengeDue:
    """An application's webhook is to be challenged."""

    state: ApplicationState


Event = TaskSettled | JobChanged | JobExpires | Delivery | ChallengeDue


class Schedule:
    """Events to come, in order of time, then of addition."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Event]] = []
        self._sequence = itertools.count()

    def add(self, at: float, event: Event) -> None:
        heapq.heappush(self._heap, (at, next(self._sequence), event))

    def next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[float, Event]:
        at, _, event = heapq.heappop(self._heap)
        return at, event


def plan_lifecycle(schedule: Schedule, state: ApplicationState, job: Job, task: Task, at: float, rng: SeededRandom) -> None:
    """Schedule what follows from `task` having taken effect on `job` at `at`."""
    job.generation += 1
    notice = at + rng.lognormal(rates.NOTICE_MEDIAN_SECONDS, rates.NOTICE_SIGMA)
    if task.status == PROCESSED:
        detail = messages.NOT_MIGRATED if rng.happens(rates.CUSTOMER_NOT_MIGRATED) else None
        if detail is None and rng.happens(rates.NOT_LISTED_OTHERWISE):
            detail = rng.weighted_choice(messages.TAKEN_DOWN)
        if task.operation == "CREATE" and detail is not None:
            schedule.add(notice, JobChanged(state, job, job.generation, listing=(NOT_LISTED, detail)))
    elif task.operation == "CLOSE":
        _plan_closing(schedule, state, job, notice, rng)
    else:
        _plan_listing(schedule, state, job, task, notice, rng)


def _plan_closing(schedule: Schedule, state: ApplicationState, job: Job, notice: float, rng: SeededRandom) -> None:
    if job.listing is None:
        return
    schedule.add(notice, JobChanged(state, job, job.generation, listing=(NOT_LISTED, None)))
    back = notice + rng.lognormal(rates.LISTED_AFTER_CLOSE_MEDIAN_SECONDS, rates.LISTED_AFTER_CLOSE_SIGMA)
    if rng.happens(rates.LISTED_AFTER_CLOSE):
        schedule.add(max(back, notice + 7200), JobChanged(state, job, job.generation, listing=(LISTED, None)))


def _plan_listing(schedule: Schedule, state: ApplicationState, job: Job, task: Task, notice: float, rng: SeededRandom) -> None:
    generation = job.generation
    listed_at = notice + rng.lognormal(rates.LISTED_MEDIAN_SECONDS, rates.LISTED_SIGMA)
    is_new = job.listing is None or job.listing[0] != LISTED
    is_stuck = rng.happens(rates.LISTING_STUCK) and is_new
    if is_stuck or (rng.happens(rates.IN_PROGRESS_FIRST) and is_new):
        schedule.add(notice, JobChanged(state, job, generation, listing=(IN_PROGRESS, None)))
    if is_stuck:
        return
    promotion: Facet = (NOT_PROMOTED, rng.weighted_choice(messages.NOT_PROMOTED))
    if rng.happens(rates.PROMOTED) or job.is_premium:
        promotion = (PROMOTED, messages.PROMOTED)
    if job.promotion is not None and not is_new:
        promotion = job.promotion
    if is_new or job.apply is None:
        apply, failed = _plan_apply(rng)
    else:
        apply, failed = job.apply, None
    schedule.add(listed_at, JobChanged(state, job, generation, listing=(LISTED, None), apply=apply, promotion=promotion))
    if failed is not None:
        at = listed_at + rng.lognormal(rates.APPLY_MEDIAN_SECONDS, rates.APPLY_SIGMA)
        schedule.add(at, JobChanged(state, job, generation, only_while=LISTED, apply=failed))
    _plan_later_changes(schedule, state, job, listed_at, apply, promotion, rng)


def _plan_apply(rng: SeededRandom) -> tuple[Facet | None, Facet | None]:
    """The LinkedIn Apply status when the job is listed, and the one a little later where that differs."""
    drawn = rng.uniform()
    being_enabled: Facet = (IN_PROGRESS, messages.APPLY_BEING_ENABLED)
    if drawn < rates.APPLY_FAILED:
        return being_enabled, (NOT_ENABLED, rng.weighted_choice(messages.APPLY_FAILED))
    if drawn < rates.APPLY_FAILED + rates.APPLY_STUCK:
        return being_enabled, None
    if drawn < rates.APPLY_FAILED + rates.APPLY_STUCK + rates.APPLY_ABSENT:
        return None, None
    if drawn > 1 - rates.APPLY_NOT_REQUESTED:
        return (NOT_ENABLED, messages.APPLY_NOT_REQUESTED), None
    return (ENABLED, None), None


def _plan_later_changes(
    schedule: Schedule, state: ApplicationState, job: Job, listed_at: float, apply: Facet | None, promotion: Facet, rng: SeededRandom
) -> None:
    generation = job.generation
    down_at = listed_at + rng.lognormal(rates.TAKEN_DOWN_MEDIAN_SECONDS, rates.TAKEN_DOWN_SIGMA)
    back_at = down_at + rng.lognormal(rates.COMES_BACK_MEDIAN_SECONDS, rates.COMES_BACK_SIGMA)
    comes_back = rng.happens(rates.COMES_BACK)
    if rng.happens(rates.TAKEN_DOWN):
        schedule.add(
            down_at, JobChanged(state, job, generation, only_while=LISTED, listing=(NOT_LISTED, rng.weighted_choice(messages.TAKEN_DOWN)))
        )
        if comes_back:
            schedule.add(back_at, JobChanged(state, job, generation, only_while=NOT_LISTED, listing=(LISTED, None)))
    if rng.happens(rates.LOSES_APPLY) and apply == (ENABLED, None):
        lost_at = listed_at + rng.lognormal(rates.LOSES_APPLY_MEDIAN_SECONDS, rates.LOSES_APPLY_SIGMA)
        lost: Facet = (NOT_ENABLED, rng.weighted_choice(messages.APPLY_LOST))
        schedule.add(lost_at, JobChanged(state, job, generation, only_while=LISTED, apply=lost))
    if rng.happens(rates.LOSES_PROMOTION) and promotion[0] == PROMOTED:
        lost_at = listed_at + rng.lognormal(rates.LOSES_PROMOTION_MEDIAN_SECONDS, rates.LOSES_PROMOTION_SIGMA)
        lost = (NOT_PROMOTED, rng.weighted_choice(messages.NOT_PROMOTED))
        schedule.add(lost_at, JobChanged(state, job, generation, only_while=LISTED, promotion=lost))
    if rng.happens(rates.RESYNC_REQUESTED):
        resync_at = listed_at + rng.lognormal(rates.RESYNC_MEDIAN_SECONDS, rates.RESYNC_SIGMA)
        schedule.add(resync_at, JobChanged(state, job, generation, is_resync=True))

"""The life of a posted job: what LinkedIn shows and tells after a task has taken effect."""

from __future__ import annotations

from jobrecon.sandbox import messages, rates
from jobrecon.sandbox.applications import ApplicationState
from jobrecon.sandbox.events import Agenda, Change
from jobrecon.sandbox.jobs import ENABLED, IN_PROGRESS, LISTED, NOT_ENABLED, NOT_LISTED, NOT_PROMOTED, PROMOTED, Facet, Job
from jobrecon.sandbox.seeded_random import SeededRandom
from jobrecon.sandbox.tasks import PROCESSED, Task


def plan_life(agenda: Agenda, state: ApplicationState, job: Job, task: Task, at: float, chance: SeededRandom) -> None:
    """Enter into the agenda what follows from `task` having taken effect on `job` at `at`."""
    job.generation += 1
    notice = at + chance.spread(rates.NOTICE_MEDIAN_SECONDS, rates.NOTICE_SIGMA)
    if task.status == PROCESSED:
        if task.operation == "CREATE" and chance.happens(rates.CUSTOMER_NOT_MIGRATED):
            agenda.add(notice, Change(state, job, job.generation, listing=(NOT_LISTED, messages.NOT_MIGRATED)))
    elif task.operation == "CLOSE":
        _plan_end(agenda, state, job, notice, chance)
    else:
        _plan_listing(agenda, state, job, task, notice, chance)


def _plan_end(agenda: Agenda, state: ApplicationState, job: Job, notice: float, chance: SeededRandom) -> None:
    if job.listing is None:
        return
    agenda.add(notice, Change(state, job, job.generation, listing=(NOT_LISTED, None)))
    back = notice + chance.spread(rates.LISTED_AFTER_CLOSE_MEDIAN_SECONDS, rates.LISTED_AFTER_CLOSE_SIGMA)
    if chance.happens(rates.LISTED_AFTER_CLOSE):
        agenda.add(max(back, notice + 7200), Change(state, job, job.generation, listing=(LISTED, None)))


def _plan_listing(agenda: Agenda, state: ApplicationState, job: Job, task: Task, notice: float, chance: SeededRandom) -> None:
    generation = job.generation
    listed_at = notice + chance.spread(rates.LISTED_MEDIAN_SECONDS, rates.LISTED_SIGMA)
    is_new = job.listing is None or job.listing[0] != LISTED
    is_stuck = chance.happens(rates.LISTING_STUCK) and is_new
    if is_stuck or (chance.happens(rates.IN_PROGRESS_FIRST) and is_new):
        agenda.add(notice, Change(state, job, generation, listing=(IN_PROGRESS, None)))
    if is_stuck:
        return
    promotion: Facet = (NOT_PROMOTED, chance.weigh(messages.NOT_PROMOTED))
    if chance.happens(rates.PROMOTED):
        promotion = (PROMOTED, messages.PROMOTED)
    if is_new or job.apply is None:
        apply, refused = _plan_apply(chance)
    else:
        apply, refused = job.apply, None
    agenda.add(listed_at, Change(state, job, generation, listing=(LISTED, None), apply=apply, promotion=promotion))
    if refused is not None:
        at = listed_at + chance.spread(rates.APPLY_MEDIAN_SECONDS, rates.APPLY_SIGMA)
        agenda.add(at, Change(state, job, generation, only_while=LISTED, apply=refused))
    _plan_trouble(agenda, state, job, listed_at, apply, chance)


def _plan_apply(chance: SeededRandom) -> tuple[Facet | None, Facet | None]:
    """What is said of Easy Apply when the job is listed, and what a little later where that differs."""
    share = chance.share()
    being_enabled: Facet = (IN_PROGRESS, messages.APPLY_BEING_ENABLED)
    if share < rates.APPLY_REFUSED:
        return being_enabled, (NOT_ENABLED, chance.weigh(messages.APPLY_REFUSED))
    if share < rates.APPLY_REFUSED + rates.APPLY_STUCK:
        return being_enabled, None
    if share < rates.APPLY_REFUSED + rates.APPLY_STUCK + rates.APPLY_SAYS_NOTHING:
        return None, None
    return (ENABLED, None), None


def _plan_trouble(agenda: Agenda, state: ApplicationState, job: Job, listed_at: float, apply: Facet | None, chance: SeededRandom) -> None:
    generation = job.generation
    down_at = listed_at + chance.spread(rates.TAKEN_DOWN_MEDIAN_SECONDS, rates.TAKEN_DOWN_SIGMA)
    back_at = down_at + chance.spread(rates.COMES_BACK_MEDIAN_SECONDS, rates.COMES_BACK_SIGMA)
    comes_back = chance.happens(rates.COMES_BACK)
    if chance.happens(rates.TAKEN_DOWN):
        agenda.add(down_at, Change(state, job, generation, only_while=LISTED, listing=(NOT_LISTED, chance.weigh(messages.TAKEN_DOWN))))
        if comes_back:
            agenda.add(back_at, Change(state, job, generation, only_while=NOT_LISTED, listing=(LISTED, None)))
    if chance.happens(rates.LOSES_EASY_APPLY) and apply == (ENABLED, None):
        lost_at = listed_at + chance.spread(rates.LOSES_EASY_APPLY_MEDIAN_SECONDS, rates.LOSES_EASY_APPLY_SIGMA)
        lost: Facet = (NOT_ENABLED, chance.weigh(messages.APPLY_LOST))
        agenda.add(lost_at, Change(state, job, generation, only_while=LISTED, apply=lost))
    if chance.happens(rates.RESYNC_ASKED):
        resync_at = listed_at + chance.spread(rates.RESYNC_MEDIAN_SECONDS, rates.RESYNC_SIGMA)
        agenda.add(resync_at, Change(state, job, generation, is_resync=True))

"""The life of a posted job: what LinkedIn shows and tells after a task has taken effect."""

from __future__ import annotations

from jobrecon.sandbox import messages
from jobrecon.sandbox import proportions as odds
from jobrecon.sandbox.applications import ApplicationState
from jobrecon.sandbox.dice import Dice
from jobrecon.sandbox.events import Agenda, Change
from jobrecon.sandbox.jobs import ENABLED, IN_PROGRESS, LISTED, NOT_ENABLED, NOT_LISTED, NOT_PROMOTED, PROMOTED, Facet, Job
from jobrecon.sandbox.tasks import PROCESSED, Task


def plan_life(agenda: Agenda, state: ApplicationState, job: Job, task: Task, at: float, dice: Dice) -> None:
    """Enter into the agenda what follows from `task` having taken effect on `job` at `at`."""
    job.generation += 1
    notice = at + dice.spread(odds.NOTICE_MEDIAN_SECONDS, odds.NOTICE_SIGMA)
    if task.status == PROCESSED:
        if task.operation == "CREATE" and dice.happens(odds.CUSTOMER_NOT_MIGRATED):
            agenda.add(notice, Change(state, job, job.generation, listing=(NOT_LISTED, messages.NOT_MIGRATED)))
    elif task.operation == "CLOSE":
        _plan_end(agenda, state, job, notice, dice)
    else:
        _plan_listing(agenda, state, job, task, notice, dice)


def _plan_end(agenda: Agenda, state: ApplicationState, job: Job, notice: float, dice: Dice) -> None:
    if job.listing is None:
        return
    agenda.add(notice, Change(state, job, job.generation, listing=(NOT_LISTED, None)))
    back = notice + dice.spread(odds.LISTED_AFTER_CLOSE_MEDIAN_SECONDS, odds.LISTED_AFTER_CLOSE_SIGMA)
    if dice.happens(odds.LISTED_AFTER_CLOSE):
        agenda.add(max(back, notice + 7200), Change(state, job, job.generation, listing=(LISTED, None)))


def _plan_listing(agenda: Agenda, state: ApplicationState, job: Job, task: Task, notice: float, dice: Dice) -> None:
    generation = job.generation
    listed_at = notice + dice.spread(odds.LISTED_MEDIAN_SECONDS, odds.LISTED_SIGMA)
    is_new = job.listing is None or job.listing[0] != LISTED
    is_stuck = dice.happens(odds.LISTING_STUCK) and is_new
    if is_stuck or (dice.happens(odds.IN_PROGRESS_FIRST) and is_new):
        agenda.add(notice, Change(state, job, generation, listing=(IN_PROGRESS, None)))
    if is_stuck:
        return
    promotion: Facet = (NOT_PROMOTED, dice.weigh(messages.NOT_PROMOTED))
    if dice.happens(odds.PROMOTED):
        promotion = (PROMOTED, messages.PROMOTED)
    if is_new or job.apply is None:
        apply, refused = _plan_apply(dice)
    else:
        apply, refused = job.apply, None
    agenda.add(listed_at, Change(state, job, generation, listing=(LISTED, None), apply=apply, promotion=promotion))
    if refused is not None:
        at = listed_at + dice.spread(odds.APPLY_MEDIAN_SECONDS, odds.APPLY_SIGMA)
        agenda.add(at, Change(state, job, generation, only_while=LISTED, apply=refused))
    _plan_trouble(agenda, state, job, listed_at, apply, dice)


def _plan_apply(dice: Dice) -> tuple[Facet | None, Facet | None]:
    """What is said of Easy Apply when the job is listed, and what a little later where that differs."""
    share = dice.share()
    being_enabled: Facet = (IN_PROGRESS, messages.APPLY_BEING_ENABLED)
    if share < odds.APPLY_REFUSED:
        return being_enabled, (NOT_ENABLED, dice.weigh(messages.APPLY_REFUSED))
    if share < odds.APPLY_REFUSED + odds.APPLY_STUCK:
        return being_enabled, None
    if share < odds.APPLY_REFUSED + odds.APPLY_STUCK + odds.APPLY_SAYS_NOTHING:
        return None, None
    return (ENABLED, None), None


def _plan_trouble(agenda: Agenda, state: ApplicationState, job: Job, listed_at: float, apply: Facet | None, dice: Dice) -> None:
    generation = job.generation
    down_at = listed_at + dice.spread(odds.TAKEN_DOWN_MEDIAN_SECONDS, odds.TAKEN_DOWN_SIGMA)
    back_at = down_at + dice.spread(odds.COMES_BACK_MEDIAN_SECONDS, odds.COMES_BACK_SIGMA)
    comes_back = dice.happens(odds.COMES_BACK)
    if dice.happens(odds.TAKEN_DOWN):
        agenda.add(down_at, Change(state, job, generation, only_while=LISTED, listing=(NOT_LISTED, dice.weigh(messages.TAKEN_DOWN))))
        if comes_back:
            agenda.add(back_at, Change(state, job, generation, only_while=NOT_LISTED, listing=(LISTED, None)))
    if dice.happens(odds.LOSES_EASY_APPLY) and apply == (ENABLED, None):
        lost_at = listed_at + dice.spread(odds.LOSES_EASY_APPLY_MEDIAN_SECONDS, odds.LOSES_EASY_APPLY_SIGMA)
        lost: Facet = (NOT_ENABLED, dice.weigh(messages.APPLY_LOST))
        agenda.add(lost_at, Change(state, job, generation, only_while=LISTED, apply=lost))
    if dice.happens(odds.RESYNC_ASKED):
        resync_at = listed_at + dice.spread(odds.RESYNC_MEDIAN_SECONDS, odds.RESYNC_SIGMA)
        agenda.add(resync_at, Change(state, job, generation, is_resync=True))

"""Tasks as LinkedIn stores them: how and when each ends is decided when it is accepted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from jobrecon.sandbox import messages, rates
from jobrecon.sandbox.jobs import Content
from jobrecon.sandbox.rates import SeededRandom
from models import Operation, TaskStatus

TASK_URN_PREFIX = "urn:li:simpleJobPostingTask:"
JOB_POSTING_URN_PREFIX = "urn:li:jobPosting:"
TASK_LIFESPAN_SECONDS = 30 * 86_400

OPERATIONS = (*(str(each) for each in Operation), "UPGRADE", "DOWNGRADE")
SUCCEEDED, FAILED = str(TaskStatus.SUCCEEDED), str(TaskStatus.FAILED)
PROCESSED, IN_PROGRESS = str(TaskStatus.PROCESSED), str(TaskStatus.IN_PROGRESS)

QUIRK_EARLY_JOB_POSTING, QUIRK_OTHER_ID, QUIRK_NO_JOB_ID, QUIRK_NULLS = 1, 2, 4, 8


@dataclass(slots=True, eq=False)
class Task:
    """One task URN. A million of these fit in memory: slots, shared strings, and results built on request."""

    urn: str
    external_id: str
    operation: str
    title: str | None
    location: str | None
    requested_at: float
    job_posting: int
    settles_at: float = math.inf
    status: str = SUCCEEDED
    error: str | None = None
    quirks: int = 0
    content: Content | None = None
    siblings: tuple[str, ...] = ()
    announced_by: str | None = None
    """The task whose result first carries this URN; None where the partner got it from the request."""

    def result(self, now: float) -> dict[str, Any]:
        """The task's status record at `now`."""
        quirks = self.quirks
        if self.settles_at > now:
            status, error, shows_posting = IN_PROGRESS, None, quirks & QUIRK_EARLY_JOB_POSTING and self.status == SUCCEEDED
        else:
            status, error, shows_posting = self.status, self.error, self.status == SUCCEEDED
        result: dict[str, Any] = {"id": self.urn, "externalJobPostingId": self.external_id, "status": status}
        if self.location is not None:
            result["location"] = self.location
        if shows_posting:
            result["jobPosting"] = f"{JOB_POSTING_URN_PREFIX}{self.job_posting}"
        if error is not None:
            result["errorMessage"] = error
        if quirks & ~QUIRK_EARLY_JOB_POSTING:
            if quirks & QUIRK_NULLS:
                result.setdefault("errorMessage", None)
                result.setdefault("jobPosting", None)
            if quirks & QUIRK_NO_JOB_ID and status == FAILED:
                del result["externalJobPostingId"]
            if quirks & QUIRK_OTHER_ID:
                result["id"] = self.urn[:-4] + "0000"
        return result

    def status_at(self, now: float) -> str:
        return self.status if self.settles_at <= now else IN_PROGRESS


def decide_task(
    rng: SeededRandom,
    *,
    external_id: str,
    operation: str,
    title: str | None,
    location: str | None,
    requested_at: float,
    job_posting: int,
    certain_error: str | None,
) -> Task:
    """A new task and how it will end: with `certain_error` it fails, else `rng` decides."""
    uuid = rng.uuid()
    if rng.happens(rates.MALFORMED_UUID):
        uuid = uuid[:-1]
    task = Task(TASK_URN_PREFIX + uuid, external_id, operation, title, location, requested_at, job_posting)
    task.settles_at = requested_at + _settling_seconds(rng)
    outcome = rng.uniform()
    failing = certain_error is not None or outcome < rates.FAILED
    if failing or outcome < rates.FAILED + rates.PROCESSED:
        task.status = FAILED if failing else PROCESSED
        if failing or rng.happens(rates.PROCESSED_WITH_ERROR):
            text = certain_error or _error_text(rng, operation)
            task.error = messages.fill(text, job=external_id, place=location, number=job_posting, operation=operation)
    task.quirks = _quirks(rng)
    return task


def decide_other_location(rng: SeededRandom, main: Task, place: str, job_posting: int) -> Task:
    """The task of another location of the same posting: it ends as the first, or fails for its location."""
    task = Task(
        TASK_URN_PREFIX + rng.uuid(),
        main.external_id,
        main.operation,
        main.title,
        place,
        main.requested_at,
        job_posting,
        announced_by=main.urn,
    )
    task.settles_at = main.settles_at + rng.lognormal(rates.MINUTES_MEDIAN_SECONDS, rates.MINUTES_SIGMA)
    task.status, task.error = main.status, main.error
    if main.status == SUCCEEDED and main.operation != "CLOSE" and rng.happens(rates.ONE_LOCATION_FAILS):
        task.status = FAILED
        task.error = f"We could not standardize your job's location '{place}'. Give city, state and country."
    return task


def _settling_seconds(rng: SeededRandom) -> float:
    drawn = rng.uniform()
    if drawn < rates.SETTLES_NEVER:
        return math.inf
    if drawn < rates.SETTLES_NEVER + rates.SETTLES_IN_HOURS:
        return rng.lognormal(rates.HOURS_MEDIAN_SECONDS, rates.HOURS_SIGMA)
    return rng.lognormal(rates.MINUTES_MEDIAN_SECONDS, rates.MINUTES_SIGMA)


def _error_text(rng: SeededRandom, operation: str) -> str:
    has_content = operation in ("CREATE", "UPDATE")
    return rng.weighted_choice(messages.OPERATION_FAILED if not has_content or rng.happens(0.1) else messages.INVALID_CONTENT)


def _quirks(rng: SeededRandom) -> int:
    """Which irregularities the results of a task show; one draw for all, since they are independent of anything else."""
    bits = int.from_bytes(rng.draw(8), "little")
    quirks = 0
    for quirk, probability in (
        (QUIRK_EARLY_JOB_POSTING, rates.IN_PROGRESS_WITH_JOB_POSTING),
        (QUIRK_OTHER_ID, rates.OTHER_ID_INSIDE),
        (QUIRK_NO_JOB_ID, rates.FAILED_WITHOUT_JOB_ID),
        (QUIRK_NULLS, rates.EXPLICIT_NULLS),
    ):
        if (bits & 0xFFFF) < probability * 0x10000:
            quirks |= quirk
        bits >>= 16
    return quirks

"""The rules of findings written a second time, in plain Python: what a run should find of one job, from its raw history.

Nothing here comes from the SQL or the error catalog; the few messages that histories hold are described in `MEANINGS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STUCK_AFTER, UNCONFIRMED_AFTER, LIFESPAN, EXPIRING_WITHIN = HOUR, DAY, 30 * DAY, 3 * DAY
KNOWN_OPERATIONS = ("CREATE", "UPDATE", "RENEW", "CLOSE")


class Meaning(NamedTuple):
    code: str | None
    owner: str
    is_harmless: bool = False


MEANINGS = {
    "Job has an invalid location": Meaning(None, "CUSTOMER"),
    "duplicate creation request": Meaning(None, "PARTNER"),
    "INVALID_LOCATION: no postal code": Meaning("INVALID_LOCATION", "CUSTOMER"),
    "PENDING_CUSTOMER_MIGRATION: wait": Meaning("PENDING_CUSTOMER_MIGRATION", "LINKEDIN"),
    "BLOCKED_WEBHOOK: gone": Meaning("1154", "PARTNER"),
    "No attempt to enable LinkedInApply was found for this job.": Meaning(None, "PARTNER", is_harmless=True),
    "LI_CUSTOMER_BASIC: basic": Meaning("LI_CUSTOMER_BASIC", "CUSTOMER", is_harmless=True),
}
DUPLICATE = "duplicate creation request"


class Detail(NamedTuple):
    """A status with its detail, as a notification or a check gives it."""

    status: str
    error_code: int | None = None
    error_type: str | None = None
    message: str | None = None
    own_code: str | None = None

    @property
    def has_error(self) -> bool:
        return self.error_code is not None or self.error_type is not None or self.message is not None


class Body(NamedTuple):
    """What LinkedIn says at once of a job; of what it does not mention, None."""

    listing: Detail | None = None
    apply: Detail | None = None
    promotion: Detail | None = None
    expire_at: datetime | None = None


@dataclass(frozen=True)
class Task:
    task_urn: str
    operation: str
    requested_at: datetime
    state: str
    status: str | None = None
    message: str | None = None
    location: str | None = None
    status_changed_at: datetime | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        return self.requested_at, self.task_urn

    def is_settled(self, *statuses: str) -> bool:
        return self.state == "SETTLED" and self.status in statuses


@dataclass(frozen=True)
class History:
    """Everything that ever came about one job. Deliveries are in the order of arrival; a check of None: LinkedIn knows no such job."""

    tasks: Sequence[Task] = ()
    deliveries: Sequence[tuple[datetime, Body]] = ()
    checks: Sequence[tuple[datetime, Body | None]] = ()
    is_retired: bool = False


class Statement(NamedTuple):
    made_at: datetime
    is_check: bool
    first_made_at: datetime
    arrival: int
    body: Body

    @property
    def source(self) -> str:
        return "CHECK" if self.is_check else "NOTIFICATION"


UNKNOWN = Body(listing=Detail("NOT_LISTED", own_code="UNKNOWN_TO_LINKEDIN"))


def list_statements(history: History, as_of: datetime) -> list[Statement]:
    """What LinkedIn has said by then, in order; equal contents in a row are one statement, made when it last came."""
    found = []
    deliveries = sorted(
        ((moment, arrival, body) for arrival, (moment, body) in enumerate(history.deliveries) if moment <= as_of), key=lambda row: row[:2]
    )
    for body, group in groupby(deliveries, key=lambda row: row[2]):
        rows = list(group)
        found.append(Statement(rows[-1][0], False, rows[0][0], rows[0][1], body))
    checks = [(moment, body or UNKNOWN) for moment, body in history.checks if moment <= as_of]
    for body, pairs in groupby(checks, key=lambda row: row[1]):
        moments = [moment for moment, _ in pairs]
        found.append(Statement(moments[-1], True, moments[0], 0, body))
    return sorted(found, key=lambda statement: statement[:4])


@dataclass
class Facet:
    """The newest statement about a facet, the row of equal ones that it ends, and what was said before."""

    detail: Detail
    row: list[Statement]
    previous: str | None

    @property
    def status(self) -> str:
        return self.detail.status

    @property
    def made_at(self) -> datetime:
        return self.row[-1].made_at

    def first_said_after(self, moment: datetime) -> datetime:
        said = [at for statement in self.row for at in (statement.first_made_at, statement.made_at)]
        return min(at for at in said if at > moment)


def find_facet(statements: list[Statement], name: str) -> Facet | None:
    said = [(statement, getattr(statement.body, name)) for statement in statements if getattr(statement.body, name)]
    if not said:
        return None
    newest = said[-1][1]
    row: list[Statement] = []
    previous = None
    for statement, detail in reversed(said):
        if detail.status != newest.status:
            previous = detail.status
            break
        row.insert(0, statement)
    return Facet(newest, row, previous)


def fold(tasks: Sequence[Task]) -> tuple[str, datetime | None]:
    """What a job should be, at one place."""
    expected, since = "NOT_LISTED", None
    for task in sorted(tasks, key=lambda task: task.order):
        if task.state != "SETTLED" or task.operation not in KNOWN_OPERATIONS:
            continue
        if task.status == "PROCESSED":
            expected, since = "UNKNOWN", task.requested_at
        elif task.status == "SUCCEEDED":
            if task.operation == "RENEW" and expected == "LISTED":
                continue
            expected, since = ("NOT_LISTED" if task.operation == "CLOSE" else "LISTED"), task.requested_at
    return expected, since


def group_by_place(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    places: dict[str, list[Task]] = {}
    for task in tasks:
        places.setdefault(task.location or "", []).append(task)
    return places


def expect(tasks: Sequence[Task]) -> tuple[str, datetime | None]:
    """What a job should be: LISTED beats UNKNOWN beats NOT_LISTED, with the latest moment of the places that say so."""
    places = [fold(group) for group in group_by_place(tasks).values()]
    for expected in ("LISTED", "UNKNOWN", "NOT_LISTED"):
        if any(state == expected for state, _ in places):
            return expected, max((since for state, since in places if state == expected and since), default=None)
    return "NOT_LISTED", None


@dataclass
class Found:
    """A finding as the rules have it; owner and severity may still change with its age."""

    kind: str
    facet: str
    severity: str
    since: datetime
    owner: str
    code: str | None = None
    location: str | None = None
    evidence: str = "TASK"
    later: list[tuple[timedelta, dict[str, Any]]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.facet, self.location or ""


def read_code(detail: Detail) -> str | None:
    """The code LinkedIn gives: of a known message, else the number, else the word before the colon."""
    if detail.message in MEANINGS:
        return MEANINGS[detail.message].code or (None if detail.error_code is None else str(detail.error_code))
    if detail.error_code is not None:
        return str(detail.error_code)
    return detail.message.split(":")[0] if detail.message and ":" in detail.message else None


def read_owner(detail: Detail, otherwise: str) -> str:
    """Who acts on a message: by what it is known to mean, by its error type, else the partner."""
    meaning = MEANINGS.get(detail.message or "")
    if meaning and not meaning.is_harmless:
        return meaning.owner
    if detail.error_code == 1154:
        return "PARTNER"
    if detail.error_type:
        return detail.error_type.removesuffix("_ERROR")
    return "PARTNER" if detail.message and not meaning else otherwise


def judge_tasks(history: History, as_of: datetime, listing: Facet | None) -> list[Found]:
    found = []
    for tasks in group_by_place([task for task in history.tasks if task.requested_at <= as_of]).values():
        ordered = sorted(tasks, key=lambda task: task.order)
        latest = ordered[-1]
        wanted = {"CREATE": "LISTED", "UPDATE": "LISTED", "RENEW": "LISTED", "CLOSE": "NOT_LISTED"}.get(latest.operation)
        is_as_wanted = listing is not None and listing.made_at > latest.requested_at and listing.status == wanted

        def add(kind: str, severity: str, since: datetime | None, owner: str, task: Task = latest, **more: Any) -> None:
            assert since is not None
            found.append(Found(kind, "TASK", severity, since, owner, location=task.location, **more))

        if latest.state == "PENDING" and as_of >= latest.requested_at + STUCK_AFTER:
            add("STUCK", "LOW" if is_as_wanted else "MEDIUM", latest.requested_at, "LINKEDIN")
        if latest.state == "EXPIRED":
            add("EXPIRED", "LOW" if is_as_wanted else "HIGH", latest.requested_at + LIFESPAN, "PARTNER")
        if latest.state == "REJECTED":
            add("REJECTED", "MEDIUM", latest.status_changed_at, "PARTNER")
        if latest.is_settled("PROCESSED") and latest.message is not None:
            detail = Detail("", message=latest.message)
            add("INVALID", "LOW", latest.status_changed_at, read_owner(detail, "PARTNER"), code=read_code(detail))
        if latest.is_settled("FAILED"):
            cause = latest
            creates = [task for task in ordered if task.operation == "CREATE"]
            if latest.operation in ("UPDATE", "RENEW") and creates and creates[-1].is_settled("FAILED"):
                since_then = ordered[ordered.index(creates[-1]) + 1 :]
                if not any(task.is_settled("SUCCEEDED", "PROCESSED") for task in since_then):
                    cause = creates[-1]
            detail = Detail("", message=cause.message)
            severity = "HIGH" if cause.operation in ("CREATE", "CLOSE") else "MEDIUM"
            if cause.operation == "CREATE" and cause.message == DUPLICATE and listing and listing.status == "LISTED":
                severity = "LOW"
            add("FAILED", severity, cause.status_changed_at, read_owner(detail, "PARTNER"), cause, code=read_code(detail))
    return found


def judge_postings(history: History, as_of: datetime, statements: list[Statement]) -> list[Found]:
    tasks = [task for task in history.tasks if task.requested_at <= as_of]
    expected, since = expect(tasks)
    listing, apply, promotion = (find_facet(statements, name) for name in ("listing", "apply", "promotion"))
    dated = [statement for statement in statements if statement.body.expire_at]
    expire_at = dated[-1].body.expire_at if dated else None
    found: list[Found] = []

    def add(kind: str, facet: str, severity: str, began: datetime, owner: str, **more: Any) -> None:
        found.append(Found(kind, facet, severity, began, owner, **more))

    notified = [moment for moment, _ in history.deliveries if moment <= as_of]
    if not tasks and notified:
        add("UNKNOWN_JOB", "LISTING", "LOW", min(notified), "PARTNER", evidence="NOTIFICATION")
    migration = Detail("", message="PENDING_CUSTOMER_MIGRATION: wait")
    is_unlisted = False
    if listing and since and listing.status == "NOT_LISTED" and listing.made_at > since:
        detail = listing.detail
        if expected == "LISTED":
            is_unlisted = detail.own_code is None or listing.made_at > since + HOUR
        if expected == "UNKNOWN":
            is_unlisted = detail.own_code is None and detail.has_error and detail.message != migration.message
        if is_unlisted:
            began = listing.first_said_after(since)
            has_run_out = expire_at is not None and expire_at <= began
            code, owner = read_code(detail) or detail.own_code, read_owner(detail, "PARTNER")
            if has_run_out and not read_code(detail):
                code, owner = "EXPIRED_POSTING", "PARTNER"
            severity = "MEDIUM" if expected == "UNKNOWN" or has_run_out else "HIGH"
            later = [(14 * DAY, {"owner": "PARTNER"})] if detail.message == migration.message else []
            add("UNLISTED", "LISTING", severity, began, owner, code=code, evidence=listing.row[-1].source, later=later)
    if expected == "UNKNOWN" and since and not is_unlisted:
        newest = listing if listing and listing.made_at > since else None
        if newest is None or newest.status != "LISTED":
            code = "PENDING_CUSTOMER_MIGRATION" if newest and newest.detail.message == migration.message else None
            evidence = newest.row[-1].source if newest else "TASK"
            later = [(14 * DAY, {"owner": "PARTNER", "severity": "MEDIUM"})]
            add("NOT_MIGRATED", "LISTING", "LOW", since, "LINKEDIN", code=code, evidence=evidence, later=later)
    if expected == "NOT_LISTED" and since and listing and listing.status == "LISTED" and listing.made_at > since + HOUR:
        add("STILL_LISTED", "LISTING", "HIGH", listing.first_said_after(since + HOUR), "PARTNER", evidence=listing.row[-1].source)
    if expected != "LISTED":
        return found
    assert since is not None
    for facet, name in ((listing, "LISTING"), (apply, "APPLY")):
        if facet and facet.status == "IN_PROGRESS" and as_of - facet.row[0].first_made_at >= DAY:
            add("STUCK", name, "MEDIUM", facet.row[0].first_made_at, "LINKEDIN", evidence=facet.row[-1].source)
    if apply and apply.status == "NOT_ENABLED" and apply.made_at > since:
        meaning = MEANINGS.get(apply.detail.message or "")
        is_error = apply.detail.has_error and not (meaning and meaning.is_harmless)
        if is_error or apply.previous == "ENABLED":
            severity = "MEDIUM" if is_error else "LOW"
            owner, code, source = read_owner(apply.detail, "PARTNER"), read_code(apply.detail), apply.row[-1].source
            add("APPLY_DISABLED", "APPLY", severity, apply.first_said_after(since), owner, code=code, evidence=source)
    if promotion and promotion.status == "NOT_PROMOTED" and promotion.previous == "PROMOTED":
        owner, code, source = read_owner(promotion.detail, "CUSTOMER"), read_code(promotion.detail), promotion.row[-1].source
        add("PROMOTION_LOST", "PROMOTION", "LOW", promotion.row[0].first_made_at, owner, code=code, evidence=source)
    if listing and listing.status == "LISTED" and expire_at and expire_at - EXPIRING_WITHIN <= as_of < expire_at:
        renewals = [task for task in tasks if task.operation == "RENEW" and task.is_settled("SUCCEEDED")]
        if not any(task.requested_at > dated[-1].made_at for task in renewals):
            add("EXPIRING", "LISTING", "LOW", expire_at - EXPIRING_WITHIN, "PARTNER", evidence=dated[-1].source)
    if as_of >= since + UNCONFIRMED_AFTER and statements and (listing is None or listing.made_at < since):
        add("UNCONFIRMED", "LISTING", "LOW", since + UNCONFIRMED_AFTER, "PARTNER", evidence="ABSENCE")
    return found


Open = dict[tuple[str, str, str], Found]


def judge(history: History, as_of: datetime, before: Open) -> Open:
    """The findings of a job that are open after a run, given those that were open before it."""
    if history.is_retired:
        return {}
    statements = list_statements(history, as_of)
    found = judge_tasks(history, as_of, find_facet(statements, "listing")) + judge_postings(history, as_of, statements)
    for finding in found:
        if finding.key in before:
            finding.since = before[finding.key].since
        for after, changes in finding.later:
            if as_of - finding.since > after:
                for name, value in changes.items():
                    setattr(finding, name, value)
    return {finding.key: finding for finding in found}


def is_contradicted(history: History, as_of: datetime) -> bool:
    """Whether LinkedIn's newest statement about the listing is not what the partner requested."""
    expected, _ = expect([task for task in history.tasks if task.requested_at <= as_of])
    listing = find_facet(list_statements(history, as_of), "listing")
    return (expected, listing and listing.status) in {("LISTED", "NOT_LISTED"), ("NOT_LISTED", "LISTED")}

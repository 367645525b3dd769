"""A job's timeline: everything known about it in order of time, in plain words, for `jobrecon explain` and the page."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from jobrecon.errors import JobreconError
from jobrecon.reports.formatting import describe_count, shorten, to_zone
from jobrecon.reports.glossary import describe_ending, name_issue
from jobrecon.warehouse import Warehouse
from jobrecon.warehouse.connection import stage
from models import TaskStatus

MAX_EVENTS = 20
"""Of one job on a page, the newest."""
DETAIL_LIMIT = 160

REQUESTS = {"CREATE": "post the job", "UPDATE": "change the job", "RENEW": "renew the job", "CLOSE": "close the job"}
OUTCOMES: dict[str, str] = {
    TaskStatus.SUCCEEDED: "carried out",
    TaskStatus.FAILED: "it failed",
    TaskStatus.PROCESSED: "accepted, but the job is not live through your system yet",
    TaskStatus.IN_PROGRESS: "not done yet",
}
STATEMENTS = {
    "LISTING_LISTED": "the job is on LinkedIn",
    "LISTING_NOT_LISTED": "the job is not on LinkedIn",
    "LISTING_IN_PROGRESS": "whether the job is shown is being decided",
    "APPLY_ENABLED": "LinkedIn Apply is on",
    "APPLY_NOT_ENABLED": "LinkedIn Apply is off",
    "APPLY_IN_PROGRESS": "LinkedIn Apply is being decided",
    "PROMOTION_PROMOTED": "the job is promoted",
    "PROMOTION_NOT_PROMOTED": "the job is not promoted",
}


class Job(NamedTuple):
    """What identifies a job."""

    application_urn: str
    external_job_posting_id: str


class Event(NamedTuple):
    """`event`: request, poll, notification, check or finding; `what`: in plain words; `detail`: LinkedIn's own text, or the reason."""

    happened_at: dt.datetime
    event: str
    what: str
    detail: str | None


Timelines = Mapping[Job, Sequence[Event]]


class UnknownJob(JobreconError):
    """Nothing is known of a job."""


def read_timelines(warehouse: Warehouse, jobs: Iterable[Job], until: dt.datetime | None = None, max_events: int | None = None) -> Timelines:
    """What happened to the jobs before `until`, in order of time; of each the newest `max_events`."""
    staged = stage("staged_jobs", [job._asdict() for job in jobs])
    timelines: dict[Job, list[Event]] = defaultdict(list)
    for row in warehouse.read("timeline/select_events", staged, until=until, max_events=max_events):
        job = Job(row["application_urn"], row["external_job_posting_id"])
        timelines[job].append(Event(row["happened_at"], row["event"], _describe(row), row["detail"]))
    return dict(timelines)


def explain_job(warehouse: Warehouse, job: str, application_urn: str | None = None) -> list[dict[str, Any]]:
    """Timeline, state and open findings for each application that has a job of this id. Raises `UnknownJob` where none has."""
    # Bytes of a command line that are no UTF-8 come as surrogates, which DuckDB does not take.
    job = job.encode(errors="surrogateescape").decode(errors="replace")
    wanted: dict[str, Any] = {"job": job, "application_urn": application_urn}
    as_of = warehouse.run("timeline/select_as_of")[0][0]
    postings = {posting["application_urn"]: posting for posting in warehouse.read("timeline/select_jobs", **wanted)}
    if not postings:
        raise UnknownJob(
            f"Nothing is known of the job {job!r} as of {as_of.isoformat(timespec='seconds') if as_of else 'now'}: no task, no notification. "
            "Check the id (upper and lower case count); if it was requested since, import its tasks and run `jobrecon run`."
        )
    timelines = read_timelines(warehouse, [Job(urn, job) for urn in postings])
    findings: dict[str, list[dict[str, Any]]] = {urn: [] for urn in postings}
    for finding in warehouse.read("timeline/select_open_findings", **wanted):
        findings[finding.pop("application_urn")].append(finding)
    return [
        {
            "external_job_posting_id": job,
            "application_urn": urn,
            "as_of": as_of,
            "now": posting,
            "events": [event._asdict() for event in timelines.get(Job(urn, job), ())],
            "open_findings": findings[urn],
            "next_actions": list(dict.fromkeys(finding["next_action"] for finding in findings[urn])),
        }
        for urn, posting in postings.items()
    ]


def pack_timelines(timelines: Timelines, jobs: Sequence[Job], zone: ZoneInfo, max_bytes: int) -> str:
    """The timelines of the first `jobs` as JSON of at most `max_bytes`, safe inside a page's script element.

    `t` holds the texts, each once; `j` a list for each job: minutes (of the zone's wall clock since 1970) and number of the text,
    in turn.
    """
    texts: dict[str, int] = {}
    packed: list[list[int]] = []
    size = 20
    for job in jobs:
        line: list[int] = []
        added: dict[str, int] = {}
        for event in timelines.get(job, ()):
            detail = shorten(event.detail, DETAIL_LIMIT)
            text = shorten(event.what, 2 * DETAIL_LIMIT) + (f": “{detail}”" if detail else "")
            number = texts[text] if text in texts else added.setdefault(text, len(texts) + len(added))
            line += [_count_minutes(event.happened_at, zone), number]
        size += len(_dump(line)) + 1 + sum(len(_dump(text)) + 1 for text in added)
        if size > max_bytes:
            break
        texts |= added
        packed.append(line)
    return _dump({"t": list(texts), "j": packed})


def _dump(value: Any) -> str:
    """JSON in ASCII without what could end a script element."""
    text = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _count_minutes(moment: dt.datetime, zone: ZoneInfo) -> int:
    return int(to_zone(moment, zone).replace(tzinfo=dt.UTC).timestamp() // 60)


def _describe(row: Mapping[str, Any]) -> str:
    """An event in plain words."""
    operation, status = row["operation"] or "", row["status"] or ""
    place = f", {row['location']}" if row["location"] else ""
    match row["event"], row["step"]:
        case "request", _:
            return f"{operation} requested{place}" + (f": {REQUESTS[operation]}" if operation in REQUESTS else "")
        case "poll", "change":
            return f"LinkedIn reports {operation} {status or 'nothing'}{place}" + (f": {OUTCOMES[status]}" if status in OUTCOMES else "")
        case "poll", _:
            return f"{operation} polled {describe_count(row['times'], 'time')} so far{place}; no outcome yet"
        case "notification" | "check", _:
            said = "; ".join(STATEMENTS.get(word, word.replace("_", " ").lower()) for word in status.split())
            if row["event"] == "check":
                return f"Checked: {said or 'LinkedIn knows no such job'}"
            times = f" (delivered {row['times']:,} times)" if row["times"] > 1 else ""
            return f"LinkedIn notifies: {said or 'something else'}{times}"
        case _, "opened":
            return f"Issue found: {name_issue(status, row['facet'], operation)}{place}"
        case _:
            return f"Issue ended: {name_issue(status, row['facet'], operation)}{place}: {describe_ending(row['resolution'])}"

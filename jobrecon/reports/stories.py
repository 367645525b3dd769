"""What happened to the jobs behind the findings, in plain words, packed small: texts that recur stand there once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from jobrecon.reports.facts import ReportedFinding
from jobrecon.reports.formatting import describe_count
from jobrecon.reports.glossary import describe_resolution, name_kind
from jobrecon.reports.text import shorten
from jobrecon.warehouse import Warehouse
from jobrecon.warehouse.connection import stage
from models import TaskStatus

Job = tuple[str, str]
Event = tuple[dt.datetime, str]
Stories = Mapping[Job, Sequence[Event]]

MOST_EVENTS = 20
"""Of one job, the newest."""
DETAIL_LIMIT = 160

REQUESTS = {"CREATE": "to post the job", "UPDATE": "to change the job", "RENEW": "to renew the job", "CLOSE": "to close the job"}
ANSWERS: dict[str, str] = {
    TaskStatus.SUCCEEDED: "LinkedIn carried it out",
    TaskStatus.FAILED: "LinkedIn says that it failed",
    TaskStatus.PROCESSED: "LinkedIn accepted it; the job is not live through your system yet",
    TaskStatus.IN_PROGRESS: "LinkedIn is still at it",
}
FACETS = {
    "LISTING_LISTED": "the job is on LinkedIn",
    "LISTING_NOT_LISTED": "the job is not on LinkedIn",
    "LISTING_IN_PROGRESS": "whether the job is shown is being decided",
    "APPLY_ENABLED": "Easy Apply is on",
    "APPLY_NOT_ENABLED": "Easy Apply is off",
    "APPLY_IN_PROGRESS": "Easy Apply is being decided",
}


def gather_stories(warehouse: Warehouse, findings: Iterable[ReportedFinding], day_end: dt.datetime) -> Stories:
    """What happened until `day_end` to the jobs of the findings, the newest events of each."""
    jobs = list(dict.fromkeys(finding.job for finding in findings))
    staged = stage("staged_jobs", [{"application_urn": urn, "external_job_posting_id": job} for urn, job in jobs])
    stories: dict[Job, list[Event]] = defaultdict(list)
    for row in warehouse.read("timeline/select_reported_events", staged, day_end=day_end, most_events=MOST_EVENTS):
        stories[row["application_urn"], row["external_job_posting_id"]].append((row["happened_at"], _tell(row)))
    return dict(stories)


def pack_stories(stories: Stories, jobs: Sequence[Job], zone: ZoneInfo, room: int) -> str:
    """The stories of the first `jobs` as JSON of at most `room` bytes, safe inside a page's script element.

    `t` holds the texts, `s` a list for each job: minutes (of the zone's wall clock since 1970) and number of the text, in turn.
    """
    texts: dict[str, int] = {}
    packed: list[list[int]] = []
    size = 20
    for job in jobs:
        line: list[int] = []
        added: dict[str, int] = {}
        for moment, text in stories.get(job, ()):
            number = texts.get(text, added.setdefault(text, len(texts) + len(added)) if text not in texts else 0)
            line += [_count_minutes(moment, zone), number]
        size += len(_dump(line)) + 1 + sum(len(_dump(text)) + 1 for text in added)
        if size > room:
            break
        texts |= added
        packed.append(line)
    return _dump({"t": list(texts), "s": packed})


def _dump(value: Any) -> str:
    """JSON in ASCII without what could end a script element."""
    text = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _count_minutes(moment: dt.datetime, zone: ZoneInfo) -> int:
    return int(moment.astimezone(zone).replace(tzinfo=dt.UTC).timestamp() // 60)


def _tell(row: Mapping[str, Any]) -> str:
    """An event in plain words."""
    what = row["what"] or ""
    detail = shorten(row["detail"], DETAIL_LIMIT)
    place = f" ({shorten(row['place'], 40)})" if row["place"] else ""
    match row["event"]:
        case "request":
            return f"Your system asked LinkedIn {REQUESTS.get(what, f'for {shorten(what, 40)}')}{place}"
        case "answer":
            said = ANSWERS.get(what, f"LinkedIn says {shorten(what, 40) or 'nothing'}")
            return f"{said}{place}" + (f": “{detail}”" if detail else "")
        case "look":
            return f"Asked LinkedIn {describe_count(int(what or 0), 'time')} so far; no outcome yet{place}"
        case "notification":
            told = "; ".join(FACETS.get(word, word.replace("_", " ").lower()) for word in what.split())
            return f"LinkedIn sent word: {told or 'something else'}" + (f": “{detail}”" if detail else "")
        case "opened":
            return f"Found wrong: {_name(what)}{place}" + (f": {detail}" if detail else "")
        case _:
            return f"No longer wrong: {_name(what)}{place}: {describe_resolution(row['detail'])}"


def _name(what: str) -> str:
    kind, _, facet = what.partition(" ")
    return name_kind(kind, facet)

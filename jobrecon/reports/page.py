"""The pages: `index.html` for all, and one for each account manager. Self-contained; without their script they only filter less."""

import base64
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from slugify import slugify

from jobrecon.reports.causes import (
    Cause,
    count_jobs,
    describe_concentration,
    group_by_cause,
    name_customers,
    tabulate_ages,
    tabulate_customers,
)
from jobrecon.reports.changes import count_changes
from jobrecon.reports.charts import draw_settle_times, draw_trend
from jobrecon.reports.customer_words import request_of_customer, turn_to_customer
from jobrecon.reports.facts import AGE_BANDS, Facts, FindingRow, Queue, list_records, list_rows
from jobrecon.reports.formatting import describe_age, describe_count, describe_date, describe_moment, describe_seconds, shorten
from jobrecon.reports.glossary import EVIDENCES, GLOSSES, LIVE, OWNERS, SEVERITIES, describe_sending, explain_kinds, name_job
from jobrecon.reports.timeline import Job, Timelines, pack_timelines
from jobrecon.reports.verdict import judge
from jobrecon.reports.workbook import MAX_FIXED_ROWS
from jobrecon.settings import Settings

MAX_FINDINGS = 2_000
"""Rows that a page shows; the others are in the workbook, and the page says so."""
MAX_FIXED = 100
MAX_CHANGES = 100
MAX_BYTES = 950_000
TIMELINE_BYTES = 100_000
"""Reserved for the timelines of the worst; they take what is left of the page besides."""
MESSAGE_LIMITS = (2_000, 400, 150, 60)
"""How much of each of LinkedIn's messages is shown: as much as leaves the page below `MAX_BYTES`."""
MESSAGE_MARKUP_BYTES = 75
"""What stands around a message."""
SMALL_BYTES = 200_000
"""Messages that fit on most pages."""
TIMELINES = "<!--timelines-->"
"""Where the timelines go. Text from outside is escaped and cannot hold it."""


@dataclass(frozen=True)
class Section:
    """The findings of one queue by cause, with the rows that the page shows, and how many found no room."""

    queue: Queue
    heading: str
    lead: str
    causes: Sequence[Cause]
    job_count: int
    repeated_count: int
    """Jobs of these findings that are in an earlier section too, and counted there; `job_count` are the others."""
    left_out: int


MAX_CUSTOMERS = 12
"""Rows of the table of customers before it is folded."""

AGE_WORDS = {"<1h": "under 1 h", "1-4h": "1–4 h", "4-24h": "4–24 h", "1-3d": "1–3 days", "3-7d": "3–7 days", ">7d": "over 7 days"}

HEADINGS: dict[Queue, tuple[str, str]] = {
    Queue.CUSTOMER: (
        "Do today",
        "The customers have to act, and you ask them. Once they have, your integration team, the colleagues who run your company’s "
        "connection to LinkedIn, sends the job again; you send nothing to LinkedIn yourself.",
    ),
    Queue.PARTNER: (
        "Waiting for your integration team",
        "The colleagues who run your company’s connection to LinkedIn have to act: pass it on to them. You need not ask the customer unless "
        "it says so.",
    ),
    Queue.LINKEDIN: ("Waiting for LinkedIn", "LinkedIn has to act. There is nothing to change on the job."),
    Queue.LOW_PRIORITY: (
        "Low priority",
        "None of these alone keeps a job from candidates now. When you have time; an expiring job before it ends.",
    ),
}


def write_pages(facts: Facts, settings: Settings, folder: Path, timelines: Timelines | None = None) -> None:
    """Write a page for each account manager and `index.html` into `folder`."""
    names = name_pages(list(facts.by_account_manager))
    for manager, name in names.items():
        (folder / name).write_text(render_page(facts.select_manager(manager), settings, names, timelines), encoding="utf-8")
    (folder / "index.html").write_text(render_page(facts, settings, names, timelines), encoding="utf-8")


def name_pages(account_managers: Sequence[str]) -> dict[str, str]:
    """A file name for each account manager; no two are the same, and none is that of a file for all."""
    taken = {"index", "findings"}
    names: dict[str, str] = {}
    for manager in sorted(account_managers):
        slug = slugify(manager, max_length=80) or "account-manager"
        free = next(name for name in itertools.chain([slug], (f"{slug}-{number}" for number in itertools.count(2))) if name not in taken)
        taken.add(free)
        names[manager] = f"{free}.html"
    return {manager: names[manager] for manager in account_managers}


def render_page(facts: Facts, settings: Settings, page_names: Mapping[str, str], timelines: Timelines | None = None) -> str:
    """The page of `facts`: everybody's or one account manager's."""
    sections = list_sections(facts)
    shown = [row for section in sections for cause in section.causes for row in cause.rows]
    fixed, ended = facts.fixed_findings, facts.resolved_findings
    # Of a job that still has something else wrong nothing is over.
    otherwise = ended[~ended["job"].isin(facts.open_findings["job"]) & ~ended["job"].isin(fixed["job"])]
    resolved = {"fixed": list_rows(fixed[:MAX_FIXED]), "otherwise": list_rows(otherwise[:MAX_FIXED])}
    jobs = {row.job: Job(row.application_urn, row.external_job_posting_id) for row in itertools.chain(shown, *resolved.values())}
    customer_names = name_customers(facts.open_findings)
    customers = sorted({customer_names[row.application_urn] for row in shown}, key=str.casefold)
    content = {
        "facts": facts,
        "settings": settings,
        "verdict": judge(facts),
        "sections": sections,
        "section_changes": _summarise_changes(facts.changes),
        "fixed_job_count": count_jobs(fixed),
        "resolved": resolved,
        "resolved_left_out": {"fixed": max(len(fixed) - MAX_FIXED, 0), "otherwise": max(len(otherwise) - MAX_FIXED, 0)},
        "ageing": tabulate_ages(facts.open_findings).to_dict("records"),
        "open_by_age": facts.open_by_age,
        "age_bands": AGE_BANDS,
        "kinds": explain_kinds(settings),
        "page_names": page_names,
        "moment": partial(describe_moment, zone=facts.zone),
        "concentration": describe_concentration(facts.open_findings),
        "trend": facts.trend,
        "trend_chart": draw_trend(facts.trend),
        "settle_time": facts.settle_time,
        "settle_time_chart": draw_settle_times(facts.settle_time) if facts.settle_time else "",
        "customers": customers,
        "customer_names": customer_names,
        "customer_rows": [] if facts.account_manager is None else list_records(tabulate_customers(facts.open_findings).reset_index()),
        "max_customers": MAX_CUSTOMERS,
        "issues": sorted({cause.issue for section in sections for cause in section.causes}),
        "customer_numbers": {name: number for number, name in enumerate(customers)},
        "job_numbers": {job: number for number, job in enumerate(jobs)},
        "max_fixed_rows": MAX_FIXED_ROWS,
        "workbook": "findings.xlsx" if facts.account_manager is None else page_names[facts.account_manager].replace(".html", ".xlsx"),
        "script": load_script(),
        "script_hash": hash_script(),
    }
    page = _render_within_limit(content, sections)
    return page.replace(TIMELINES, pack_timelines(timelines or {}, [*jobs.values()], facts.zone, max(MAX_BYTES - len(page.encode()), 0)))


def _summarise_changes(changes: pd.DataFrame) -> dict[str, Any] | None:
    if changes.empty:
        return None
    counts = count_changes(changes)
    return {
        "total": len(changes),
        "columns": list(counts.columns),
        "customers": list(zip(counts.index, counts.to_numpy().tolist(), strict=True)),
        "rows": list_records(changes[:MAX_CHANGES]),
    }


def _render_within_limit(content: Mapping[str, object], sections: Sequence[Section]) -> str:
    """The page with as much of LinkedIn's messages as leaves room for the timelines."""
    template = load_templates().get_template("page.html")
    # What the findings of a cause share is there once; only what each has of its own adds up.
    lengths = [
        len((row.message or "").encode())
        for section in sections
        for cause in section.causes
        if not cause.shared_message
        for row in cause.rows
    ]
    room = MAX_BYTES - TIMELINE_BYTES
    if sum(lengths) + len(lengths) * MESSAGE_MARKUP_BYTES < SMALL_BYTES:
        page = template.render(content, message_limit=MESSAGE_LIMITS[0])
        if len(page.encode()) < room:
            return page
    bare = template.render(content, message_limit=0)
    left = room - len(bare.encode())
    for limit in MESSAGE_LIMITS:
        if sum(min(length, limit * 1.2) + MESSAGE_MARKUP_BYTES for length in lengths) < left:
            page = template.render(content, message_limit=limit)
            return page if len(page.encode()) < MAX_BYTES else bare
    return bare


@cache
def load_script() -> str:
    return (Path(__file__).parent / "templates" / "page.js").read_text(encoding="utf-8").strip()


@cache
def hash_script() -> str:
    """What the page's policy allows to run: this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(load_script().encode()).digest()).decode()


def list_sections(facts: Facts) -> list[Section]:
    """The queues in order of who reads them first, cut where the page would become too long."""
    room = MAX_FINDINGS
    sections = []
    for queue, (heading, lead) in HEADINGS.items():
        findings = facts.select_queue(queue)
        causes = [cause for cause in group_by_cause(findings, room) if cause.rows]
        shown = sum(len(cause.rows) for cause in causes)
        room -= shown
        job_count = facts.jobs_by_queue[queue]
        sections.append(Section(queue, heading, lead, causes, job_count, count_jobs(findings) - job_count, len(findings) - shown))
    return sections


def find_link(finding: FindingRow) -> str | None:
    """Where a person opens the job, if that is on LinkedIn and nothing but an address."""
    url = finding.job_posting_url or ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    is_linkedin = host == "linkedin.com" or host.endswith(".linkedin.com")
    return url if parts.scheme in ("http", "https") and is_linkedin and len(url) <= 500 else None


@cache
def load_templates() -> Environment:
    """The templates, everything that they are given escaped."""
    templates = Environment(
        loader=PackageLoader("jobrecon.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "brief": shorten,
        "as_request": request_of_customer,
        "to_customer": turn_to_customer,
        "age": lambda age: describe_age(age).replace(" ", "\u00a0"),
        "age_words": AGE_WORDS.__getitem__,
        "count": describe_count,
        "date_words": describe_date,
        "seconds": describe_seconds,
        "sending": describe_sending,
        "sentence": _make_sentence,
        "job_name": lambda finding: name_job(finding.title, finding.external_job_posting_id, finding.facet),
        "link": find_link,
        "thousands": lambda number: f"{number:,}",
    }
    templates.globals |= {"severities": SEVERITIES, "owners": OWNERS, "live": LIVE, "glosses": GLOSSES, "evidence_words": EVIDENCES}
    return templates


def _make_sentence(text: str) -> str:
    """`text` with a capital first and a full stop last."""
    line = shorten(text, 500)
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?", "…")) else ".")

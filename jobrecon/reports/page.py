"""The pages: `index.html` for all, and one for each account manager. Self-contained; without their script they only filter less."""

import base64
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from slugify import slugify

from jobrecon.reports.ageing import tabulate_ages
from jobrecon.reports.causes import Cause, Desk, count_jobs, group_by_cause, select_fixed, sort_to_desks
from jobrecon.reports.concentration import tell_concentration
from jobrecon.reports.facts import AGE_BANDS, Facts, ReportedFinding
from jobrecon.reports.formatting import describe_age, describe_count, describe_date, describe_moment, describe_seconds
from jobrecon.reports.glossary import OWNERS, SEVERITIES, describe_ending, explain_kinds, name_job, name_trouble
from jobrecon.reports.pictures import draw_settling, draw_trend
from jobrecon.reports.stories import Job, Stories, pack_stories
from jobrecon.reports.text import shorten
from jobrecon.reports.verdict import judge
from jobrecon.settings import Settings

MOST_FINDINGS = 2_000
"""Rows that a page shows; the rest stand in the workbook, and the page says so."""
MOST_FIXED = 100
MOST_BYTES = 950_000
STORY_BYTES = 100_000
"""Kept free for the stories of the worst; they take what is left of the page besides."""
MESSAGE_LIMITS = (2_000, 400, 150, 60)
"""How much of each of LinkedIn's messages is shown: as much as leaves the page below `MOST_BYTES`."""
BYTES_OF_MESSAGE = 75
"""What stands around a message."""
FEW_BYTES = 200_000
"""Messages that fit on most pages."""
STORIES = "<!--stories-->"
"""Where the stories go. Text from outside is escaped and cannot hold it."""


@dataclass(frozen=True)
class Section:
    """Findings on one desk: each cause with the findings that the page shows, and how many found no room."""

    desk: Desk
    heading: str
    lead: str
    causes: Sequence[tuple[Cause, Sequence[ReportedFinding]]]
    job_count: int
    left_out: int


AGE_WORDS = {"<1h": "under 1 h", "1-4h": "1–4 h", "4-24h": "4–24 h", "1-3d": "1–3 days", "3-7d": "3–7 days", ">7d": "over 7 days"}

HEADINGS: dict[Desk, tuple[str, str]] = {
    Desk.TODAY: ("Do today", "The customer has to act. Ask them."),
    Desk.US: ("Waiting for us", "Our integration team has to act. Tell the customer, and pass it on."),
    Desk.LINKEDIN: ("Waiting for LinkedIn", "LinkedIn has to act. Nothing to change on the job."),
    Desk.NOTES: ("Lesser notes", "Nothing is broken for candidates by these alone. When there is time."),
}


def write_pages(facts: Facts, settings: Settings, folder: Path, stories: Stories | None = None) -> None:
    """Write `index.html` and a page for each account manager into `folder`."""
    names = name_pages(list(facts.by_account_manager))
    (folder / "index.html").write_text(render_page(facts, settings, names, stories), encoding="utf-8")
    for manager, name in names.items():
        (folder / name).write_text(render_page(facts.select_manager(manager), settings, names, stories), encoding="utf-8")


def name_pages(account_managers: Sequence[str]) -> dict[str, str]:
    """A file name for each account manager; none is index.html, and no two are the same."""
    taken = {"index"}
    names: dict[str, str] = {}
    for manager in sorted(account_managers):
        slug = slugify(manager, max_length=80) or "account-manager"
        free = next(name for name in itertools.chain([slug], (f"{slug}-{number}" for number in itertools.count(2))) if name not in taken)
        taken.add(free)
        names[manager] = f"{free}.html"
    return {manager: names[manager] for manager in account_managers}


def render_page(facts: Facts, settings: Settings, page_names: Mapping[str, str], stories: Stories | None = None) -> str:
    """The page of `facts`: everybody's or one account manager's."""
    sections = lay_out_sections(facts)
    shown = [finding for section in sections for _, findings in section.causes for finding in findings]
    fixed = select_fixed(facts)
    fixed_ids = {finding.finding_id for finding in fixed}
    otherwise = [finding for finding in facts.resolved_findings if finding.finding_id not in fixed_ids]
    jobs = list(dict.fromkeys(finding.job for finding in [*shown, *fixed[:MOST_FIXED], *otherwise[:MOST_FIXED]]))
    customers = sorted({shorten(finding.customer, 60) for finding in shown}, key=str.casefold)
    content = {
        "facts": facts,
        "settings": settings,
        "verdict": judge(facts),
        "sections": sections,
        "fixed": fixed,
        "fixed_job_count": count_jobs(fixed),
        "otherwise": otherwise,
        "most_fixed": MOST_FIXED,
        "ageing": tabulate_ages(facts.open_findings),
        "open_by_age": facts.open_by_age,
        "age_bands": [name for name, _ in AGE_BANDS],
        "kinds": explain_kinds(settings),
        "page_names": page_names,
        "moment": partial(describe_moment, zone=facts.zone),
        "concentration": tell_concentration(facts.open_findings),
        "trend_picture": draw_trend(facts.trend),
        "settling_picture": draw_settling(facts.settling) if facts.settling else "",
        "customers": customers,
        "troubles": sorted({cause.trouble for section in sections for cause, _ in section.causes}),
        "customer_numbers": {name: number for number, name in enumerate(customers)},
        "story_numbers": {job: number for number, job in enumerate(jobs)},
        "script": load_script(),
        "script_hash": hash_script(),
    }
    return _add_stories(_render_within(content, sections), stories or {}, jobs, facts)


def _render_within(content: Mapping[str, object], sections: Sequence[Section]) -> str:
    """The page with as much of LinkedIn's messages as leaves room for the stories."""
    template = load_templates().get_template("page.html")
    # What a cause's findings share is told once; only what each says by itself adds up.
    lengths = [
        len((finding.message or "").encode())
        for section in sections
        for cause, shown in section.causes
        if not cause.shared_message
        for finding in shown
    ]
    room = MOST_BYTES - STORY_BYTES
    if sum(lengths) + len(lengths) * BYTES_OF_MESSAGE < FEW_BYTES:
        page = template.render(content, message_limit=MESSAGE_LIMITS[0])
        if len(page.encode()) < room:
            return page
    bare = template.render(content, message_limit=0)
    left = room - len(bare.encode())
    for limit in MESSAGE_LIMITS:
        if sum(min(length, limit * 1.2) + BYTES_OF_MESSAGE for length in lengths) < left:
            page = template.render(content, message_limit=limit)
            return page if len(page.encode()) < MOST_BYTES else bare
    return bare


def _add_stories(page: str, stories: Stories, jobs: Sequence[Job], facts: Facts) -> str:
    return page.replace(STORIES, pack_stories(stories, jobs, facts.zone, max(MOST_BYTES - len(page.encode()), 0)))


@cache
def load_script() -> str:
    return (Path(__file__).parent / "templates" / "page.js").read_text(encoding="utf-8").strip()


@cache
def hash_script() -> str:
    """What the page's policy allows to run: this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(load_script().encode()).digest()).decode()


def lay_out_sections(facts: Facts) -> list[Section]:
    """The desks in order of who reads them first, cut where the page would become too long."""
    room = MOST_FINDINGS
    sections = []
    for desk, findings in sort_to_desks(facts.open_findings).items():
        heading, lead = HEADINGS[desk]
        causes: list[tuple[Cause, Sequence[ReportedFinding]]] = []
        for cause in group_by_cause(findings):
            shown = cause.findings[:room]
            room -= len(shown)
            causes += [(cause, shown)] if shown else []
        sections.append(Section(desk, heading, lead, causes, count_jobs(findings), len(findings) - sum(len(shown) for _, shown in causes)))
    return sections


def find_link(finding: ReportedFinding) -> str | None:
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
        "age": lambda age: describe_age(age).replace(" ", "\u00a0"),
        "age_words": AGE_WORDS.__getitem__,
        "count": describe_count,
        "date_words": describe_date,
        "seconds": describe_seconds,
        "sentence": _make_sentence,
        "ending": describe_ending,
        "trouble": name_trouble,
        "job_name": name_job,
        "link": find_link,
        "thousands": lambda number: f"{number:,}",
    }
    templates.globals |= {"severities": SEVERITIES, "owners": OWNERS}
    return templates


def _make_sentence(text: str) -> str:
    """`text` with a capital first and a full stop last."""
    line = shorten(text, 500)
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?", "…")) else ".")

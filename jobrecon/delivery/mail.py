"""The mails of a report: plain text, HTML that mail programs show, and the workbook; threaded day after day."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import cache, partial
from pathlib import Path

import css_inline

from jobrecon.delivery.addresses import parse_sender
from jobrecon.reports.causes import Cause, count_jobs, group_by_cause
from jobrecon.reports.changes import count_changes
from jobrecon.reports.facts import Facts, FindingRow, Queue
from jobrecon.reports.formatting import describe_moment, shorten
from jobrecon.reports.page import HEADINGS, load_templates
from jobrecon.reports.verdict import judge
from jobrecon.settings import Settings

MAX_HTML_BYTES = 78_000
"""Gmail clips what is longer than 102 KB; 80 KB are promised."""
MAX_ATTACHED_BYTES = 8_000_000
MAX_SUBJECT_LENGTH = 180
SIZES = ((12, 6), (8, 4), (5, 3), (3, 2), (2, 1))
"""(causes, rows of each) that a mail shows, as many as fit."""
WORKBOOK = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class MailPolicy(EmailPolicy):
    """As `SMTP`, but the headers that make a thread stay on one line: folded, an id may come out as an encoded word."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name in THREAD_HEADERS else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode() if name in THREAD_HEADERS else super().fold_binary(name, value)


THREAD_HEADERS = ("Message-ID", "In-Reply-To", "References")
POLICY = MailPolicy(linesep="\r\n")


def link_page(settings: Settings, date: dt.date, name: str = "index") -> str | None:
    """The address of a page; None where `JOBRECON_REPORT_URL` does not say where reports are served."""
    if not settings.report_url:
        return None
    return f"{settings.report_url.rstrip('/')}/{date.isoformat()}/{name}.html"


def compose_mail(
    facts: Facts, settings: Settings, name: str, addresses: Sequence[Address], workbook: Path, now: dt.datetime
) -> EmailMessage:
    """The mail about `facts` to `addresses`, with their workbook; `name` is that of their page, without its ending."""
    message = EmailMessage(policy=POLICY)
    message["From"] = parse_sender(settings.mail_from)
    message["To"] = list(addresses)
    message["Subject"] = write_subject(facts)
    message["Date"] = now
    today, before, root = (make_message_id(settings, name, date) for date in (facts.date, facts.date - dt.timedelta(days=1), None))
    message["Message-ID"] = today if facts.complete else today.replace("<jobrecon.", "<jobrecon.incomplete.")
    message["In-Reply-To"] = before
    message["References"] = f"{root} {before}"
    message["Auto-Submitted"] = "auto-generated"
    is_attached = workbook.stat().st_size <= MAX_ATTACHED_BYTES
    message.set_content(render_text(facts, settings, name, is_attached=is_attached))
    message.add_alternative(render_html(facts, settings, name, is_attached=is_attached), subtype="html")
    if is_attached:
        message.add_attachment(workbook.read_bytes(), *WORKBOOK, filename=f"findings-{facts.date.isoformat()}.xlsx")
    return message


def write_subject(facts: Facts) -> str:
    """The verdict; what could not be seen goes before it."""
    prefix = "" if facts.complete else "INCOMPLETE: "
    return shorten(prefix + judge(facts).sentence.rstrip("."), MAX_SUBJECT_LENGTH)


def make_message_id(settings: Settings, name: str, date: dt.date | None) -> str:
    """The same for the same report and reader; without a date that of the thread they all belong to."""
    domain = parse_sender(settings.mail_from).domain
    key = hashlib.sha256(f"{name}|{settings.report_url}|{settings.mail_from}".encode()).hexdigest()[:16]
    return f"<jobrecon.{date.isoformat() if date else 'thread'}.{key}@{domain}>"


def render_text(facts: Facts, settings: Settings, name: str, *, is_attached: bool) -> str:
    """The mail as plain text."""
    text = load_templates().get_template("mail.txt").render(_collect(facts, settings, name, 12, 5, is_attached))
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def render_html(facts: Facts, settings: Settings, name: str, *, is_attached: bool) -> str:
    """The mail as HTML of tables with its styles on each element, below 80 KB."""
    html = ""
    for causes, rows in SIZES:
        content = _collect(facts, settings, name, causes, rows, is_attached)
        html = _load_inliner().inline(load_templates().get_template("mail.html").render(content))
        if len(html.encode()) < MAX_HTML_BYTES:
            break
    return html


@cache
def _load_inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)


def _collect(facts: Facts, settings: Settings, name: str, max_causes: int, max_rows: int, is_attached: bool) -> dict[str, object]:
    causes = group_by_cause(facts.select_queue(Queue.CUSTOMER), max_causes * max_rows, max_rows)
    shown: list[tuple[Cause, Sequence[FindingRow]]] = [(cause, cause.rows) for cause in causes[:max_causes]]
    return {
        "facts": facts,
        "settings": settings,
        "verdict": judge(facts),
        "causes": shown,
        "causes_left": len(causes) - len(shown),
        "counts": [(heading, facts.jobs_by_queue[queue]) for queue, (heading, _) in HEADINGS.items()],
        "changes": count_changes(facts.changes).sum().to_dict(),
        "roll": facts.job_movement,
        "fixed_job_count": count_jobs(facts.fixed_findings),
        "page": link_page(settings, facts.date, name),
        "moment": partial(describe_moment, zone=facts.zone),
        "is_attached": is_attached,
    }

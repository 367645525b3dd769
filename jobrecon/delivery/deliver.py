"""Delivering a report: a mail to each account manager, one about all, a message to the chat; each once."""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.headerregistry import Address
from pathlib import Path

from jobrecon.delivery.addresses import parse_addresses
from jobrecon.delivery.chat import open_chat, send_message
from jobrecon.delivery.mail import compose_mail
from jobrecon.delivery.outbox import Outbox, SendState
from jobrecon.delivery.smtp import SmtpSession, read_server
from jobrecon.errors import DeliveryFailed, ReportError
from jobrecon.reports.facts import Facts
from jobrecon.reports.formatting import shorten
from jobrecon.reports.page import name_pages
from jobrecon.reports.report import ReportResult
from jobrecon.reports.workbook import find_workbook
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published

log = logging.getLogger(__name__)

CHAT = "chat"


@dataclass
class Delivery:
    """What became of each message, by its name in the outbox."""

    sent: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    """Sent before; not sent again."""
    kept: list[Path] = field(default_factory=list)
    """Left as files, because no mail server is set."""
    problems: list[str] = field(default_factory=list)
    """What could not be delivered or may not have arrived, and why."""

    @property
    def sentence(self) -> str:
        parts = [f"{len(self.sent)} sent", f"{len(self.known)} sent before"]
        parts += [f"{len(self.kept)} written as files"] * bool(self.kept) + [f"{len(self.problems)} failed"] * bool(self.problems)
        return ", ".join(parts)


def deliver_report(
    settings: Settings, result: ReportResult, now: dt.datetime, *, resend: bool = False, follow_up: bool = False
) -> Delivery:
    """Send what was not sent yet of the report's messages; with `resend`, all of them.

    With `follow_up` only what completes a message that was sent as incomplete: the day's first message is left to the run that
    the day's schedule starts.

    A server that cannot be reached raises `DeliveryFailed` and is worth another try; a message that fails is recorded and
    stops no other. Without a mail server the mails are written as `.eml` files into the folder `mail` beside the report.
    A report that is incomplete is sent as such once, and once more when it is complete.
    """
    delivery = Delivery()
    outbox = Outbox(result.folder / "mail")
    if resend:
        outbox.clear()
    failure: DeliveryFailed | None = None
    for deliver in (_deliver_mails, _deliver_chat):
        try:
            deliver(_Context(settings, result, outbox, delivery, now, follow_up))
        except DeliveryFailed as error:
            # The chat gets its message also when the mail server is down.
            failure = failure or error
        except OSError as error:
            raise ReportError(
                f"{outbox.folder} cannot be written: {error.strerror or error}. Nothing was sent twice; make it writable and run again."
            ) from error
    for problem in delivery.problems:
        log.warning("%s", problem)
    if failure:
        raise failure
    return delivery


@dataclass(frozen=True)
class _Context:
    """What sending a message needs."""

    settings: Settings
    result: ReportResult
    outbox: Outbox
    delivery: Delivery
    now: dt.datetime
    follow_up: bool

    def is_due(self, name: str) -> bool:
        """Whether this is the moment to send the message."""
        return not self.follow_up or (self.result.facts.complete and self.outbox.record_path(_name_incomplete(name)).exists())

    def record_name(self, name: str) -> str:
        """The record of a message; that of an incomplete report is another one, so that the complete one is sent too."""
        is_complete = self.result.facts.complete or not self.outbox.is_open(name)
        return name if is_complete else _name_incomplete(name)

    def record_earlier(self, name: str, record: str) -> None:
        """Add what an earlier run recorded of the message."""
        if self.outbox.read_state(record) == SendState.SENT:
            self.delivery.known.append(name)
        else:
            self.delivery.problems.append(self._describe_unknown(name, record, "the run that sent it ended in the middle"))

    def record_failure(self, name: str, record: str, error: DeliveryFailed) -> None:
        if error.may_have_arrived:
            self.delivery.problems.append(self._describe_unknown(name, record, str(error).rstrip(".")))
        else:
            self.outbox.release(record)
            self.delivery.problems.append(f"{name}: {error}")

    def _describe_unknown(self, name: str, record: str, cause: str) -> str:
        return (
            f"{name}: whether this message arrived is not known ({cause}). It is not sent again; delete {self.outbox.record_path(record)} "
            "or use --resend to send it once more."
        )


def _name_incomplete(name: str) -> str:
    return f"{name}.incomplete"


def _deliver_mails(context: _Context) -> None:
    settings, result, outbox, delivery = context.settings, context.result, context.outbox, context.delivery
    server = read_server(settings)
    if server is None:
        _write_mails(context)
        return
    with SmtpSession(server) as session:
        for recipients in list_recipients(settings, result.facts):
            name = recipients.name
            if not context.is_due(name):
                continue
            delivery.problems += recipients.problems
            record = context.record_name(name)
            accepted = outbox.read_accepted(record)
            waiting = [address for address in recipients.addresses if address.addr_spec not in accepted]
            if not waiting:
                delivery.known += [name] * bool(accepted)
                continue
            if not outbox.is_open(record):
                context.record_earlier(name, record)
                continue
            mail = compose_mail(recipients.facts, settings, name, recipients.addresses, find_workbook(result.folder, name), context.now)
            # Connected before the mail is acquired: what fails until then has certainly not been sent.
            session.ensure_connected()
            if outbox.acquire(record) != SendState.ACQUIRED:
                context.record_earlier(name, record)
                continue
            try:
                refused = session.send(mail, waiting)
            except DeliveryFailed as error:
                if accepted and not error.may_have_arrived:
                    outbox.mark_partial(record, accepted)
                    delivery.problems.append(f"{name}: {error}")
                else:
                    context.record_failure(name, record, error)
                continue
            delivery.problems += [
                f"{name}: the mail server refused {address} ({why}); the other recipients have the mail."
                for address, why in refused.items()
            ]
            if refused or recipients.problems:
                outbox.mark_partial(record, [*accepted, *(address.addr_spec for address in waiting if address.addr_spec not in refused)])
            else:
                outbox.mark_sent(record)
                delivery.sent.append(name)


def _write_mails(context: _Context) -> None:
    folder, settings = context.outbox.folder, context.settings
    sender = settings.model_copy(update={"mail_from": settings.mail_from or "jobrecon@localhost"})
    for recipients in list_recipients(settings, context.result.facts):
        context.delivery.problems += recipients.problems
        if not recipients.addresses:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        workbook = find_workbook(context.result.folder, recipients.name)
        mail = compose_mail(recipients.facts, sender, recipients.name, recipients.addresses, workbook, context.now)
        fresh = folder / f".{recipients.name}.fresh"
        fresh.write_bytes(mail.as_bytes())
        context.delivery.kept.append(fresh.replace(folder / f"{recipients.name}.eml"))


def _deliver_chat(context: _Context) -> None:
    if not context.settings.chat_url.get_secret_value() or not context.is_due(CHAT):
        return
    chat = open_chat(context.settings)
    record = context.record_name(CHAT)
    if context.outbox.acquire(record) != SendState.ACQUIRED:
        context.record_earlier(CHAT, record)
        return
    try:
        send_message(chat, context.settings, context.result.facts)
    except DeliveryFailed as error:
        context.record_failure(CHAT, record, error)
        return
    context.outbox.mark_sent(record)
    context.delivery.sent.append(CHAT)


@dataclass(frozen=True)
class Recipients:
    """Who gets the mail about a page."""

    name: str
    """Of the page, without its ending."""
    facts: Facts
    addresses: list[Address]
    problems: list[str]
    """Addresses that are none."""


def list_recipients(settings: Settings, facts: Facts) -> Iterator[Recipients]:
    """The recipients of each account manager's mail, and of that about all where JOBRECON_MAIL_TO is set."""
    pages = name_pages(list(facts.by_account_manager))
    texts: dict[str, list[str]] = defaultdict(list)
    with open_published(settings) as warehouse:
        for row in warehouse.read("reports/select_recipients"):
            texts[row["account_manager"]].append(row["email"])
    for manager, page in pages.items():
        if manager in texts:
            name = page.removesuffix(".html")
            yield _parse_recipients(name, facts.select_manager(manager), texts[manager], manager, "account_manager_email")
    if settings.mail_to.strip():
        yield _parse_recipients("index", facts, [settings.mail_to], None, "JOBRECON_MAIL_TO")


def _parse_recipients(name: str, facts: Facts, texts: list[str], display_name: str | None, source: str) -> Recipients:
    addresses: dict[str, Address] = {}
    problems = []
    for text in texts:
        parsed, invalid = parse_addresses(text, display_name)
        addresses |= {address.addr_spec: address for address in parsed}
        problems += [f"{name}: {shorten(part, 80)!r} is no mail address and gets no mail. Correct {source}." for part in invalid]
    return Recipients(name, facts, list(addresses.values()), problems)

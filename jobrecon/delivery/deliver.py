"""Delivering a report: a mail to each account manager, one about all, a message to the chat; each once."""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jobrecon.delivery.chat import open_chat, send_message
from jobrecon.delivery.mail import compose_mail, split_addresses
from jobrecon.delivery.outbox import Outbox, SendState
from jobrecon.delivery.smtp import SmtpSession, read_server
from jobrecon.errors import DeliveryFailed, ReportError
from jobrecon.reports.facts import Facts
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


def deliver_report(settings: Settings, result: ReportResult, now: dt.datetime, *, resend: bool = False) -> Delivery:
    """Send what was not sent yet of the report's messages; with `resend`, all of them.

    A server that cannot be reached raises `DeliveryFailed` and is worth another try; a message that fails is recorded and
    stops no other. Without a mail server the mails are written as `.eml` files into the folder `mail` beside the report.
    """
    delivery = Delivery()
    outbox = Outbox(result.folder / "mail")
    if resend:
        outbox.clear()
    failure: DeliveryFailed | None = None
    for deliver in (_deliver_mails, _deliver_chat):
        try:
            deliver(settings, result, outbox, delivery, now)
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


def _deliver_mails(settings: Settings, result: ReportResult, outbox: Outbox, delivery: Delivery, now: dt.datetime) -> None:
    server = read_server(settings)
    if server is None:
        _write_mails(settings, result, outbox, delivery, now)
        return
    with SmtpSession(server) as session:
        for name, facts, addresses in list_recipients(settings, result.facts):
            if outbox.is_new(name):
                try:
                    mail = compose_mail(facts, settings, name, addresses, find_workbook(result.folder, name), now)
                except ValueError:
                    delivery.problems.append(
                        f"{name}: no mail was sent, because its address is none. Correct account_manager_email or JOBRECON_MAIL_TO."
                    )
                    continue
                # Connected before the mail is acquired: what fails until then has certainly not been sent.
                session.ensure_connected()
                if outbox.acquire(name) == SendState.ACQUIRED:
                    try:
                        session.send(mail.message)
                    except DeliveryFailed as error:
                        _record_failure(outbox, name, delivery, error)
                        continue
                    outbox.mark_sent(name)
                    delivery.sent.append(name)
                    continue
            _record_earlier(outbox, name, delivery)


def _write_mails(settings: Settings, result: ReportResult, outbox: Outbox, delivery: Delivery, now: dt.datetime) -> None:
    for name, facts, addresses in list_recipients(settings, result.facts):
        outbox.folder.mkdir(parents=True, exist_ok=True)
        try:
            sender = settings.model_copy(update={"mail_from": settings.mail_from or "jobrecon@localhost"})
            mail = compose_mail(facts, sender, name, addresses, find_workbook(result.folder, name), now)
        except ValueError:
            delivery.problems.append(
                f"{name}: no mail was written, because its address is none. Correct account_manager_email or JOBRECON_MAIL_TO."
            )
            continue
        fresh = outbox.folder / f".{name}.fresh"
        fresh.write_bytes(mail.message.as_bytes())
        delivery.kept.append(fresh.replace(outbox.folder / f"{name}.eml"))


def _deliver_chat(settings: Settings, result: ReportResult, outbox: Outbox, delivery: Delivery, now: dt.datetime) -> None:
    if not settings.chat_url.get_secret_value():
        return
    chat = open_chat(settings)
    if outbox.acquire(CHAT) != SendState.ACQUIRED:
        _record_earlier(outbox, CHAT, delivery)
        return
    try:
        send_message(chat, settings, result.facts)
    except DeliveryFailed as error:
        _record_failure(outbox, CHAT, delivery, error)
        return
    outbox.mark_sent(CHAT)
    delivery.sent.append(CHAT)


def list_recipients(settings: Settings, facts: Facts) -> Iterator[tuple[str, Facts, list[str]]]:
    """(name of the page, facts, addresses) of each account manager with an address, and of all where JOBRECON_MAIL_TO is set."""
    pages = name_pages(list(facts.by_account_manager))
    addresses: dict[str, list[str]] = defaultdict(list)
    with open_published(settings) as warehouse:
        for row in warehouse.read("reports/select_recipients"):
            addresses[row["account_manager"]].append(row["email"])
    for manager, page in pages.items():
        if manager in addresses:
            yield page.removesuffix(".html"), facts.select_manager(manager), addresses[manager]
    if everybody := split_addresses(settings.mail_to):
        yield "index", facts, everybody


def _record_earlier(outbox: Outbox, name: str, delivery: Delivery) -> None:
    """Add what an earlier run recorded of the message."""
    if outbox.read_state(name) == SendState.SENT:
        delivery.known.append(name)
    else:
        delivery.problems.append(_describe_unknown(outbox, name, "the run that sent it ended in the middle"))


def _record_failure(outbox: Outbox, name: str, delivery: Delivery, error: DeliveryFailed) -> None:
    if error.may_have_arrived:
        delivery.problems.append(_describe_unknown(outbox, name, str(error).rstrip(".")))
    else:
        outbox.release(name)
        delivery.problems.append(f"{name}: {error}")


def _describe_unknown(outbox: Outbox, name: str, cause: str) -> str:
    return f"{name}: whether this message arrived is not known ({cause}). It is not sent again; delete {outbox.record_path(name)} to send it once more."

"""A message in Slack, Teams or another chat, by apprise: the verdict, what was not seen, the causes, the link."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import cast

import apprise

from jobrecon.delivery.mail import link_page
from jobrecon.errors import ConfigurationError, DeliveryFailed
from jobrecon.reports.causes import group_by_cause
from jobrecon.reports.facts import Facts, Queue
from jobrecon.reports.formatting import describe_count, shorten
from jobrecon.reports.verdict import judge
from jobrecon.settings import Settings

MAX_CAUSES = 5
MAX_LENGTH = 2_800
"""Slack takes 3,000 characters in a block, Teams 28 KB in a message."""
TIMEOUT_SECONDS = 15
NOT_CONNECTED = ("NewConnectionError", "Failed to establish", "NameResolutionError", "Failed to resolve", "ConnectTimeout", "SSLError")
"""How requests says that no connection was made: the message cannot have arrived."""


def send_message(chat: apprise.NotifyBase, settings: Settings, facts: Facts) -> None:
    """Send the report's message. Raises `DeliveryFailed`, never with the address: it is a secret."""
    title, body = write_message(settings, facts)
    with _capture_log() as log:
        is_sent = chat.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    if is_sent:
        return
    if status := re.search(r"error=(\d+)", log.getvalue()):
        raise DeliveryFailed(f"The chat refused the message: HTTP {status[1]}. Check JOBRECON_CHAT_URL, then run again.")
    if any(name in log.getvalue() for name in NOT_CONNECTED):
        raise DeliveryFailed("The chat cannot be reached. The message was not sent; run again to try.")
    raise DeliveryFailed(f"The chat did not respond within {TIMEOUT_SECONDS} s, or broke the connection.", may_have_arrived=True)


def open_chat(settings: Settings) -> apprise.NotifyBase:
    """The chat of `JOBRECON_CHAT_URL`. Raises `ConfigurationError`, never with the address."""
    with _capture_log():
        chat = apprise.Apprise.instantiate(settings.chat_url.get_secret_value())
    if not isinstance(chat, apprise.NotifyBase):
        raise ConfigurationError(
            "JOBRECON_CHAT_URL is no address of a chat. Nothing was sent. Write the incoming webhook as Slack or Teams shows it, "
            "or an address of apprise such as jsons://host/path."
        )
    chat.socket_connect_timeout = chat.socket_read_timeout = TIMEOUT_SECONDS
    # Sent once: whether a message without a response arrived is not known.
    chat.retry = 0
    chat.redirects = False
    # As for LinkedIn; requests itself reads other variables.
    chat.verify_certificate = cast(bool, os.environ.get("SSL_CERT_FILE") or True)
    # Text from outside stays plain text: Slack reads no mentions and links in such a block.
    chat.notify_format = apprise.NotifyFormat.TEXT
    if hasattr(chat, "use_blocks"):
        chat.use_blocks = True
    return chat


def write_message(settings: Settings, facts: Facts) -> tuple[str, str]:
    """The title and the body of the message, as many whole lines as a chat takes."""
    verdict = ("" if facts.complete else "INCOMPLETE: ") + judge(facts).sentence
    lines = [shorten(verdict, 600), *(f"Not seen: {shorten(reason, 300)}" for reason in facts.reasons_for_people[:5])]
    causes = group_by_cause(facts.select_queue(Queue.CUSTOMER))
    lines += [f"{describe_count(cause.job_count, 'job')}: {shorten(cause.reason, 200)}" for cause in causes[:MAX_CAUSES]]
    if len(causes) > MAX_CAUSES:
        lines.append(f"and {describe_count(len(causes) - MAX_CAUSES, 'more cause')}")
    link = link_page(settings, facts.date)
    body, room = "", MAX_LENGTH - len(link or "") - 2
    for line in map(_escape_markup, lines):
        if len(body) + len(line) > room:
            break
        body += line + "\n\n"
    return f"Jobs on LinkedIn, {facts.date.isoformat()}", body + (link or "")


def _escape_markup(text: str) -> str:
    """Without what makes a mention, a link or marks in one chat or another."""
    return text.translate(str.maketrans("[]<>*_`", "()‹›∗‗'"))


@contextmanager
def _capture_log() -> Iterator[StringIO]:
    """What apprise logs, kept out of every other log: it names the address."""
    logger = apprise.logger
    propagate, logger.propagate = logger.propagate, False
    try:
        with apprise.LogCapture(level=logging.DEBUG) as captured:  # type: ignore[no-untyped-call]
            yield captured
    finally:
        logger.propagate = propagate

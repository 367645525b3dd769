"""A line in Slack or Microsoft Teams: the verdict, what could not be seen, and where the report is."""

from typing import Any
from urllib.parse import urlsplit

import httpx

from jobrecon.delivery.links import link_page
from jobrecon.errors import ConfigurationError, DeliveryFailed
from jobrecon.reports.causes import Desk, group_by_cause, sort_to_desks
from jobrecon.reports.facts import Facts
from jobrecon.reports.formatting import describe_count
from jobrecon.reports.text import shorten
from jobrecon.reports.verdict import judge
from jobrecon.settings import Settings

HOSTS = {"slack.com": "slack", "webhook.office.com": "teams", "logic.azure.com": "teams", "powerplatform.com": "teams"}
MOST_CAUSES = 5
TEXT_LIMIT = 2_800
"""Slack takes 3,000 characters in a block, Teams 28 KB in a message."""
TIMEOUT_SECONDS = 15


def send_chat(settings: Settings, facts: Facts) -> None:
    """Post the report's message to `JOBRECON_CHAT_URL`. Raises `DeliveryFailed`, never with the address: it is a secret."""
    kind, url = read_address(settings)
    try:
        answer = httpx.post(url, json=make_message(kind, settings, facts), timeout=TIMEOUT_SECONDS)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise DeliveryFailed(f"The chat cannot be reached ({type(error).__name__}). The message was not sent; run again to try.") from None
    except httpx.HTTPError as error:
        raise DeliveryFailed(f"The chat went silent ({type(error).__name__}).", may_have_arrived=True) from None
    if not answer.is_success:
        raise DeliveryFailed(f"The chat refused the message: HTTP {answer.status_code}. Check JOBRECON_CHAT_URL, then run again.")


def read_address(settings: Settings) -> tuple[str, str]:
    """(slack or teams, address), by the host or by `slack+` or `teams+` before the address."""
    text = settings.chat_url.get_secret_value()
    prefix, plus, rest = text.partition("+")
    if plus and prefix in HOSTS.values():
        return prefix, rest
    host = urlsplit(text).hostname or ""
    for known, kind in HOSTS.items():
        if host == known or host.endswith(f".{known}"):
            return kind, text
    raise ConfigurationError(
        "JOBRECON_CHAT_URL is neither Slack's nor Teams'. Nothing was sent. Write slack+ or teams+ before the address to say which it is."
    )


def make_message(kind: str, settings: Settings, facts: Facts) -> dict[str, Any]:
    """The message in the shape of Slack's incoming webhooks or of Teams' workflows. Text from outside is plain text."""
    verdict = ("" if facts.complete else "INCOMPLETE: ") + judge(facts).sentence
    head = f"Jobs on LinkedIn, {facts.date.isoformat()}"
    details = shorten_lines(_list_details(facts), TEXT_LIMIT)
    link = link_page(settings, facts.date)
    if kind == "slack":
        blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": shorten(head, 150), "emoji": False}}]
        blocks += [
            {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
            for text in (shorten(verdict, TEXT_LIMIT), details)
            if text
        ]
        if link:
            button = {"type": "button", "text": {"type": "plain_text", "text": "Open the report"}, "url": link}
            blocks.append({"type": "actions", "elements": [button]})
        return {"text": shorten(_escape_slack(f"{head}: {verdict}"), TEXT_LIMIT), "blocks": blocks}
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": _escape_card(head), "isSubtle": True, "wrap": True},
        {"type": "TextBlock", "text": _escape_card(shorten(verdict, TEXT_LIMIT)), "weight": "Bolder", "size": "Medium", "wrap": True},
    ]
    body += [{"type": "TextBlock", "text": _escape_card(line), "wrap": True, "spacing": "Small"} for line in details.splitlines()]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the report", "url": link}]
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


def _list_details(facts: Facts) -> list[str]:
    lines = [f"Not seen: {shorten(reason, 300)}" for reason in facts.incomplete_reasons[:5]]
    causes = group_by_cause(sort_to_desks(facts.open_findings)[Desk.TODAY])
    lines += [f"{describe_count(cause.job_count, 'job')}: {shorten(cause.reason, 200)}" for cause in causes[:MOST_CAUSES]]
    if len(causes) > MOST_CAUSES:
        lines.append(f"and {describe_count(len(causes) - MOST_CAUSES, 'more cause')}")
    return lines


def shorten_lines(lines: list[str], limit: int) -> str:
    """As many whole lines as fit."""
    kept: list[str] = []
    for line in lines:
        if sum(len(each) + 1 for each in kept) + len(line) > limit:
            break
        kept.append(line)
    return "\n".join(kept)


def _escape_slack(text: str) -> str:
    """Without the three characters that make mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_card(text: str) -> str:
    """Without what makes links or marks in a card's markdown."""
    return text.translate(str.maketrans("[]<>*_`", "()‹›∗‗'"))

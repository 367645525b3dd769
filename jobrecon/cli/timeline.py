"""A job's story for a person at a terminal."""

from datetime import datetime
from typing import Any

from jobrecon.cli.console import out, print_table, say


def print_story(story: dict[str, Any]) -> None:
    """Where the job stands, what happened in order of time, what to do next."""
    now = story["now"]
    title = f" “{now['title']}”" if now["title"] else ""
    owner = ", ".join(part for part in (now["customer"], now["account_manager"]) if part)
    say(f"{story['external_job_posting_id']}{title} ({owner or story['application_urn']})", style="bold")
    if story["as_of"]:
        say(f"As of {_moment(story['as_of'])}: should be {_word(now['expected_listing'])}, LinkedIn says {_word(now['listing_status'])}.")
    else:
        say("No run has looked at it yet.")
    if now["job_posting_url"]:
        say(now["job_posting_url"])
    out.print()
    print_table(
        "",
        ["when (UTC)", "what", "happened"],
        [
            [_moment(event["happened_at"]), event["event"], event["what"] + (f"\n{event['detail']}" if event["detail"] else "")]
            for event in story["events"]
        ],
    )
    out.print()
    if not story["open_findings"]:
        say("Nothing is known to be wrong with it." if story["as_of"] else "Run `jobrecon run` to learn more.")
    for finding in story["open_findings"]:
        say(
            f"{finding['kind']} ({finding['facet']}, {finding['severity']}) since {_moment(finding['since'])}: {finding['reason']}",
            style="bold",
        )
        say(
            f"  {finding['owner'].capitalize()} has to act: {finding['next_action']}"
            if finding["owner"] != "LINKEDIN"
            else f"  {finding['next_action']}"
        )
    out.print()


def _moment(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S") if value else ""


def _word(value: str | None) -> str:
    return {"LISTED": "listed", "NOT_LISTED": "not listed", "IN_PROGRESS": "in progress", "UNKNOWN": "unknown", None: "nothing"}.get(
        value, str(value)
    )

"""A job's timeline for a person at a terminal."""

from datetime import datetime
from typing import Any

from jobrecon.cli.console import echo, out, print_table

STATUSES = {"LISTED": "listed", "NOT_LISTED": "not listed", "IN_PROGRESS": "in progress", "UNKNOWN": "unknown", None: "nothing"}


def print_timeline(timeline: dict[str, Any]) -> None:
    """Where the job stands, what happened in order of time, what to do next."""
    now = timeline["now"]
    title = f" “{now['title']}”" if now["title"] else ""
    owner = ", ".join(part for part in (now["customer"], now["account_manager"]) if part)
    echo(f"{timeline['external_job_posting_id']}{title} ({owner or timeline['application_urn']})", style="bold")
    if timeline["as_of"]:
        expected, listing = (STATUSES.get(now[name], str(now[name])) for name in ("expected_listing", "listing_status"))
        echo(f"As of {_format(timeline['as_of'])}: should be {expected}, LinkedIn says {listing}.")
    else:
        echo("No run has checked it yet.")
    if now["job_posting_url"]:
        echo(now["job_posting_url"])
    out.print()
    print_table(
        "",
        ["when (UTC)", "what", "happened"],
        [
            [_format(event["happened_at"]), event["event"], event["what"] + (f"\n{event['detail']}" if event["detail"] else "")]
            for event in timeline["events"]
        ],
    )
    out.print()
    if not timeline["open_findings"]:
        echo("Nothing is known to be wrong with it." if timeline["as_of"] else "Run `jobrecon run` to learn more.")
    for finding in timeline["open_findings"]:
        place = f" in {finding['location']}" if finding["location"] else ""
        echo(
            f"{finding['kind']} ({finding['facet']}, {finding['severity']}){place} since {_format(finding['since'])}: {finding['reason']}",
            style="bold",
        )
        echo(f"  What to do: {finding['next_action']}")
    out.print()


def _format(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""

"""What a flow run shows in Prefect: the progress of polling, a summary, the worst findings, what to do today, a link to the report."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import (
    acreate_link_artifact,
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from jobrecon.delivery.mail import link_page
from jobrecon.reconcile.summary import RunSummary
from jobrecon.reports.facts import Facts, Queue, list_rows
from jobrecon.reports.formatting import describe_age, describe_moment, shorten
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published

WORST_ROWS = 200
"""Prefect stores every version of an artifact; the report has the whole list."""

TEXT_LIMIT = 500
BAR_LENGTH = 24
"""Characters of the longest bar."""
HARMLESS = str.maketrans("<>[]`", "‹›()'")
"""Replaces the characters of HTML, links and code in markdown by similar ones."""


def name_key(name: str, shard: str) -> str:
    """An artifact's key: the runs of each shard have artifacts of their own."""
    return f"{name}-{shard}" if shard else name


class Progress:
    """The progress of polling as an artifact. Errors of Prefect's API do not stop polling."""

    def __init__(self, shard: str = "") -> None:
        self._key = name_key("polling", shard)
        self._artifact: UUID | None = None
        self._update: asyncio.Task[None] | None = None

    def advance(self, part: float) -> None:
        """Update in the background; skipped while the last update is still running."""
        if self._update is None or self._update.done():
            self._update = asyncio.create_task(self.update(part))

    async def end(self) -> None:
        if self._update is not None:
            await self._update
        await self.update(1)

    async def update(self, part: float) -> None:
        try:
            if self._artifact is None:
                self._artifact = await acreate_progress_artifact(100 * part, key=self._key, description="Due tasks polled in this run")
            else:
                await aupdate_progress_artifact(self._artifact, 100 * part)
        except Exception as error:  # noqa: BLE001  whatever it is, polling goes on
            get_run_logger().warning("The progress artifact cannot be updated (%s).", type(error).__name__)


async def show_summary(summary: RunSummary, reasons: list[str], settings: Settings) -> None:
    """The run's counters as markdown, with a bar chart of the open findings."""
    rows = {
        "as of": summary.as_of.isoformat(timespec="seconds"),
        "tasks polled": f"{summary.tasks_polled:,} of {summary.tasks_due:,} due ({summary.tasks_pending:,} pending)",
        "tasks settled": f"{summary.tasks_settled:,}",
        "polling": summary.polling_sentence,
        "calls": f"{summary.calls_used:,} used, {summary.calls_left:,} left today",
        "notifications merged": f"{summary.notifications_merged:,}",
        "findings": f"{summary.findings_opened:,} opened, {summary.findings_resolved:,} resolved, {summary.findings_open:,} open",
    }
    lines = [
        f"# {summary.state.capitalize()}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
    ]
    with open_published(settings) as warehouse:
        kinds = warehouse.read("findings/select_open_by_kind")
    lines += _draw_bars({row["kind"]: row["open"] for row in kinds})
    lines += _list_reasons(reasons)
    key = name_key("reconcile-summary", settings.shard)
    await acreate_markdown_artifact("\n".join(lines), key=key, description="The last reconciliation")


async def show_findings(settings: Settings) -> None:
    """The worst open findings, as a table."""
    with open_published(settings) as warehouse:
        rows = warehouse.read("findings/select_worst_findings", row_limit=WORST_ROWS)
    await _show_table(rows, name_key("worst-findings", settings.shard), f"The worst open findings, at most {WORST_ROWS}")


async def show_report(page: Path, verdict: str, facts: Facts, settings: Settings) -> None:
    """The day's verdict with a bar chart of the open findings, the actions for today, and a link to the report."""
    lines = [f"# {verdict}", *_draw_bars(facts.open_by_kind), *_list_reasons(facts.reasons_for_people)]
    await acreate_markdown_artifact("\n".join(lines), key="daily-summary", description=verdict)
    today = [
        {
            # Few columns: Prefect's page gives all the same width and cuts off what does not fit.
            "job": f"{finding.external_job_posting_id} {finding.title or ''}",
            "customer": f"{finding.customer or '(none)'}, {finding.account_manager}",
            "what happened": finding.reason,
            "what to do": finding.next_action,
            "since": f"{describe_age(finding.age)}, {describe_moment(finding.since, facts.zone)}",
        }
        for finding in list_rows(facts.select_queue(Queue.CUSTOMER)[:WORST_ROWS])
    ]
    await _show_table(today, "do-today", f"What customers have to be asked for today, worst first, at most {WORST_ROWS}")
    address = link_page(settings, facts.date)
    # Browsers do not open local files from a server's page: without an address the text is the path.
    path = page.absolute()
    await acreate_link_artifact(link=address or path.as_uri(), link_text=address or str(path), key="daily-report", description=verdict)


async def _show_table(rows: Iterable[Mapping[str, Any]], key: str, description: str) -> None:
    table = [{name: _make_cell(value) for name, value in row.items()} for row in rows]
    await acreate_table_artifact(table, key=key, description=description)


def _draw_bars(counts: Mapping[str, int]) -> list[str]:
    """A bar chart as text: of Prefect's two UIs one draws no diagrams, the other draws them dark on dark."""
    longest = max(counts.values(), default=0)
    bars = [
        f"| {shorten(name, TEXT_LIMIT)} | {'█' * max(1, round(BAR_LENGTH * count / longest))} {count:,} |" for name, count in counts.items()
    ]
    return ["", "## Open findings", "", "| | |", "|---|---|", *bars] if bars else []


def _list_reasons(reasons: Iterable[str]) -> list[str]:
    lines = [f"- {_quote(reason)}" for reason in reasons]
    return ["", "## Incomplete", "", *lines] if lines else []


def _make_cell(value: Any) -> str:
    """A value as a table cell. One of Prefect's two UIs renders cells as markdown, the other as plain text."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    text = shorten("" if value is None else str(value), TEXT_LIMIT)
    # No address becomes a link.
    return text.translate(HARMLESS).replace("://", ": //")


def _quote(text: str) -> str:
    """Untrusted text as inline code, where markdown and HTML have no effect."""
    return f"`{shorten(text, TEXT_LIMIT).replace('`', chr(39))}`"

"""Events for Prefect's automations: findings opened and resolved, incomplete runs, a report that can be completed."""

from typing import Any

from prefect.events import emit_event

from jobrecon.clock import utc_now
from jobrecon.reconcile.summary import RunSummary
from jobrecon.reports.formatting import shorten
from jobrecon.reports.glossary import name_issue, name_job
from jobrecon.reports.report import was_incomplete
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published

MAX_EVENTS = 200
"""Per run and change, the most severe first: the first run may open thousands. Each event has the counts."""
TEXT_LIMIT = 500


def emit_events(summary: RunSummary, reasons: list[str], settings: Settings, *, is_sharded: bool = False) -> None:
    """Emit `jobrecon.finding.opened`, `jobrecon.finding.resolved` and, after an incomplete run, `jobrecon.run.incomplete` with the reasons.

    Where there are several shards, `jobrecon.shard.published` too: `gather` runs on it.
    """
    with open_published(settings) as warehouse:
        rows = warehouse.read("reports/select_changed_findings", as_of=summary.as_of, most_rows=MAX_EVENTS)
    counts = {"opened_in_run": summary.findings_opened, "resolved_in_run": summary.findings_resolved}
    for row in rows:
        issue = name_issue(row["kind"], row["facet"])
        job = name_job(None, row["external_job_posting_id"], row["facet"])
        emit_event(
            f"jobrecon.finding.{row['change']}",
            resource={
                "prefect.resource.id": f"jobrecon.finding.{row['finding_id']}",
                "prefect.resource.name": shorten(f"{issue}: {job}{', ' if row['customer'] else ''}{row['customer'] or ''}", TEXT_LIMIT),
                # Automations match on these.
                "jobrecon.kind": str(row["kind"]),
                "jobrecon.severity": str(row["severity"]),
                "jobrecon.owner": str(row["owner"]),
                "jobrecon.customer": shorten(row["customer"], TEXT_LIMIT),
            },
            payload={name: _make_value(value) for name, value in row.items() if name != "change"} | {"issue": issue} | counts,
        )
    if is_sharded:
        shard = settings.shard or "default"
        resource = {"prefect.resource.id": f"jobrecon.shard.{shard}", "prefect.resource.name": f"Shard {shard}"}
        emit_event("jobrecon.shard.published", resource=resource, payload={"as_of": summary.as_of.isoformat()})
    elif summary.is_complete:
        emit_report_ready(settings)
    if not summary.is_complete:
        emit_event(
            "jobrecon.run.incomplete",
            resource={"prefect.resource.id": f"jobrecon.run.{summary.run_id}", "prefect.resource.name": "Incomplete reconciliation"},
            payload={
                "as_of": summary.as_of.isoformat(),
                "shard": settings.shard,
                "reasons": [shorten(reason, TEXT_LIMIT) for reason in reasons[:20]],
            },
        )


def emit_report_ready(settings: Settings) -> None:
    """Emit `jobrecon.report.ready` where today's report was incomplete: now that everything was read it can be written again."""
    today = utc_now().astimezone(settings.zone).date()
    if was_incomplete(settings, today):
        resource = {"prefect.resource.id": f"jobrecon.report.{today}", "prefect.resource.name": f"The report of {today}"}
        emit_event("jobrecon.report.ready", resource=resource, payload={"date": today.isoformat()})


def _make_value(value: Any) -> str | None:
    if value is None:
        return None
    return str(value.isoformat()) if hasattr(value, "isoformat") else shorten(str(value), TEXT_LIMIT)

"""Events for Prefect's automations: findings opened and resolved, incomplete runs."""

from typing import Any

from prefect.events import emit_event

from jobrecon.reconcile.summary import RunSummary
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published

MAX_EVENTS = 200
"""Per run and change, the most severe first: the first run may open thousands. Each event has the counts."""
TEXT_LIMIT = 500


def emit_events(summary: RunSummary, settings: Settings, *, is_sharded: bool = False) -> None:
    """Emit `jobrecon.finding.opened`, `jobrecon.finding.resolved` and, after an incomplete run, `jobrecon.run.incomplete`.

    Where there are several shards, `jobrecon.shard.published` too: `gather` runs on it.
    """
    with open_published(settings) as warehouse:
        rows = warehouse.read("reports/select_changed_findings", as_of=summary.as_of, most_rows=MAX_EVENTS)
    counts = {"opened_in_run": summary.findings_opened, "resolved_in_run": summary.findings_resolved}
    for row in rows:
        emit_event(
            f"jobrecon.finding.{row['change']}",
            resource={
                "prefect.resource.id": f"jobrecon.finding.{row['finding_id']}",
                "prefect.resource.name": _shorten(f"{row['kind']} {row['external_job_posting_id']}"),
                # Automations match on these.
                "jobrecon.kind": str(row["kind"]),
                "jobrecon.severity": str(row["severity"]),
                "jobrecon.owner": str(row["owner"]),
                "jobrecon.customer": _shorten(row["customer"]),
            },
            payload={name: _make_value(value) for name, value in row.items() if name != "change"} | counts,
        )
    if is_sharded:
        shard = settings.shard or "default"
        resource = {"prefect.resource.id": f"jobrecon.shard.{shard}", "prefect.resource.name": shard}
        emit_event("jobrecon.shard.published", resource=resource, payload={"as_of": summary.as_of.isoformat()})
    if not summary.is_complete:
        emit_event(
            "jobrecon.run.incomplete",
            resource={"prefect.resource.id": f"jobrecon.run.{summary.run_id}", "prefect.resource.name": "reconcile"},
            payload={
                "as_of": summary.as_of.isoformat(),
                "shard": settings.shard,
                "reasons": [_shorten(reason) for reason in summary.incomplete_reasons[:20]],
            },
        )


def _make_value(value: Any) -> str | None:
    if value is None:
        return None
    return str(value.isoformat()) if hasattr(value, "isoformat") else _shorten(str(value))


def _shorten(text: Any) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in str(text or "")[:TEXT_LIMIT]).split())

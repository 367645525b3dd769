"""What was acknowledged and what was charged, and whether it is so: the judge of every stage."""

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson

from jobrecon.clock import utc_now
from jobrecon.landing import open_landing
from jobrecon.linkedin.ledger import read_ledger

NUMBER = re.compile(r"/view/(\d+)")


@dataclass
class Oracle:
    """Collects what a home was trusted with, and compares it with what the home holds."""

    tasks: set[str] = field(default_factory=set)
    """URNs of tasks in files whose import ended with 0."""
    notifications: set[int] = field(default_factory=set)
    """Numbers of notifications that got a 200, or whose import ended with 0."""

    def note_tasks(self, file: Path) -> None:
        self.tasks |= {orjson.loads(line)["task_urn"] for line in file.read_bytes().splitlines()}

    def find_violations(self, home: Path, summary: dict[str, Any]) -> list[str]:
        """What is not as acknowledged, after a run and a report that ended with 0. Empty: all holds."""
        found = self._compare_tables(home)
        flow = summary["roll_forward"]
        if flow["open_before"] + flow["new"] - flow["resolved"] != flow["open_now"]:
            found.append(f"the roll-forward does not balance: {flow}")
        if left := [str(path) for path in home.rglob("*") if path.name.endswith((".fresh", ".tmp")) and path.is_file()]:
            found.append(f"left behind: {left}")
        return found

    def _compare_tables(self, home: Path) -> list[str]:
        found = []
        with duckdb.connect(home / "published" / "jobrecon.duckdb", read_only=True) as published:

            def rows(statement: str) -> list[tuple[Any, ...]]:
                return published.execute(statement).fetchall()

            urns = [urn for (urn,) in rows("select task_urn from job_tasks")]
            if missing := self.tasks - set(urns):
                found.append(f"{len(missing)} imported tasks are missing")
            if len(urns) != len(set(urns)):
                found.append(f"{len(urns) - len(set(urns))} tasks are there twice")
            numbers = [int(match[1]) for (url,) in rows("select job_posting_url from notifications") if (match := NUMBER.search(url or ""))]
            if lost := self.notifications - set(numbers):
                found.append(f"{len(lost)} acknowledged notifications are missing")
            if len(numbers) != len(set(numbers)):
                found.append(f"{len(numbers) - len(set(numbers))} notifications are there twice")
            for name, statement in MUST_BE_EMPTY.items():
                if wrong := rows(statement):
                    found.append(f"{name}: {wrong[:3]}")
        return found


MUST_BE_EMPTY = {
    "a status was recorded twice": "select task_urn, status from task_status_changes group by all having count(*) > 1",
    "a finding is open twice": "select finding_key from findings where resolved_at is null group by all having count(*) > 1",
    "a job is there twice": "select external_job_posting_id from job_postings group by application_urn, external_job_posting_id having count(*) > 1",
    "a run is still going": "select run_id from runs where state = 'RUNNING'",
    "a day does not balance": """
        select *
        from daily_roll_forward
        qualify open_before <> lag(open_now) over (partition by account_manager order by day) or open_before + new_count - resolved_count <> open_now
    """,
}


def count_charged(landing_url: str, since: dt.date | None = None) -> "Counter[str]":
    """Calls that the ledger has from the UTC day `since` on, by default for today; by resource."""
    engine = open_landing(landing_url)
    charged: Counter[str] = Counter()
    for row in read_ledger(engine, since or utc_now().date()):
        charged[row["resource"]] += row["calls_used"]
    engine.dispose()
    return charged


def find_overcharges(received: dict[str, int], charged: "Counter[str]", call_limit: int) -> list[str]:
    """Resources of which LinkedIn received more calls today than the ledger has, or the ledger has more than the limit."""
    found = [
        f"LinkedIn received {received[resource]} calls to {resource}, the ledger has {charged[resource]}"
        for resource in ("simpleJobPostingTasks", "jobPostingStatus")
        if received[resource] > charged[resource]
    ]
    if charged["simpleJobPostingTasks"] > call_limit:
        found.append(f"{charged['simpleJobPostingTasks']} of {call_limit} calls were charged")
    return found


def read_summary(output: str) -> dict[str, Any]:
    """The JSON object that a command printed among its log lines."""
    line = next(line for line in reversed(output.splitlines()) if line.startswith("{"))
    summary: dict[str, Any] = json.loads(line)
    return summary

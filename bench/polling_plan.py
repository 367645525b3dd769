"""How long does the plan of one tick take at ten million pending tasks? In a process of its own, over a warehouse file just opened."""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import run_measured
from jobrecon.reconcile.plan import Planner
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse

APPLICATION = "urn:li:developerApplication:1001"
AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
TASK_COUNT = 10_000_000
NOTIFIED_COUNT = 200_000
ID_LIMIT = 2_083 * 59
"""A tick of ten minutes of 300,000 calls a day."""
ROOT = Path(__file__).parent.parent

TASKS = """
insert into job_tasks by name
with made as (
    select
        n,
        (30 * 86400e6 * (n + 0.5) / $task_count::bigint)::bigint as age
    from range($task_count::bigint) as numbers(n)
),

looked_at as (
    select
        *,
        $as_of::timestamptz - to_microseconds(age) as requested_at,
        -- Seen at some moment of the last 22 hours, or of its life where that is shorter.
        $as_of::timestamptz - to_microseconds((least(age, 22 * 3600e6) * ((hash(n) % 999983 + 1) / 999984))::bigint) as polled_at
    from made
)

select
    'urn:li:simpleJobPostingTask:' || uuid() as task_urn,
    $application_urn::varchar as application_urn,
    'REQ-2026-' || (n // 3) as external_job_posting_id,
    'Senior Software Engineer ' || n as title,
    case n % 4 when 0 then 'CREATE' when 1 then 'UPDATE' when 2 then 'RENEW' else 'CLOSE' end as operation,
    requested_at,
    requested_at as imported_at,
    'PENDING' as state,
    'IN_PROGRESS' as status,
    5 as poll_count,
    requested_at as first_polled_at,
    polled_at as last_polled_at,
    polled_at as last_pending_at,
    0 as not_found_count
from looked_at
"""

NOTIFICATIONS = """
insert into notifications by name
select
    $application_urn::varchar as application_urn,
    'REQ-2026-' || (hash(n) % ($task_count::bigint // 3)) as external_job_posting_id,
    $as_of::timestamptz - to_microseconds((86400e6 * (n + 0.5) / $notified_count::bigint)::bigint) as received_at
from range($notified_count::bigint) as numbers(n)
"""


def describe_plan() -> str:
    """Make the tasks, plan a tick over them three times in a process of its own, and tell how long it took."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make_tasks(Settings(_env_file=None, home=home))
        figure = run_measured([sys.executable, "-m", "bench.polling_plan", name], cwd=ROOT)
    lines = [
        f"### The plan of one tick: {ID_LIMIT:,} of {TASK_COUNT:,} pending tasks",
        "",
        "| | seconds | CPU seconds |",
        "|---|---|---|",
    ]
    plans = json.loads(figure.output.splitlines()[-1])
    for label, plan in zip(("the warehouse just opened", "again", "again"), plans, strict=True):
        lines.append(f"| {label} | {plan['seconds']:.1f} | {plan['cpu_seconds']:.1f} |")
    lines += ["", f"Peak memory {figure.peak_bytes / 1e6:,.0f} MB. Goal: ≤ 5 s.", ""]
    return "\n".join(lines)


def make_tasks(settings: Settings) -> None:
    """Pending tasks of one application, of all ages up to 30 days, and a day's notifications."""
    values = {"application_urn": APPLICATION, "as_of": AS_OF, "task_count": TASK_COUNT}
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute(TASKS, values)
        warehouse.connection.execute(NOTIFICATIONS, values | {"notified_count": NOTIFIED_COUNT})
        warehouse.connection.execute("checkpoint")


def measure_plans(home: Path) -> list[dict[str, float]]:
    """Wall and CPU seconds of three plans, one after the other."""
    figures = []
    with open_warehouse(Settings(_env_file=None, home=home)) as warehouse:
        planner = Planner(warehouse, warehouse.settings, AS_OF)
        for _ in range(3):
            began, cpu_began = time.monotonic(), time.process_time()
            plan = planner.plan(APPLICATION, ID_LIMIT)
            figures.append({"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu_began})
            if len(plan.task_urns) != ID_LIMIT:
                raise RuntimeError(f"{len(plan.task_urns):,} tasks planned, not {ID_LIMIT:,}")
    return figures


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure_plans(Path(sys.argv[1]))) + "\n")

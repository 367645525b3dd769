"""One tick of a large warehouse: what a run costs in which few tasks changed, among few and among many jobs.

`python -m bench.ticks tick` is one run in the home of the environment, stage by stage; it prints what each stage took as JSON.
"""

import asyncio
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.fake_linkedin import APPLICATION, serve
from bench.measure import Figure, run_measured
from jobrecon.applications import Application, Applications
from jobrecon.clock import utc_now
from jobrecon.ingest import import_tasks
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.settings import Settings, load_settings
from jobrecon.warehouse import open_warehouse

# Requested within the last 20 hours, so that no job is due for its daily check or for being confirmed.
TASKS = """
insert into job_tasks by name
select
    'urn:li:simpleJobPostingTask:old-' || n as task_urn,
    $urn::varchar as application_urn,
    'REQ-2026-' || n as external_job_posting_id,
    'Senior Software Engineer ' || n as title,
    'CREATE' as operation,
    $now::timestamptz - to_seconds(20000 + n % 50000) as requested_at,
    $now::timestamptz as imported_at,
    'SETTLED' as state,
    case when hash(n) % 50 = 0 then 'FAILED' else 'SUCCEEDED' end as status,
    case when hash(n) % 50 = 0 then 'The location lacks a postal code.' end as error_message,
    2 as poll_count,
    0 as not_found_count,
    requested_at + interval 5 minutes as first_polled_at,
    requested_at + interval 10 minutes as last_polled_at,
    requested_at + interval 10 minutes as status_changed_at
from range($count::bigint) as made(n)
"""
DELIVERIES = """
insert into notification_deliveries by name
select
    'delivery-' || n as delivery_id,
    $urn::varchar as application_urn,
    'REQ-2026-' || n as external_job_posting_id,
    'JOB_POSTING_STATUS' as type,
    $now::timestamptz - to_seconds(20000 + n % 50000 - 900) as received_at,
    n as arrival,
    md5(n::varchar) as body_hash,
    json_object(
        'type', 'JOB_POSTING_STATUS', 'developerApplicationUrn', $urn::varchar, 'externalJobPostingId', 'REQ-2026-' || n,
        'listingStatus', 'LISTED', 'linkedInApplyStatus', 'ENABLED'
    ) as payload
from range($count::bigint) as made(n)
where n % 2 = 0
"""
NOTIFICATIONS = """
insert into notifications by name
select
    delivery_id as notification_id,
    application_urn,
    external_job_posting_id,
    type,
    received_at,
    received_at as last_received_at,
    arrival,
    1 as deliveries,
    'LISTED' as listing_status,
    'ENABLED' as apply_status,
    payload
from notification_deliveries
"""


def fill_warehouse(settings: Settings, count: int) -> None:
    """A warehouse with `count` jobs of which the outcome is known, half of them with a notification; none is examined yet."""
    values = {"urn": APPLICATION.urn, "now": utc_now(), "count": count}
    with open_warehouse(settings) as warehouse:
        for text in (TASKS, DELIVERIES, NOTIFICATIONS):
            warehouse.connection.execute(text, {name: value for name, value in values.items() if f"${name}" in text})


def make_home(settings: Settings, count: int, changed: int, tasks: Path) -> None:
    """A warehouse with `count` jobs, all examined; then new tasks."""
    now = utc_now()
    fill_warehouse(settings, count - changed)
    with open_reconciliation(settings, now - timedelta(minutes=10)) as run:
        run.pull()
        run.update_findings()
        run.publish()
    with open_warehouse(settings) as warehouse:
        import_tasks(warehouse, tasks, Applications([Application(APPLICATION.urn, APPLICATION.client_id, [], "Acme")]), now)
        warehouse.publish()


def run_tick(settings: Settings) -> dict[str, Any]:
    """One run: seconds, CPU seconds and peak megabytes of each stage, and what it wrote."""
    stages: dict[str, list[float]] = {}

    def measure(name: str, work: Callable[[], object]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        stages[name] = [time.perf_counter() - wall, time.process_time() - cpu, peak]

    with open_reconciliation(settings) as run:
        stages["start and open"] = [0, time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000]
        measure("pull", run.pull)
        measure("ingest_notifications", run.ingest_notifications)
        measure("poll", lambda: asyncio.run(run.poll()))
        measure("check", lambda: asyncio.run(run.check()))
        measure("update_findings", run.update_findings)
        measure("publish", run.publish)
    return {
        "stages": stages,
        "touched": run.summary.jobs_touched,
        "settled": run.summary.tasks_settled,
        "opened": run.summary.findings_opened,
    }


def describe_ticks(counts: list[int], changed: int = 2_000) -> str:
    """A table of stages, a column for each number of jobs."""
    with tempfile.TemporaryDirectory() as name, serve(Path(name), changed) as environment:
        tasks = str(Path(name) / "tasks.parquet")
        results = [_measure(Path(name), environment, ["make", str(count), str(changed), tasks]) for count in counts]
    return _tabulate(f"A tick in which {changed:,} tasks changed", counts, results)


def describe_first_run(counts: list[int]) -> str:
    """The same of a run that examines everything, and in which nothing is polled."""
    with tempfile.TemporaryDirectory() as name, serve(Path(name), 1) as environment:
        results = [_measure(Path(name), environment | {"JOBRECON_CHECKS": "off"}, ["fill", str(count)]) for count in counts]
    return _tabulate("The first run", counts, results)


def _measure(folder: Path, environment: dict[str, str], preparation: list[str]) -> tuple[Figure, dict[str, Any]]:
    """What a run took in a home that is prepared first, and what it wrote."""
    home = {"JOBRECON_HOME": str(folder / "home"), "JOBRECON_TICK_SECONDS": "600"}
    run_measured([sys.executable, "-m", "bench.ticks", *preparation], environment | home)
    figure = run_measured([sys.executable, "-m", "bench.ticks", "tick"], environment | home)
    shutil.rmtree(folder / "home")
    return figure, json.loads(next(line for line in figure.output.splitlines() if line.startswith("{")))


def _tabulate(heading: str, counts: list[int], results: list[tuple[Figure, dict[str, Any]]]) -> str:
    lines = [
        f"### {heading}",
        "",
        "| CPU seconds | " + " | ".join(f"{count:,} jobs" for count in counts) + " |",
        "|---|" + "---|" * len(counts),
        *(
            f"| {stage} | " + " | ".join(f"{result['stages'][stage][1]:.2f}" for _, result in results) + " |"
            for stage in results[0][1]["stages"]
        ),
        "| **whole process, CPU seconds** | " + " | ".join(f"**{figure.cpu_seconds:.1f}**" for figure, _ in results) + " |",
        "| whole process, seconds | " + " | ".join(f"{figure.seconds:.1f}" for figure, _ in results) + " |",
        "| peak memory | " + " | ".join(f"{figure.peak_bytes / 1e6:,.0f} MB" for figure, _ in results) + " |",
        "| tasks settled | " + " | ".join(f"{result['settled']:,}" for _, result in results) + " |",
        "| jobs examined | " + " | ".join(f"{result['touched']:,}" for _, result in results) + " |",
        "| findings opened | " + " | ".join(f"{result['opened']:,}" for _, result in results) + " |",
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    settings = load_settings()
    match sys.argv[1]:
        case "fill":
            fill_warehouse(settings, int(sys.argv[2]))
        case "make":
            make_home(settings, int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
        case _:
            print(json.dumps(run_tick(settings)))


if __name__ == "__main__":
    main()

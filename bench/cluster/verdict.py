"""The judge: what the cluster must have kept, read from the lake, the joined copy, the fake LinkedIn and the report."""

import os
from collections import Counter
from typing import Any

import orjson

from bench.cluster.machines import Cluster
from bench.cluster.partner import CALL_LIMIT, JOBS, SHARDS, read_calls
from jobrecon.settings import Settings, load_settings
from jobrecon.warehouse import open_published


def find_differences(cluster: Cluster, acknowledged: set[str]) -> list[str]:
    """What does not hold. Reads with the settings of a worker."""
    for name in [name for name in os.environ if name.startswith("JOBRECON_")]:
        del os.environ[name]
    os.environ.update(cluster.environment("worker-1"))
    merged = count_merged(cluster)
    wrong = []
    for job in sorted(acknowledged):
        counts = {shard or "default": counter[job] for shard, counter in merged.items() if counter[job]}
        if list(counts.values()) != [1]:
            wrong.append(f"{job} is merged {counts or 'nowhere'}, must be once in one shard")
    with open_published(read_settings(cluster)) as reader:
        used = reader.connection.execute("select application_urn, max(calls_used) from call_budget group by all").fetchall()
        joined = {job for (job,) in reader.connection.execute("select external_job_posting_id from notifications").fetchall()}
        running = reader.connection.execute("select count(*) from runs where state = 'RUNNING'").fetchall()
    wrong += [f"{name}: {calls} calls charged, limit {CALL_LIMIT}" for name, calls in used if calls > CALL_LIMIT]
    wrong += [f"{name} was called {calls} times" for name, calls in read_calls(cluster.linkedin).items() if calls > CALL_LIMIT]
    wrong += [f"{job} is not in the joined copy" for job in sorted(acknowledged - joined)]
    if running != [(0,)]:
        wrong.append("a run is still RUNNING in the joined copy")
    return wrong + judge_report(cluster)


def count_merged(cluster: Cluster) -> dict[str, Counter[str]]:
    """How often each job's delivery was merged, by shard."""
    merged: dict[str, Counter[str]] = {}
    for shard in SHARDS.values():
        settings = read_settings(cluster, shard=shard, published=cluster.folder / "none.duckdb")
        with open_published(settings) as reader:
            rows = reader.connection.execute("select external_job_posting_id from notification_deliveries").fetchall()
            merged[shard] = Counter(job for (job,) in rows)
    return merged


def judge_report(cluster: Cluster) -> list[str]:
    (summary,) = cluster.folder.glob("shared/reports/*/summary.json")
    content = orjson.loads(summary.read_bytes())
    wrong = []
    if not content["complete"]:
        wrong.append(f"the report is incomplete: {content['incomplete_reasons']}")
    if content["jobs"] < 2 * JOBS:
        wrong.append(f"the report counts {content['jobs']} jobs, must be {2 * JOBS} at least")
    return wrong


def read_settings(cluster: Cluster, **overrides: Any) -> Settings:
    return load_settings(home=cluster.folder / "reader", **overrides)

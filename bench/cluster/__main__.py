"""Several machines as processes of this one: a lake on PostgreSQL and S3, Prefect, two workers, two receivers, two shards.

A worker with its run and a receiver are killed on the way. Each notification that a receiver acknowledged has to be merged by exactly
one shard, once; no application may have more calls charged than its limit; the dead run has to be marked, its shard go on elsewhere,
`gather` follow each run by its automation and the report over all shards be complete. Exits 1 where one of that does not hold.
"""

import re
import sys
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cluster.machines import Cluster, open_cluster
from bench.cluster.partner import JOBS, Sender, post_jobs, read_calls, urn
from bench.cluster.picture import take_picture
from bench.cluster.prefect import FlowRun, wait_until
from bench.cluster.processes import Process, kill
from bench.cluster.verdict import count_merged, find_differences
from tests.flows.prefect_stack import find_free_port

DEFAULT, OTHER = "reconcile/reconcile", "reconcile/reconcile-b"
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "cluster.png"
STARTED = time.monotonic()


def live(cluster: Cluster) -> tuple[Sender, list[str]]:
    """The cluster's life; returns the sender, who knows what was acknowledged, and what went wrong with the flow runs."""
    tasks = cluster.folder / "project" / "tasks.json"
    post_jobs(cluster.linkedin, tasks)
    cluster.run("worker-1", "tasks", "import", str(tasks))
    cluster.run("worker-2", "tasks", "import", str(tasks), JOBRECON_SHARD="b")
    say(f"{2 * JOBS} tasks posted and imported")
    with ExitStack() as stack:
        machines: dict[str, Process] = {}
        stack.callback(lambda: [kill(process) for process in machines.values()])
        ports = {"webhook-1": find_free_port(), "webhook-2": find_free_port()}
        machines |= {name: cluster.start(name, port) for name, port in ports.items()}
        machines |= {name: cluster.start(name) for name in ("worker-1", "worker-2")}
        sender = Sender(list(ports.values()))
        sender.start()
        stack.callback(sender.end)
        first, doomed = cluster.prefect.start(DEFAULT), cluster.prefect.start(OTHER)
        victim = wait_for_the_middle(cluster, doomed)
        died = datetime.now(UTC)
        count = kill(machines[victim]) + kill(machines["webhook-1"])
        say(
            f"{victim} with the run of shard b and a receiver are killed, {count} processes; {len(sender.acknowledged):,} acknowledged so far"
        )
        machines["webhook-1"] = cluster.start("webhook-1", ports["webhook-1"])
        wrong = follow_the_dead(cluster, first, doomed, died)
        machines[victim] = cluster.start(victim)
        sender.end()
        say(f"{victim} is back; no more notifications are sent")
        wrong += finish(cluster)
    return sender, wrong


def wait_for_the_middle(cluster: Cluster, run: FlowRun) -> str:
    """Until LinkedIn was called for shard b: its run is in the middle. Returns the worker that has it."""

    def read() -> str | None:
        if not read_calls(cluster.linkedin)[urn(1002)]:
            return None
        state = cluster.prefect.read(run)
        if state.has_ended:
            raise RuntimeError(f"the run of shard b ended before it could be killed: {state.state}: {state.message}")
        return state.id

    run_id = wait_until("a call for shard b", read)
    for name in ("worker-1", "worker-2"):
        if run_id in (cluster.folder / f"{name}.log").read_text(encoding="utf-8"):
            return name
    raise RuntimeError(f"no worker's log names the flow run {run_id}")


def follow_the_dead(cluster: Cluster, first: FlowRun, doomed: FlowRun, died: datetime) -> list[str]:
    """One machine is left: the other shard goes on, the dead run is marked, and then its shard goes on too."""
    wrong = []
    prefect = cluster.prefect
    successor = prefect.start(OTHER)
    if (ended := prefect.wait(first)).state != "Completed":
        wrong.append(f"the run of the other shard ended as {ended.state}: {ended.message}")
    gathered = prefect.wait_for_gather(first.created, "Incomplete")
    say(f"the other shard's run is Completed; gather: {gathered.state}: {gathered.message[:110]}")
    if "The shard b is missing" not in gathered.message:
        wrong.append(f"gather does not name the missing shard: {gathered.message}")
    dead = prefect.wait(doomed)
    say(f"the dead run is {dead.state} ({dead.message}) {(datetime.now(UTC) - died).total_seconds():.0f} s after its death")
    if dead.state != "Crashed":
        wrong.append(f"the dead run ended as {dead.state}")
    if (ended := prefect.wait(successor)).state != "Completed":
        wrong.append(f"the next run of shard b ended as {ended.state}: {ended.message}")
    say(f"the next run of shard b is {ended.state}, {(datetime.now(UTC) - died).total_seconds():.0f} s after the death: {ended.message}")
    gathered = prefect.wait_for_gather(dead.created, "Completed")
    say(f"gather: {gathered.message}")
    return wrong


def finish(cluster: Cluster) -> list[str]:
    """Both shards once more, at once; what they published is gathered by the automation; the report."""
    prefect = cluster.prefect
    since = datetime.now(UTC)
    runs = [prefect.wait(run) for run in [prefect.start(DEFAULT), prefect.start(OTHER)]]
    wrong = [f"{run.facts['name']} ended as {run.state}: {run.message}" for run in runs if run.state != "Completed"]
    gathered = prefect.wait_for_gather(since, "Completed")
    if gathered.started_by != "AUTOMATION":
        wrong.append(f"gather was started by {gathered.started_by}, not by its automation")
    say(f"both shards ran at once; gather, started by its automation: {gathered.message}")
    report = prefect.wait(prefect.start("daily-report/daily-report"))
    say(f"daily-report: {report.state}: {report.message}")
    if report.state != "Completed":
        wrong.append(f"the daily report ended as {report.state}: {report.message}")
    prefect.wait_for_all()
    return wrong


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", flush=True)


def main() -> int:
    with TemporaryDirectory(prefix="cluster-", ignore_cleanup_errors=True) as folder, open_cluster(Path(folder)) as cluster:
        say("PostgreSQL, an S3-compatible store, the fake LinkedIn and Prefect serve; the deployments are made")
        sender, wrong = live(cluster)
        wrong += find_differences(cluster, sender.acknowledged)
        merged = {shard or "default": sum(counts.values()) for shard, counts in count_merged(cluster).items()}
        say(f"{len(sender.acknowledged):,} notifications acknowledged, {sender.failed:,} not; merged: {merged}")
        say(f"calls to LinkedIn: {read_calls(cluster.linkedin)}")
        for flow in ("reconcile", "gather", "daily-report"):
            say(f"flow runs of {flow}: {dict(Counter(run.state for run in cluster.prefect.list_runs(flow)))}")
        if "--picture" in sys.argv:
            say(take_picture(cluster.prefect_address, PICTURE))
    for line in wrong[:20]:
        print(f"WRONG: {re.sub(r'secret-[a-z0-9]+', '***', line)}")
    say(f"{len(wrong)} differences" if wrong else "all holds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

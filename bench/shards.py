"""Three shards at once, gathered after each tick, against one run over everything; for some ticks the secret of one shard is missing."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from jobrecon.reconcile.summary import RunSummary
from jobrecon.sandbox import World, create_app
from jobrecon.webhook.server import serve_in_thread
from tests.postgres import open_postgres
from tests.reconcile.shard_harness import SHARDS, START, Deployment, live_tick, make_lake_address, make_world, urn, write_tasks

TICK = timedelta(hours=2)
NEW_TASKS = 8
LOST = 1003
"""The application of shard b whose secret is missing in the middle third of the ticks."""


def describe_shards(ticks: int = 20) -> str:
    lines = [
        f"### Shards at once and gathered, against one run over everything, {ticks} ticks",
        "",
        "| warehouses | tables and views compared | rows of them after the last tick | findings opened | ticks without shard b's secret | differences | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    with open_postgres() as server:
        for kind in ("files", "lake in PostgreSQL"):
            with TemporaryDirectory(prefix="shards-") as folder:
                address = make_lake_address(server.get_uri(), Path(folder)) if kind != "files" else ""
                lines.append(f"| {kind} | {compare(Path(folder), address, ticks)} |")
                print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def compare(folder: Path, address: str, ticks: int) -> str:
    """Live so many ticks; returns the figures. Raises `AssertionError` at the first difference."""
    started = time.monotonic()
    rng, world = random.Random(3), make_world()
    with ExitStack() as stack:
        for number in SHARDS:
            stack.enter_context(secret(number))
        url = stack.enter_context(serve_in_thread(create_app(world)))
        whole = Deployment(folder / "whole", dict.fromkeys(SHARDS, ""), url)
        shards = Deployment(folder / "shards", SHARDS, url, warehouse=address)
        tasks = folder / "tasks.ndjson"
        write_tasks(tasks, world)
        lost = range(ticks // 3, 2 * ticks // 3)
        for number in range(ticks):
            for deployment in (whole, shards):
                deployment.import_tasks(tasks)
            now = START + (number + 1) * TICK
            if number == lost.start:
                del os.environ[f"SECRET_{LOST}"]
                world.expire_tokens()
            if number == lost.stop:
                os.environ[f"SECRET_{LOST}"] = f"secret-{LOST}"
            [of_whole], of_shards = (list(each.values()) for each in live_tick(world, [whole, shards], now, rng))
            judge_states(of_whole, of_shards, shards, is_lost=number in lost)
            assert shards.gather(now).incomplete_reasons == []
            expected = whole.read_all()
            for name, rows in shards.read_all().items():
                assert rows == expected[name], f"tick {number + 1}: {name} differs"
            if number in lost:
                ended = f"select count(*) from findings where application_urn = '{urn(LOST)}' and resolved_at = '{now.isoformat()}'"
                assert shards.read(ended) == [(0,)], f"tick {number + 1}: a finding of {LOST} was resolved"
            write_new_tasks(tasks, world, rng)
            print(f"tick {number + 1} of {ticks}: equal, {time.monotonic() - started:.0f} s", flush=True)
    rows_count = sum(map(len, expected.values()))
    return f"{len(expected)} | {rows_count:,} | {len(expected['findings']):,} | {len(lost)} | 0 | {time.monotonic() - started:.0f}"


def judge_states(whole: RunSummary, shards: list[RunSummary], deployment: Deployment, *, is_lost: bool) -> None:
    """While the secret is missing its shard is INCOMPLETE and names it, and no other."""
    states = dict(zip(deployment.names, (run.state for run in shards), strict=True))
    expected = {name: "INCOMPLETE" if is_lost and name == SHARDS[LOST] else "COMPLETED" for name in deployment.names}
    assert states == expected, states
    assert whole.state == ("INCOMPLETE" if is_lost else "COMPLETED"), whole.incomplete_reasons
    for run in (whole, *shards):
        assert (run.failed_applications == [urn(LOST)]) == (run.state == "INCOMPLETE"), run.failed_applications


def write_new_tasks(file: Path, world: World, rng: random.Random) -> None:
    """Requests about known and new jobs of all applications."""
    rows = []
    for _ in range(NEW_TASKS):
        application = world.applications[urn(rng.choice(list(SHARDS)))]
        operation = rng.choice(["CREATE", "UPDATE", "RENEW", "CLOSE"])
        task = world.submit(application, external_id=f"job-{rng.randrange(40)}", operation=operation)
        rows.append(world.task_row(application, task))
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


@contextmanager
def secret(number: int) -> Iterator[None]:
    os.environ[f"SECRET_{number}"] = f"secret-{number}"
    try:
        yield
    finally:
        os.environ.pop(f"SECRET_{number}", None)

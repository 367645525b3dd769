"""The HTTP stage alone: packing, charging, sending and parsing, on loopback and with LinkedIn's latency.

On loopback it is measured beside bare aiohttp that sends the same calls and parses their JSON: an upper bound. With latency
the wall time is compared with what the waiting alone takes.

`python -m bench.http_stage ours|bare TASKS_PARQUET` does one of them, in the environment of the fake LinkedIn.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import orjson
import pyarrow.parquet as parquet
from yarl import URL

from bench.fake_linkedin import serve
from bench.measure import run_measured
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.batches import build_query, pack
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.tasks import TaskClient
from jobrecon.settings import Settings, load_settings

COUNT = 100_000
TRIES = 3
LATENCY_SECONDS = 0.2
COMMAND = [sys.executable, "-m", "bench.http_stage"]


def describe_http_stage() -> str:
    """Calls a second of both on loopback, alternating, the best of three each; then ours with latency, once."""
    with tempfile.TemporaryDirectory() as name:
        folder, tasks = Path(name), str(Path(name) / "tasks.parquet")
        figures: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
        with serve(folder, COUNT) as environment:
            for kind in ["ours", "bare"] * TRIES:
                figures[kind].append(_measure(kind, tasks, environment))
        with serve(folder, COUNT, LATENCY_SECONDS) as environment:
            late = _measure("ours", tasks, environment)
    best = {kind: min(tries, key=lambda each: each["seconds"]) for kind, tries in figures.items()}
    names = {"ours": "ours: packed, charged, sent, parsed", "bare": "bare aiohttp: packed, sent, JSON parsed"}
    waiting = late["calls"] * LATENCY_SECONDS / late["in_flight"]
    return "\n".join(
        [
            f"### {COUNT:,} tasks polled, {best['ours']['calls']:,} calls, {COUNT / best['ours']['calls']:.1f} ids a call",
            "",
            "| loopback | calls a second | CPU seconds |",
            "|---|---|---|",
            *(f"| {names[kind]} | {each['calls'] / each['seconds']:,.0f} | {each['cpu']:.1f} |" for kind, each in best.items()),
            "",
            f"With {LATENCY_SECONDS * 1000:.0f} ms of latency and {late['in_flight']} calls in flight: {late['seconds']:.1f} s, "
            f"{late['cpu']:.1f} s of CPU. Wall time ÷ waiting ({waiting:.1f} s): **{late['seconds'] / waiting:.2f}** (goal: ≤ 1.10)",
            "",
        ]
    )


def _measure(kind: str, tasks: str, environment: dict[str, str]) -> dict[str, float]:
    figures: dict[str, float] = json.loads(run_measured([*COMMAND, kind, tasks], environment).output.splitlines()[-1])
    return figures


async def poll_with_ours(settings: Settings, urns: list[str]) -> int:
    """As a run polls, without plan and warehouse."""
    (application,) = settings.load_applications()
    engine = open_landing(settings.landing_url)
    async with HttpClient() as http:
        client = TaskClient(application, settings, engine, http)
        batches = pack(urns, settings.query_string_limit)

        async def work() -> None:
            for batch in batches:
                async for responses in client.fetch(batch):
                    assert len(responses) == len(batch)

        await asyncio.gather(*(work() for _ in range(settings.concurrency)))
        await client.ledger.refund()
    return client.ledger.calls_used


async def poll_with_aiohttp(settings: Settings, urns: list[str]) -> int:
    """The least that aiohttp can do."""
    count = 0
    async with aiohttp.ClientSession() as session:
        (application,) = settings.load_applications()
        secret = application.load_secrets()[0].get_secret_value()
        form = {"grant_type": "client_credentials", "client_id": application.client_id, "client_secret": secret}
        async with session.post(settings.token_url, data=form) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['access_token']}"}
        queries = (build_query(batch) for batch in pack(urns, settings.query_string_limit))

        async def work() -> None:
            nonlocal count
            for query in queries:
                url = URL(f"{settings.api_url}/v2/simpleJobPostingTasks?{query}", encoded=True)
                async with session.get(url, headers=headers) as response:
                    orjson.loads(await response.read())
                count += 1

        await asyncio.gather(*(work() for _ in range(settings.concurrency)))
    return count


def main() -> None:
    kind, tasks = sys.argv[1:]
    settings = load_settings()
    urns = parquet.read_table(tasks, columns=["task_urn"]).column("task_urn").to_pylist()
    began, cpu = time.monotonic(), time.process_time()
    calls = asyncio.run({"ours": poll_with_ours, "bare": poll_with_aiohttp}[kind](settings, urns))
    figures = {
        "calls": calls,
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "in_flight": settings.concurrency,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()

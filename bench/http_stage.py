"""The HTTP stage alone: packing, charging, asking and reading answers, beside bare aiohttp sending the same
calls and parsing their JSON.

`python -m bench.http_stage ours|bare TASKS_PARQUET` does one of them, in the environment of the stand-in.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import aiohttp
import orjson
import pyarrow.parquet as parquet
from yarl import URL

from bench.fake_linkedin import serve
from bench.measure import run_measured
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.batches import build_query, pack
from jobrecon.linkedin.client import LinkedInClient, open_http
from jobrecon.settings import Settings, load_settings

COUNT = 590_000
TRIES = 3


def describe_http_stage() -> str:
    """Calls a second of both, alternating, the best of three each; and how many ids a call carries."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(folder, COUNT) as environment:
            command = [sys.executable, "-m", "bench.http_stage"]
            tasks = str(folder / "tasks.parquet")
            told: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
            for kind in ["ours", "bare"] * TRIES:
                told[kind].append(json.loads(run_measured([*command, kind, tasks], environment).output.splitlines()[-1]))
    best = {kind: min(tries, key=lambda figures: figures["seconds"]) for kind, tries in told.items()}
    lines = [
        f"### {COUNT:,} tasks asked about, {best['ours']['calls']:,} calls, {COUNT / best['ours']['calls']:.1f} ids a call",
        "",
        "| what | calls a second | CPU seconds |",
        "|---|---|---|",
    ]
    names = {"ours": "ours: packed, charged, asked, read", "bare": "bare aiohttp: packed, asked, JSON parsed"}
    lines += [f"| {names[kind]} | {figures['calls'] / figures['seconds']:,.0f} | {figures['cpu']:.1f} |" for kind, figures in best.items()]
    return "\n".join([*lines, "", f"Ours ÷ bare: **{best['bare']['seconds'] / best['ours']['seconds']:.2f}** (goal: ≥ 0.5)", ""])


async def ask_ours(settings: Settings, urns: list[str]) -> int:
    """As a run asks, without plan and warehouse."""
    (application,) = settings.load_applications()
    engine = open_landing(settings.landing_url)
    async with open_http() as http:
        client = LinkedInClient(application, settings, engine, http)
        batches = pack(urns, settings.query_string_limit)

        async def work() -> None:
            for batch in batches:
                async for answers in client.ask(batch):
                    assert len(answers) == len(batch)

        await asyncio.gather(*(work() for _ in range(settings.concurrency)))
        await client.ledger.release()
    return client.ledger.calls_used


async def ask_bare(settings: Settings, urns: list[str]) -> int:
    """The least that aiohttp can do."""
    count = 0
    async with aiohttp.ClientSession() as session:
        (application,) = settings.load_applications()
        secret = application.load_secrets()[0].get_secret_value()
        form = {"grant_type": "client_credentials", "client_id": application.client_id, "client_secret": secret}
        async with session.post(settings.token_url, data=form) as answer:
            headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
        queries = (build_query(batch) for batch in pack(urns, settings.query_string_limit))

        async def work() -> None:
            nonlocal count
            for query in queries:
                url = URL(f"{settings.api_url}/v2/simpleJobPostingTasks?{query}", encoded=True)
                async with session.get(url, headers=headers) as answer:
                    orjson.loads(await answer.read())
                count += 1

        await asyncio.gather(*(work() for _ in range(settings.concurrency)))
    return count


def main() -> None:
    import time

    kind, tasks = sys.argv[1:]
    urns = parquet.read_table(tasks, columns=["task_urn"]).column("task_urn").to_pylist()
    began, cpu = time.monotonic(), time.process_time()
    calls = asyncio.run({"ours": ask_ours, "bare": ask_bare}[kind](load_settings(), urns))
    sys.stdout.write(json.dumps({"calls": calls, "seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}) + "\n")


if __name__ == "__main__":
    main()

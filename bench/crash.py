"""Kill the receiver with SIGKILL at random moments under load, and count what it had acknowledged: all of it has to be there.

A round starts a real receiver, sends signed notifications over many connections, kills it, and collects each one that got
a 200. At the end a real run merges what has landed.
"""

import asyncio
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.senders import APPLICATION_URN, SECRET, make_request
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.settings import Settings, load_settings

CONNECTIONS = 16
ENVIRONMENT = {
    "JOBRECON_APPLICATION_URN": APPLICATION_URN,
    "JOBRECON_CLIENT_ID": "bench",
    "JOBRECON_CLIENT_SECRET": SECRET.decode(),
}


@contextmanager
def serve_receiver(
    home: Path, landing_url: str | None = None, log: Path | None = None, environment: dict[str, str] | None = None
) -> Iterator[tuple["subprocess.Popen[bytes]", str, int]]:
    """A receiver in a process of its own: the process, host and port. Killed at the end if it still lives."""
    home.mkdir(parents=True, exist_ok=True)
    log = log or home / f"receiver-{random.randrange(10**9)}.log"
    environment = {**os.environ, **ENVIRONMENT, **(environment or {}), "JOBRECON_HOME": str(home)}
    if landing_url:
        environment["JOBRECON_LANDING_URL"] = landing_url
    with log.open("wb") as stream:
        program = [sys.executable, "-m", "jobrecon", "webhook", "--port", "0"]
        process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=stream, cwd=home)
    try:
        for _ in range(600):
            if found := re.search(rb"http://(127\.0\.0\.1):(\d+)/webhook", log.read_bytes()):
                break
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            found = None
        if not found:
            raise RuntimeError(f"the receiver did not start: {log.read_text()[-2000:]}")
        # uvicorn serves a little later than it logs.
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            client.get(f"http://127.0.0.1:{int(found[2])}/healthz")
        yield process, "127.0.0.1", int(found[2])
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def send_until_killed(host: str, port: int, process: "subprocess.Popen[bytes]", numbers: Iterator[int], seconds: float) -> set[int]:
    """Send different notifications until the process is killed after so long; the numbers of those that got a 200."""
    acknowledged: set[int] = set()

    async def send() -> None:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(host, port)
            while True:
                number = next(numbers)
                writer.write(make_request(number))
                response = await reader.readuntil(b"\r\n\r\n")
                if response.startswith(b"HTTP/1.1 200"):
                    acknowledged.add(number)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    senders = [asyncio.create_task(send()) for _ in range(CONNECTIONS)]
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    await asyncio.wait(senders, timeout=20)
    return acknowledged


def crash_receiver(home: Path, rounds: int, landing_url: str | None = None, seed: int = 1) -> tuple[int, list[int], list[int]]:
    """Kill so many times; (how many were acknowledged, which of them are missing in the warehouse, which are there twice)."""
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    numbers = iter(range(10**9))
    for _ in range(rounds):
        with serve_receiver(home, landing_url) as (process, host, port):
            acknowledged |= asyncio.run(send_until_killed(host, port, process, numbers, chance.uniform(0.02, 0.6)))
    overrides = {"landing_url": landing_url} if landing_url else {}
    settings = load_settings(home=home, application_urn=APPLICATION_URN, client_id="bench", client_secret=SECRET.decode(), **overrides)
    found = count_merged(settings)
    return len(acknowledged), sorted(acknowledged - found.keys()), sorted(number for number in acknowledged if found.get(number, 1) != 1)


def count_merged(settings: Settings) -> dict[int, int]:
    """How many notifications the warehouse has of each number after a run."""
    with open_reconciliation(settings) as run:
        run.ingest_notifications()
        rows = run.warehouse.connection.execute(
            "select external_job_posting_id, count(*) from notifications group by external_job_posting_id"
        ).fetchall()
    return {int(job.removeprefix("job-")): count for job, count in rows}

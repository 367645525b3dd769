"""Serve the sandbox in a process of its own: `python -m bench.fake_linkedin FOLDER COUNT LATENCY_SECONDS`; prints its address when it is ready.

Writes the tasks as `tasks.parquet` into the folder, in the order in which they were requested: over the hour that ended
three hours before now, so that most have settled. What the sandbox says of each is made beforehand: what is measured is the client, and both
share the same cores.
"""

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as parquet
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from jobrecon.clock import utc_now
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.webhook.server import listen

PORTIONS = 1_000
APPLICATION = SandboxApplication("urn:li:developerApplication:1001", "bench", ["bench-secret"])


@contextmanager
def serve(folder: Path, count: int, latency_seconds: float = 0) -> Iterator[dict[str, str]]:
    """Serve `count` tasks until the block ends; gives the environment in which `jobrecon` and others find them."""
    command = [sys.executable, "-m", "bench.fake_linkedin", str(folder), str(count), str(latency_seconds)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    assert server.stdout
    try:
        url = json.loads(server.stdout.readline())["url"]
        yield {
            "JOBRECON_HOME": str(folder / "home"),
            "JOBRECON_API_URL": url,
            "JOBRECON_TOKEN_URL": f"{url}/oauth/v2/accessToken",
            "JOBRECON_APPLICATION_URN": APPLICATION.urn,
            "JOBRECON_CLIENT_ID": APPLICATION.client_id,
            "JOBRECON_CLIENT_SECRET": APPLICATION.client_secrets[0],
            "JOBRECON_TICK_SECONDS": "86400",
        }
    finally:
        server.kill()
        server.wait()


def answer_readily(world: World, latency_seconds: float) -> ASGIApp:
    """The sandbox; its responses about tasks only put together from what is ready for each."""
    sandbox = create_app(world)
    ready = {
        urn.encode(): orjson.dumps(urn) + b":" + orjson.dumps(task.result(world.seconds))
        for urn, task in world.applications[APPLICATION.urn].tasks.items()
    }

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/v2/simpleJobPostingTasks":
            return await sandbox(scope, receive, send)
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        if token not in world.tokens:
            return await sandbox(scope, receive, send)
        await asyncio.sleep(latency_seconds)
        ids = scope["query_string"].replace(b"%3A", b":").removeprefix(b"ids=").split(b"&ids=")
        content = b'{"results":{' + b",".join([ready[urn] for urn in ids]) + b'},"statuses":{},"errors":{}}'
        await Response(content, media_type="application/json")(scope, receive, send)

    return respond


def main() -> None:
    folder, count, latency_seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    world = World([APPLICATION], utc_now() - timedelta(hours=4), seed=3, call_limit=10**9)
    rows: list[dict[str, Any]] = []
    for portion in range(PORTIONS):
        rows += world.create_tasks(APPLICATION.urn, count * (portion + 1) // PORTIONS - len(rows))
        world.seconds += 3600 / PORTIONS
    parquet.write_table(pa.Table.from_pylist(rows), folder / "tasks.parquet")
    del rows
    world.seconds += 3 * 3600
    app = answer_readily(world, latency_seconds)
    # The collector need not go through all tasks again and again.
    gc.freeze()
    listener = listen("127.0.0.1", 0)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, ws="none")).run(sockets=[listener])


if __name__ == "__main__":
    main()

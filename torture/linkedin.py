"""A fake LinkedIn in a process of its own, with the tasks of a partner, that counts each call it receives."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from jobrecon.clock import utc_now
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.webhook.server import listen
from torture.processes import CONTEXT

URN = "urn:li:developerApplication:1001"
SECRET = "torture-secret"
FILES, TASKS_A_FILE = 400, 10
LATENCY_SECONDS = 0.2
"""A call that takes a while is often killed between being charged and its response."""


class LinkedIn:
    """The served fake: its address, the partner's files of tasks, and the calls received."""

    def __init__(self, url: str, files: list[Path]) -> None:
        self.url = url
        self.files = files

    def count_calls(self) -> dict[str, int]:
        """Calls received today, by resource."""
        state = httpx.get(f"{self.url}/control/state").json()["applications"][URN]
        return {name: calls["today"] for name, calls in state["calls"].items()}

    def inject(self, **faults: Any) -> None:
        httpx.post(f"{self.url}/control/faults", json=faults).raise_for_status()


@contextmanager
def serve_linkedin(folder: Path) -> Iterator[LinkedIn]:
    """Serve it until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    listener = listen("127.0.0.1", 0)
    files = [folder / f"tasks-{number}.ndjson" for number in range(FILES)]
    is_ready = CONTEXT.Event()
    process = CONTEXT.Process(target=_serve, args=(listener, files, is_ready), daemon=True)
    process.start()
    listener_port = listener.getsockname()[1]
    listener.close()
    try:
        if not is_ready.wait(60):
            raise RuntimeError("the fake LinkedIn did not start")
        yield LinkedIn(f"http://127.0.0.1:{listener_port}", files)
    finally:
        process.kill()
        process.join()


def _serve(listener: Any, files: list[Path], is_ready: Any) -> None:
    world = World([SandboxApplication(URN, "torture", [SECRET])], utc_now() - timedelta(hours=4), seed=7, call_limit=10**9)
    for file in files:
        rows = world.create_tasks(URN, TASKS_A_FILE)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        world.seconds += 3 * 3600 / len(files)
    world.seconds = utc_now().timestamp()
    world.is_ticking = True
    is_ready.set()
    uvicorn.Server(uvicorn.Config(create_app(world), log_level="critical", access_log=False, ws="none")).run(sockets=[listener])

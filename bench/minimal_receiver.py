"""The baseline: the least that can be served by the same server and still commits each body before it says 200.

`python -m bench.minimal_receiver FOLDER single|shared` prints its address. No signature, no parsing, no
metrics, no log: one table with one column. `single` makes a commit for each body, `shared` one for all that wait.
"""

import asyncio
import json
import queue
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import uvicorn

from jobrecon.webhook.server import listen


class Committer:
    """One thread that inserts bodies and commits, each alone or all that wait at once."""

    def __init__(self, path: Path, *, is_shared: bool) -> None:
        self._waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None], asyncio.AbstractEventLoop]] = queue.SimpleQueue()
        self._path = path
        self._is_shared = is_shared
        threading.Thread(target=self._write, daemon=True).start()

    def commit(self, body: bytes) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.put((body, done, loop))
        return done

    def _write(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("create table bodies (body blob not null)")
        while True:
            batch = [self._waiting.get()]
            while self._is_shared and len(batch) < 200 and not self._waiting.empty():
                batch.append(self._waiting.get())
            connection.execute("begin")
            connection.executemany("insert into bodies values (?)", [(body,) for body, _, _ in batch])
            connection.execute("commit")
            batch[0][2].call_soon_threadsafe(_settle, [done for _, done, _ in batch])


def _settle(batch: "list[asyncio.Future[None]]") -> None:
    for done in batch:
        if not done.done():
            done.set_result(None)


def create_minimal_app(committer: Committer) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await committer.commit(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


def main() -> None:
    app = create_minimal_app(Committer(Path(sys.argv[1]) / "minimal.db", is_shared=sys.argv[2] == "shared"))
    listener = listen("127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    uvicorn.Server(uvicorn.Config(app, http="httptools", loop="uvloop", ws="none", lifespan="off", log_config=None, access_log=False)).run(
        sockets=[listener]
    )


if __name__ == "__main__":
    main()

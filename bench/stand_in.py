"""Serve the sandbox in a process of its own: `python -m bench.stand_in FOLDER COUNT`; prints its address when it is ready.

Writes the tasks as `tasks.parquet` into the folder. All were requested three hours before now and most have settled.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import uvicorn

from jobrecon.clock import utc_now
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.serving import listen

APPLICATION = SandboxApplication("urn:li:developerApplication:1001", "bench", ["bench-secret"])


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    world = World([APPLICATION], utc_now() - timedelta(hours=3), seed=3, call_limit=10**9)
    rows = world.create_tasks(APPLICATION.urn, count)
    parquet.write_table(pa.Table.from_pylist(rows), folder / "tasks.parquet")
    del rows
    world.seconds += 3 * 3600
    listener = listen("127.0.0.1", 0)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(create_app(world), log_level="critical", access_log=False, ws="none")).run(sockets=[listener])


if __name__ == "__main__":
    main()

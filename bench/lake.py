"""A lake after 50 ticks, before and after `maintain`: files, snapshots, size; a reader of the tagged snapshot reads on meanwhile."""

import random
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench.shards import TICK, secret, write_new_tasks
from jobrecon.clock import utc_now
from jobrecon.reconcile.maintenance import maintain
from jobrecon.sandbox import create_app
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published
from jobrecon.warehouse.lake import CLEANUP_DELAY, read_lake_address
from jobrecon.webhook.server import serve_in_thread
from tests.postgres import open_postgres
from tests.reconcile.shard_harness import SHARDS, START, Deployment, live_tick, make_lake_address, make_world, write_tasks

SHARD = "b"
COUNT = "select count(*), count(distinct run_id) from task_status_changes"


def describe_lake(ticks: int = 50) -> str:
    lines = [
        f"### A lake in PostgreSQL after {ticks} ticks of one shard, each with new tasks and notifications",
        "",
        "| when | files | MB of files | snapshots | MB in PostgreSQL |",
        "|---|---|---|---|---|",
    ]
    rng, world = random.Random(5), make_world()
    with ExitStack() as stack:
        postgres = stack.enter_context(open_postgres()).get_uri()
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="lake-")))
        for number in SHARDS:
            stack.enter_context(secret(number))
        url = stack.enter_context(serve_in_thread(create_app(world)))
        deployment = Deployment(folder / "home", SHARDS, url, warehouse=make_lake_address(postgres, folder))
        deployment.names = [SHARD]
        settings = deployment.settings(SHARD)
        tasks = folder / "tasks.ndjson"
        write_tasks(tasks, world)
        seconds = []
        for number in range(ticks):
            deployment.import_tasks(tasks)
            began = time.monotonic()
            live_tick(world, [deployment], START + (number + 1) * TICK, rng)
            seconds.append(time.monotonic() - began)
            write_new_tasks(tasks, world, rng)
        lines.append(f"| after {ticks} ticks | {describe(settings, folder)} |")
        with Reader(settings) as reader:
            began = time.monotonic()
            # Snapshots are as old as this machine's clock says: a week and a day later, with the settings' defaults.
            result = maintain(settings, utc_now() + timedelta(days=settings.snapshot_days + 1))
            took = time.monotonic() - began
        lines.append(f"| after `maintain`, when they are older than 7 days | {describe(settings, folder)} |")
        live_tick(world, [deployment], START + (ticks + 1) * TICK, rng)
        lines.append(f"| after one tick more | {describe(settings, folder)} |")
    lines += [
        "",
        f"`maintain` took {took:.1f} s, expired {result.snapshots:,} snapshots and deleted {result.files:,} files; files that became "
        f"unneeded by it go with the next one, after {CLEANUP_DELAY.seconds // 3600} h. A reader that had attached the tagged snapshot before read "
        f"{reader.count:,} times meanwhile, the same rows each time, without an error. The first ten ticks took {sum(seconds[:10]) / 10:.1f} s "
        f"each, the last ten {sum(seconds[-10:]) / 10:.1f} s.",
    ]
    return "\n".join(lines) + "\n"


def describe(settings: Settings, folder: Path) -> str:
    files = [path for path in (folder / f"lake-{SHARD}").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    lake = read_lake_address(settings.warehouse, SHARD)
    assert lake.database
    with psycopg.connect(lake.database) as connection:
        (snapshots,) = connection.execute(f'select count(*) from "{lake.schema}".ducklake_snapshot').fetchone() or (0,)
        query = "select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = %s"
        (catalog,) = connection.execute(f"{query} and relkind = 'r'", [lake.schema]).fetchone() or (0,)
    return f"{len(files):,} | {size:.1f} | {snapshots:,} | {int(catalog) / 1e6:.1f}"


class Reader(threading.Thread):
    """Reads the tagged snapshot again and again until the block ends."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.count = 0
        self._published = open_published(settings)
        self._is_ended = threading.Event()
        self._error: Exception | None = None

    def __enter__(self) -> "Reader":
        self._connection = self._published.__enter__().connection
        self._first = self._connection.execute(COUNT).fetchall()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_ended.set()
        self.join()
        self._read()
        self._published.__exit__(None, None, None)
        if self._error:
            raise self._error

    def run(self) -> None:
        try:
            while not self._is_ended.is_set():
                self._read()
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error

    def _read(self) -> None:
        assert self._connection.execute(COUNT).fetchall() == self._first
        self.count += 1

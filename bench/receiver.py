"""The receiver beside a minimal one on the same server: acknowledgements a second, latencies, and slow senders.

Both are served by uvicorn on httptools and uvloop, in a process of their own, on SQLite. The baselines only commit the body:
`single` with a commit for each, the way one writes it first, `shared` with one commit for all that wait. Rounds alternate
and the median of each is reported, so that a noisy machine is noisy for all.
"""

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.crash import crash_receiver, serve_receiver
from bench.fuzz import fuzz_receiver
from bench.senders import Acknowledged
from bench.strangers import measure_strangers

ROOT = Path(__file__).parent.parent
CONNECTIONS = (1, 64, 256)
SECONDS = 3.0
ROUNDS = 3
SLOW_SENDERS = 500
CRASHES = 200
FUZZ_SECONDS = 60
STRANGERS = 100_000
FSYNC_MILLISECONDS = 5
SLOW_FSYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int fd) { usleep(%d); return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd); }
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
"""
NAMES = {"ours": "`jobrecon webhook`", "single": "minimal, a commit for each body", "shared": "minimal, shared commits"}


@contextlib.contextmanager
def serve_minimal(folder: Path, kind: str) -> Iterator[tuple[str, int]]:
    """The baseline in a process of its own."""
    folder.mkdir()
    program = [sys.executable, "-m", "bench.minimal_receiver", str(folder), kind]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    try:
        host, _, port = json.loads(process.stdout.readline())["url"].removeprefix("http://").partition(":")
        yield host, int(port)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serve(kind: str, folder: Path) -> Iterator[tuple[str, int]]:
    if kind == "ours":
        with serve_receiver(folder / kind) as (_, host, port):
            yield host, port
    else:
        with serve_minimal(folder / kind, kind) as address:
            yield address


@contextlib.contextmanager
def hold_sockets(address: tuple[str, int], count: int) -> Iterator[None]:
    """As many senders that send a byte of their header now and then, and reconnect when they are closed."""
    is_over = threading.Event()
    held: list[socket.socket] = []

    def connect() -> socket.socket:
        connection = socket.create_connection(address, timeout=10)
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: slow\r\nX-Slow: ")
        return connection

    def dribble() -> None:
        while not is_over.wait(0.5):
            for index, connection in enumerate(held):
                try:
                    connection.sendall(b"a")
                except OSError:
                    connection.close()
                    with contextlib.suppress(OSError):
                        held[index] = connect()

    held += [connect() for _ in range(count)]
    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        for connection in held:
            connection.close()


def send(address: tuple[str, int], connections: int) -> Acknowledged:
    """Load from a process of its own."""
    program = [sys.executable, "-m", "bench.senders", f"{address[0]}:{address[1]}", str(connections), str(SECONDS)]
    output = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=True, timeout=SECONDS + 30).stdout
    return Acknowledged(**json.loads(output))


def measure_acknowledgements() -> dict[tuple[str, str], Acknowledged]:
    """The median round of each receiver and number of connections; and of ours while slow senders hold sockets."""
    rounds: dict[tuple[str, str], list[Acknowledged]] = {}
    for _ in range(ROUNDS):
        for kind in NAMES:
            with tempfile.TemporaryDirectory() as name, serve(kind, Path(name)) as address:
                for connections in CONNECTIONS:
                    rounds.setdefault((kind, str(connections)), []).append(send(address, connections))
                if kind == "ours":
                    with hold_sockets(address, SLOW_SENDERS):
                        time.sleep(1)
                        rounds.setdefault((kind, f"64, and {SLOW_SENDERS} slow senders"), []).append(send(address, 64))
    return {key: _find_median(found) for key, found in rounds.items()}


def measure_on_slow_disk(folder: Path) -> Acknowledged:
    """64 connections, with a delay under SQLite: each fsync of the receiver takes so much longer."""
    (folder / "slow_fsync.c").write_text(SLOW_FSYNC % (FSYNC_MILLISECONDS * 1000))
    library = folder / "slow_fsync.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, folder / "slow_fsync.c", "-ldl"], check=True)
    with serve_receiver(folder / "home", environment={"LD_PRELOAD": str(library)}) as (_, host, port):
        return send((host, port), 64)


def _find_median(found: list[Acknowledged]) -> Acknowledged:
    return Acknowledged(
        per_second=statistics.median(one.per_second for one in found),
        p50_milliseconds=statistics.median(one.p50_milliseconds for one in found),
        p99_milliseconds=statistics.median(one.p99_milliseconds for one in found),
        others=sum(one.others for one in found),
    )


def measure_receiver() -> str:
    """All of it, as the block `receiver` of docs/performance.md."""
    figures = measure_acknowledgements()
    lines = [
        "| receiver | connections | durable 200s a second | p50 | p99 | other responses |",
        "|---|---|---|---|---|---|",
    ]
    for (kind, connections), one in sorted(figures.items(), key=lambda item: (list(NAMES).index(item[0][0]), len(item[0][1]), item[0][1])):
        times = f"{one.p50_milliseconds:.1f} ms | {one.p99_milliseconds:.1f} ms"
        lines.append(f"| {NAMES[kind]} | {connections} | {one.per_second:,.0f} | {times} | {one.others} |")
    ours, slow = figures["ours", "64"], figures["ours", f"64, and {SLOW_SENDERS} slow senders"]
    lines += [
        "",
        f"At 64 connections, ours ÷ minimal with a commit for each: **{ours.per_second / figures['single', '64'].per_second:.2f}**; "
        f"÷ minimal with shared commits: **{ours.per_second / figures['shared', '64'].per_second:.2f}**. "
        f"p99 with {SLOW_SENDERS} slow senders ÷ without: **{slow.p99_milliseconds / ours.p99_milliseconds:.2f}**.",
    ]
    with tempfile.TemporaryDirectory() as name:
        slow_disk = measure_on_slow_disk(Path(name))
    lines.append(
        f"\nOn a disk whose fsync takes {FSYNC_MILLISECONDS} ms longer, at 64 connections: "
        f"**{slow_disk.per_second:,.0f}** durable 200s a second, p99 {slow_disk.p99_milliseconds:.1f} ms."
    )
    with tempfile.TemporaryDirectory() as name:
        count, missing, doubled = crash_receiver(Path(name) / "home", CRASHES)
    lines.append(f"\n{CRASHES} × SIGKILL under load: {count:,} acknowledged, {len(missing)} of them missing, {len(doubled)} doubled.")
    with tempfile.TemporaryDirectory() as name:
        fuzzed = fuzz_receiver(Path(name), FUZZ_SECONDS)
    lines.append(f"\n{fuzzed}\n")
    lines.append(measure_strangers(STRANGERS))
    return "\n".join(lines)

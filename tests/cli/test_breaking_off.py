"""A run that meets a lock, a full disk or a kill: it reports it, nothing is lost, and the next one works."""

import resource
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobrecon.warehouse import open_warehouse
from tests.cli.conftest import ACME, NOW, User


@contextmanager
def another_process(code: str, *arguments: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed a line; it runs until the block ends, or until it reads an empty line."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


HOLD_FILE = """
    import sys, duckdb
    connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2:] == ["read"])
    print("held", flush=True)
    sys.stdin.readline()
    print(connection.execute("select count(*) from runs").fetchone()[0], flush=True)
"""


LEAVE_LOG = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("pragma disable_checkpoint_on_shutdown")
connection.execute("update job_tasks set title = 'a name ' || range from range(1000)")
os._exit(0)
"""


def run(user: User) -> subprocess.CompletedProcess[str]:
    return user.run("run", "--as-of", NOW.isoformat())


def post_and_run(user: User) -> bytes:
    """One complete run; returns the published copy."""
    user.post("job-1", status="FAILED", error="Job description is too short.")
    assert user.run("tasks", "import", user.write_tasks()).returncode == 0
    assert run(user).returncode == 0
    return user.published.read_bytes()


def states(user: User, path: Path | None = None) -> list[str]:
    return [state for (state,) in user.read("select state from runs order by started_at", path)]


@contextmanager
def run_under_way(user: User) -> Iterator[subprocess.Popen[str]]:
    """`jobrecon run` as a process of its own, waiting for a slow response while polling."""
    calls = user.world.applications[ACME].calls["simpleJobPostingTasks"]
    before = calls.total
    user.world.faults.latency_seconds = 30
    with user.start("run", "--as-of", NOW.isoformat()) as process:
        deadline = time.monotonic() + 30
        while calls.total == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        user.world.faults.latency_seconds = 0
        try:
            yield process
        finally:
            process.kill()


def post_more(user: User, count: int) -> None:
    for number in range(count):
        user.post(f"more-{number}")
    user.run("tasks", "import", user.write_tasks())


def test_a_warehouse_that_another_command_holds_is_1_and_names_it(user: User) -> None:
    post_and_run(user)
    post_more(user, 1)
    with run_under_way(user) as first:
        second = run(user)
        assert second.returncode == 1
        assert f"is open for writing in process {first.pid} on {socket.gethostname()[:24]} (jobrecon run), since " in second.stderr
        assert "Waited 1 s. Nothing was changed" in second.stderr


def test_a_writers_file_that_a_foreign_program_holds_is_1_and_says_what_to_do(user: User) -> None:
    before = post_and_run(user)
    with another_process(HOLD_FILE, user.home / "warehouse.duckdb") as holder:
        refused = run(user)
        assert refused.returncode == 1
        assert "WarehouseLocked" in refused.stderr
        assert str(holder.pid) in refused.stderr
        assert "published copy" in refused.stderr
    assert user.published.read_bytes() == before
    assert run(user).returncode == 0


def test_a_reader_of_the_published_copy_keeps_it_while_a_run_publishes(user: User) -> None:
    post_and_run(user)
    with another_process(HOLD_FILE, user.published, Path("read")) as reader:
        assert run(user).returncode == 0
        printed, _ = reader.communicate("\n", timeout=20)
        assert printed == "1\n"
    assert len(states(user)) == 2


def test_a_run_that_is_killed_is_failed_and_the_next_one_goes_on(user: User) -> None:
    post_and_run(user)
    post_more(user, 200)
    with run_under_way(user) as process:
        process.send_signal(signal.SIGKILL)
    assert run(user).returncode == 0
    assert states(user) == ["COMPLETED", "FAILED", "COMPLETED"]
    assert user.read("select count(*) from job_tasks where state = 'SETTLED'") == [(201,)]
    assert user.read("select count(*), count(distinct task_urn) from task_status_changes") == [(201, 201)]


def test_an_interrupted_run_ends_with_1_and_a_plain_message(user: User) -> None:
    post_and_run(user)
    post_more(user, 1)
    with run_under_way(user) as process:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == "Interrupted. What was committed stays; run it again to go on."
    assert states(user, user.home / "warehouse.duckdb") == ["COMPLETED", "FAILED"]


def test_a_copy_that_cannot_be_published_is_1_and_the_next_run_is_fine(user: User) -> None:
    before = post_and_run(user)
    (user.home / "published").rename(user.home / "moved")
    (user.home / "published").touch()
    failed = run(user)
    assert failed.returncode == 1
    assert "PublishFailed" in failed.stderr
    assert "the previous copy is unchanged" in failed.stderr
    assert states(user, user.home / "warehouse.duckdb") == ["COMPLETED", "FAILED"]

    (user.home / "published").unlink()
    (user.home / "moved").rename(user.home / "published")
    assert user.published.read_bytes() == before
    assert run(user).returncode == 0
    assert states(user) == ["COMPLETED", "FAILED", "COMPLETED"]


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size`, as on a full disk. (Python ignores the signal that would end it.)"""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_disk_that_is_full_is_1_without_a_traceback_and_the_next_run_is_fine(user: User) -> None:
    before = post_and_run(user)
    post_more(user, 1000)
    warehouse = user.home / "warehouse.duckdb"
    size = warehouse.stat().st_size
    seen = set()
    for limit in (20_000, size - 1, size + 200_000):
        with files_limited_to(limit):
            failed = run(user)
        assert failed.returncode in (0, 1), failed.stderr
        if failed.returncode == 1:
            seen.add(failed.stderr.strip().splitlines()[-1].split(":")[0])
            assert user.published.read_bytes() == before
        else:
            before = user.published.read_bytes()
    assert seen
    assert run(user).returncode == 0
    assert not list(user.published.parent.glob(".*"))
    assert user.read("select count(*) from job_tasks where state = 'SETTLED'") == [(1001,)]
    assert states(user)[-1] == "COMPLETED"
    assert "RUNNING" not in states(user)


def test_changes_that_cannot_be_replayed_are_set_aside_with_a_warning(user: User) -> None:
    post_and_run(user)
    subprocess.run([sys.executable, "-c", LEAVE_LOG, str(user.home / "warehouse.duckdb")], check=True)
    log = user.home / "warehouse.duckdb.wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0xFF
    log.write_bytes(content)
    finished = user.run_process("run", "--as-of", NOW.isoformat())
    assert finished.returncode == 0
    assert "WARNING" in finished.stderr
    assert "were moved to" in finished.stderr
    assert len(list(user.home.glob("warehouse.duckdb.wal.broken-*"))) == 1
    assert states(user) == ["COMPLETED", "COMPLETED"]


def test_a_file_that_is_no_warehouse_is_1_and_left_alone(user: User) -> None:
    user.home.mkdir()
    path = user.home / "warehouse.duckdb"
    for content in (b"SQLite format 3\0" + bytes(4096), b"just text", bytes(20_000)):
        path.write_bytes(content)
        finished = run(user)
        assert finished.returncode == 1
        assert "cannot be opened as a DuckDB warehouse" in finished.stderr
        assert path.read_bytes() == content


def test_a_published_copy_that_cannot_be_read_is_1_and_says_what_to_do(user: User) -> None:
    post_and_run(user)
    user.published.write_bytes(b"torn")
    finished = user.run("explain", "job-1")
    assert finished.returncode == 1
    assert "Run `jobrecon run`: it makes a new copy." in finished.stderr
    assert run(user).returncode == 0
    assert user.run("explain", "job-1").returncode == 0


def test_a_home_that_cannot_be_made_is_1(user: User) -> None:
    user.home.touch()
    finished = run(user)
    assert finished.returncode == 1
    assert "Error: " in finished.stderr


def test_an_import_waits_for_a_writer_like_a_run(user: User) -> None:
    path = user.folder / "bodies.ndjson"
    path.write_text("{}\n", encoding="utf-8")
    with open_warehouse(user.settings):
        refused = user.run("notifications", "import", path)
        assert refused.returncode == 1
        assert "WarehouseLocked" in refused.stderr
    assert "1 rows rejected" in user.run("notifications", "import", path).stdout

"""Every N-th write, fsync and rename of a command fails: ENOSPC from then on, or EIO once. By strace's fault injection."""

import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torture.home import Home, Violation, make_body, open_home
from torture.linkedin import LinkedIn
from torture.processes import Command, Ended
from torture.receiver import choose_port, post, wait_until_served

SYSCALLS = {
    "write": "write,pwrite64,writev,pwritev,sendfile,copy_file_range,fallocate,ftruncate",
    "fsync": "fsync,fdatasync",
    "rename": "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat",
}
ERRORS = {"ENOSPC": "+", "EIO": ""}
"""A full disk stays full; an error of a sector need not come again."""
STAGES: dict[str, list[str]] = {
    "import": ["tasks", "import", "TASKS"],
    "notifications": ["notifications", "import", "NOTIFICATIONS"],
    "run": ["run"],
    "report": ["report", "--mail"],
    "maintain": ["maintain"],
    "redrive": ["webhook", "redrive"],
}
POSTS = 5


@dataclass(frozen=True)
class Fault:
    """One of the calls of a kind fails at its `number`-th time."""

    kind: str
    error: str
    number: int

    @property
    def options(self) -> list[str]:
        names = SYSCALLS[self.kind]
        return ["-e", f"trace={names}", "-e", f"inject={names}:error={self.error}:when={self.number}{ERRORS[self.error]}"]


@contextmanager
def traced(command: Command, options: list[str], output: Path) -> Iterator[None]:
    """Have strace follow the stopped command, then let it go on."""
    wait_for_status(command, r"State:\s+T")
    tracer = subprocess.Popen(
        ["strace", "-f", "-y", "-qq", "-o", str(output), *options, "-p", str(command.pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        wait_for_status(command, r"TracerPid:\s+[1-9]")
        command.resume()
        yield
    finally:
        try:
            tracer.wait(30)
        except subprocess.TimeoutExpired:
            tracer.kill()


def wait_for_status(command: Command, pattern: str) -> None:
    """Wait until the kernel says so of the process. Raises `RuntimeError`."""
    deadline = time.monotonic() + 20
    while not re.search(pattern, Path(f"/proc/{command.pid}/status").read_text()):
        if time.monotonic() > deadline:
            raise RuntimeError("strace cannot follow a process here")
        time.sleep(0.005)


def run_stage(home: Home, stage: str, options: list[str], output: Path) -> Ended:
    """Run a stage's command under strace to its end; the receiver gets some notifications."""
    if stage == "receiver":
        port = choose_port()
        command = home.start("webhook", "--port", str(port), is_stopped=True)
        with traced(command, options, output):
            if wait_until_served(port, command):
                for number in home.take_numbers(POSTS):
                    if post(port, make_body(number).encode()) == 200:
                        home.oracle.notifications.add(number)
            ended = command.end(signal.SIGTERM)
        return ended
    files = {"TASKS": home.linkedin.files[home.next_file], "NOTIFICATIONS": home.folder / "notifications.ndjson"}
    numbers = home.take_numbers(10)
    if stage == "notifications":
        home.write_notifications(numbers)
    command = home.start(*(str(files.get(word, word)) for word in STAGES[stage]), is_stopped=True)
    with traced(command, options, output):
        ended = command.wait()
    if ended.status == 0:
        if stage == "import":
            home.oracle.note_tasks(home.take_file())
        if stage == "notifications":
            home.oracle.notifications |= set(numbers)
    return ended


def list_paths(home: Home, trace: str, names: str) -> list[str]:
    """The files of the home that the calls of a kind reach: logs and sockets are none of them."""
    calls = "\n".join(line for line in trace.splitlines() if re.match(rf"\d+ +({names.replace(',', '|')})\(", line))
    found = set(re.findall(r"[<\"](/[^<>\"]+|[^/<>\"][^<>\"]*)[>\"]", calls))
    return sorted(path for path in found if path.startswith(f"{home.path}/"))


def count_calls(home: Home, trace: str, names: str) -> int:
    """The most calls of a kind to files of the home that one thread makes: strace counts by thread."""
    threads: Counter[str] = Counter()
    for line in trace.splitlines():
        if (found := re.match(rf"(\d+) +({names.replace(',', '|')})\(", line)) and f"{home.path}/" in line:
            threads[found[1]] += 1
    return max(threads.values(), default=0)


def torture_by_faults(folder: Path, linkedin: LinkedIn, count: int, seed: int) -> str:
    """At each stage each kind of call fails at up to `count` places, spread evenly; a table of what came of it."""
    lines = ["| stage | calls that failed | commands | ended with 0 | ended with 1 and a message |", "|---|---|---|---|---|"]
    with open_home(folder / "template", linkedin) as template:
        template.quarantine(template.take_numbers(5))
        for stage in [*STAGES, "receiver"]:
            lines.append(torture_stage(folder, template, stage, count))
            print(lines[-1], flush=True)
    return "\n".join(lines)


def torture_stage(folder: Path, template: Home, stage: str, count: int) -> str:
    names = ",".join(SYSCALLS.values())
    with template.copy(folder / "first") as home:
        run_stage(home, stage, ["-e", f"trace={names}"], folder / "trace")
        trace = (folder / "trace").read_text(errors="replace")
        calls = {kind: count_calls(home, trace, names) for kind, names in SYSCALLS.items()}
        relative = [Path(path).relative_to(home.path) for path in list_paths(home, trace, names)]
    ends: Counter[int] = Counter()
    for kind, total in calls.items():
        step = max(1, -(-total // count))
        for index, number in enumerate(range(1, total + 1, step)):
            error = list(ERRORS)[index % len(ERRORS)]
            with template.copy(folder / "copy") as home:
                paths = [word for path in relative for word in ("-P", str(home.path / path))]
                fault = Fault(kind, error, number)
                ended = run_stage(home, stage, [*paths, *fault.options], folder / "trace")
                if not ended.is_clean:
                    shutil.copytree(home.folder, folder / f"failed-{stage}-{kind}-{error}-{number}", dirs_exist_ok=True)
                    raise Violation(f"{stage}, {fault}: ended with {ended.status}: {ended.output[-3000:]}")
                ends[ended.status] += 1
                try:
                    home.settle(is_verified=False)
                except Violation as violation:
                    shutil.copytree(home.folder, folder / f"failed-{stage}-{kind}-{error}-{number}", dirs_exist_ok=True)
                    raise Violation(f"{stage}, {fault}, which ended with {ended.status}: {violation}") from None
    tried = ", ".join(f"{total} × {kind}" for kind, total in calls.items() if total)
    return f"| {stage} | {tried} | {ends.total()} | {ends[0]} | {ends[1]} |"

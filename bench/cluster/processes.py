"""Processes of the cluster: servers that are waited for, and machines that die with all that runs on them."""

import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

Process = subprocess.Popen[bytes]


def start(command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path | None = None) -> Process:
    """A process whose output goes to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder, start_new_session=True)


def run(command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path | None = None) -> None:
    """The same to its end, which has to be a good one."""
    if start(command, log, environment, folder).wait(timeout=600):
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{log.read_text(encoding='utf-8')[-3000:]}")


@contextmanager
def serve(command: Sequence[str], log: Path, address: str, environment: Mapping[str, str], folder: Path | None = None) -> Iterator[Process]:
    """A server, ready to respond; ended with the block."""
    process = start(command, log, environment, folder)
    try:
        wait_for_server(address, process, log)
        yield process
    finally:
        kill(process)


def wait_for_server(address: str, process: Process, log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(address, timeout=5, trust_env=False)
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"nothing responds at {address}: {log.read_text(encoding='utf-8')[-2000:]}")


def kill(process: Process) -> int:
    """SIGKILL the process and all that it started, as when its machine loses power; returns how many there were."""
    try:
        # A worker first: it would still report that its run died.
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.suspend()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
    return len(family)

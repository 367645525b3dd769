"""Run a command as a whole process: wall seconds and the peak memory of it and its children."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def run_measured(command: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None) -> Figure:
    """Run to the end. Raises `RuntimeError` with the command's own words where it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environment or {})}, cwd=cwd
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")
    return Figure(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output)

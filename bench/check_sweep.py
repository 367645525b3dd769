"""A sweep: every listed job checked by `jobPostingStatus` in one run, and how a day spreads it."""

import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from bench.end_to_end import PROGRAM
from bench.fake_linkedin import serve
from bench.measure import Figure, run_measured
from jobrecon.clock import utc_now

TICKS = 144


def describe_check_sweep(count: int) -> str:
    """Figures of the run that checks all listed jobs among `count`, beside the same run without checks."""
    with tempfile.TemporaryDirectory() as name, serve(Path(name), count) as environment:
        folder = Path(name)
        run_measured([*PROGRAM, "tasks", "import", str(folder / "tasks.parquet")], environment, folder)
        run_measured([*PROGRAM, "run", "--json"], environment | {"JOBRECON_CHECKS": "off"}, folder)
        off, _ = _run_a_day_later(environment | {"JOBRECON_CHECKS": "off"}, folder)
        on, calls = _run_a_day_later(environment, folder)
    lines = [
        f"### {count:,} jobs, a day after the last check",
        "",
        "| what | seconds | CPU seconds | peak memory |",
        "|---|---|---|---|",
        f"| a run without checks | {off.seconds:.1f} | {off.cpu_seconds:.1f} | {off.peak_bytes / 1e6:,.0f} MB |",
        f"| the same run, checking every listed job | {on.seconds:.1f} | {on.cpu_seconds:.1f} | {on.peak_bytes / 1e6:,.0f} MB |",
        "",
        f"{calls:,} calls, in one run because none came before it for a day; with a run every ten minutes they are spread: "
        f"{calls / TICKS:,.0f} a run. Fetching, reading and merging: {on.seconds - off.seconds:.1f} s, the sandbox on the same cores.",
    ]
    return "\n".join(lines)


def _run_a_day_later(environment: dict[str, str], folder: Path) -> tuple[Figure, int]:
    as_of = (utc_now() + timedelta(hours=25)).isoformat()
    with tempfile.TemporaryDirectory(dir=folder) as copy:
        shutil.copytree(environment["JOBRECON_HOME"], copy, dirs_exist_ok=True)
        command = [*PROGRAM, "run", "--json", "--as-of", as_of, "--allow-future"]
        figure = run_measured(command, environment | {"JOBRECON_HOME": copy}, folder)
    summary = json.loads(next(line for line in figure.output.splitlines() if line.startswith("{")))
    return figure, summary["checks_used"]

"""End to end: import, and a run that pulls, polls, merges, finds and publishes, beside dlt importing, fetching and merging the same."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from bench.fake_linkedin import serve
from bench.measure import Figure, run_measured

ROOT = Path(__file__).parent.parent
PROGRAM = [sys.executable, "-m", "jobrecon"]
DLT = {
    "rows": "dlt 1.31, given rows: import, fetch and merge",
    "arrow": "dlt 1.31, given Arrow tables of 200 calls: import, fetch and merge",
}


def describe_end_to_end(count: int) -> str:
    """Figures for this many pending tasks, against one fake LinkedIn, one after the other.

    dlt takes minutes, in which the machine is now slow, now fast; a run takes seconds. It is made before dlt and twice after it,
    each from the same warehouse, and the one in the middle counts.
    """
    with tempfile.TemporaryDirectory() as name, serve(Path(name), count) as environment:
        folder = Path(name)
        imported = run_measured([*PROGRAM, "tasks", "import", str(folder / "tasks.parquet")], environment, folder)
        before = _run(environment, folder, count)
        baselines = {kind: _run_dlt(kind, environment, folder) for kind in DLT}
        runs = sorted([before, *(_run(environment, folder, count) for _ in range(2))], key=lambda figure: figure.seconds)
    run = runs[1]
    tries = ", ".join(f"{figure.seconds:.1f}" for figure in runs)
    lines = [
        f"### {count:,} pending tasks, end to end",
        "",
        "| what | seconds | tasks a second | CPU seconds | peak memory |",
        "|---|---|---|---|---|",
        _line("`jobrecon tasks import` (Parquet)", imported, count),
        _line(f"`jobrecon run`: pull, poll, merge, findings, publish (the middle of {tries})", run, count),
    ]
    ratios = []
    for kind, figure in baselines.items():
        fetched = float(re.findall(r"fetch and merge ([\d.]+) s", figure.output)[0])
        lines += [_line(DLT[kind], figure, count), f"| of that: fetch and merge alone | {fetched:.1f} | {count / fetched:,.0f} | | |"]
        ratios.append(
            f"given {kind if kind == 'rows' else 'Arrow tables'} **{fetched / run.seconds:.1f}** and "
            f"{figure.seconds / (imported.seconds + run.seconds):.1f}"
        )
    summary = f"dlt's fetch and merge ÷ our whole run, and all of dlt ÷ our import and run together: {'; '.join(ratios)}."
    return "\n".join([*lines, "", f"{summary} A run's cost of a task: {run.seconds / count * 1e6:.1f} µs.", ""])


def _run(environment: dict[str, str], folder: Path, count: int) -> Figure:
    with tempfile.TemporaryDirectory(dir=folder) as copy:
        shutil.copytree(environment["JOBRECON_HOME"], copy, dirs_exist_ok=True)
        figure = run_measured([*PROGRAM, "run", "--json"], environment | {"JOBRECON_HOME": copy}, folder)
    polled = json.loads(next(line for line in figure.output.splitlines() if line.startswith("{")))["tasks_polled"]
    if polled != count:
        raise RuntimeError(f"the run polled {polled:,} of {count:,} tasks")
    return figure


def _run_dlt(kind: str, environment: dict[str, str], folder: Path) -> Figure:
    program = [str(ROOT / ".venv-bench" / "bin" / "python"), str(ROOT / "bench" / "dlt_fetch_merge.py"), kind]
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        return run_measured([*program, environment["JOBRECON_API_URL"], str(folder / "tasks.parquet"), place], quiet, folder)


def _line(what: str, figure: Figure, count: int) -> str:
    rate, peak = f"{count / figure.seconds:,.0f}", f"{figure.peak_bytes / 1e6:,.0f} MB"
    return f"| {what} | {figure.seconds:.1f} | {rate} | {figure.cpu_seconds:.1f} | {peak} |"

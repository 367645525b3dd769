"""End to end: import, pull, poll, merge, findings and publish in one run, beside dlt doing only fetch and merge of the same."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench.measure import Figure, run_measured
from bench.stand_in import serve

ROOT = Path(__file__).parent.parent


def measure_end_to_end(count: int) -> tuple[dict[str, Figure], list[Figure]]:
    """Figures of `import`, `run` and `dlt` for this many pending tasks, against one stand-in, one after the other; and each run's.

    dlt takes minutes, in which the machine is now slow, now fast; a run takes seconds. It is made before dlt and twice after it,
    each from the same warehouse, and the one in the middle counts.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(folder, count) as environment:
            program = [sys.executable, "-m", "jobrecon"]
            tasks = str(folder / "tasks.parquet")
            imported = run_measured([*program, "tasks", "import", tasks], environment, folder)

            def run() -> Figure:
                with tempfile.TemporaryDirectory(dir=name) as copy:
                    shutil.copytree(environment["JOBRECON_HOME"], copy, dirs_exist_ok=True)
                    figure = run_measured([*program, "run", "--json"], environment | {"JOBRECON_HOME": copy}, folder)
                polled = json.loads(next(line for line in figure.output.splitlines() if line.startswith("{")))["tasks_polled"]
                if polled != count:
                    raise RuntimeError(f"the run polled {polled:,} of {count:,} tasks")
                return figure

            before = run()
            dlt = run_measured(
                [
                    str(ROOT / ".venv-bench" / "bin" / "python"),
                    str(ROOT / "bench" / "dlt_fetch_merge.py"),
                    environment["JOBRECON_API_URL"],
                    tasks,
                    name,
                ],
                {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"},
                folder,
            )
            runs = sorted([before, run(), run()], key=lambda figure: figure.seconds)
            return {"import": imported, "run": runs[1], "dlt": dlt}, runs

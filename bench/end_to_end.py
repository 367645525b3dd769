"""End to end: import, pull, poll, merge, findings and publish in one run, beside dlt doing only fetch and merge of the same."""

import json
import sys
import tempfile
from pathlib import Path

from bench.measure import Figure, run_measured
from bench.stand_in import serve

ROOT = Path(__file__).parent.parent


def measure_end_to_end(count: int) -> dict[str, Figure]:
    """Figures of `import`, `run` and `dlt` for this many pending tasks, against one stand-in, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(folder, count) as environment:
            program = [sys.executable, "-m", "jobrecon"]
            tasks = str(folder / "tasks.parquet")
            dlt = [str(ROOT / ".venv-bench" / "bin" / "python"), str(ROOT / "bench" / "dlt_fetch_merge.py")]
            figures = {
                "import": run_measured([*program, "tasks", "import", tasks], environment, folder),
                "run": run_measured([*program, "run", "--json"], environment, folder),
                "dlt": run_measured(
                    [*dlt, environment["JOBRECON_API_URL"], tasks, name],
                    {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"},
                    folder,
                ),
            }
            polled = json.loads(next(line for line in figures["run"].output.splitlines() if line.startswith("{")))["tasks_polled"]
            if polled != count:
                raise RuntimeError(f"the run polled {polled:,} of {count:,} tasks")
            return figures

"""The daily report of a large history, as a whole process: `jobrecon report` from the published copy to the folder of files."""

import datetime as dt
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Figure, run_measured
from bench.report_data import publish_history
from jobrecon.settings import Settings

AS_OF = "2026-11-20T12:00:00+00:00"
ROOT = Path(__file__).parent.parent


def measure_report(job_count: int, open_count: int) -> tuple[Figure, int]:
    """Figures of the report of `job_count` jobs with `open_count` open findings, and the bytes of its largest page."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        made = publish_history(Settings(_env_file=None, home=home), AS_OF, job_count, open_count)
        if made != open_count:
            raise RuntimeError(f"{made:,} findings are open, not {open_count:,}")
        day = dt.datetime.fromisoformat(AS_OF).date().isoformat()
        figure = run_measured([sys.executable, "-m", "jobrecon", "report", "--date", day], {"JOBRECON_HOME": name}, home)
        pages = (home / "reports" / day).glob("*.html")
        return figure, max(page.stat().st_size for page in pages)


def describe_report(job_count: int, open_counts: Sequence[int]) -> str:
    lines = [
        f"### The daily report of {job_count:,} jobs",
        "",
        "| `jobrecon report`: 11 pages, their workbooks, lists, summary | seconds | CPU seconds | peak memory | largest page |",
        "|---|---|---|---|---|",
    ]
    for open_count in open_counts:
        figure, page_bytes = measure_report(job_count, open_count)
        lines.append(
            f"| {open_count:,} open findings | {figure.seconds:.1f} | {figure.cpu_seconds:.1f} | {figure.peak_bytes / 1e6:,.0f} MB "
            f"| {page_bytes / 1e6:.2f} MB |"
        )
    return "\n".join([*lines, ""])

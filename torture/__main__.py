"""`make torture`: do it, and write what was tried and what held into docs/reliability.md.

`python -m torture [STAGE…] [COUNT]`: without a stage all of them; the count is that of the stages' repetitions.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.pages import write_block
from torture.budget import torture_budget
from torture.clocks import torture_by_clocks
from torture.disks import torture_by_full_disks
from torture.faults import torture_by_faults
from torture.kills import torture_by_kills
from torture.linkedin import LinkedIn, serve_linkedin
from torture.month import live_through
from torture.restores import torture_by_restores
from torture.servers import torture_by_restarts

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"

Stage = Callable[[Path, LinkedIn, int, int], str]
STAGES: dict[str, tuple[Stage, int]] = {
    "kills": (torture_by_kills, 1_000),
    "faults": (torture_by_faults, 12),
    "disks": (torture_by_full_disks, 3),
    "budget": (torture_budget, 5),
    "clocks": (torture_by_clocks, 2),
    "restores": (torture_by_restores, 5),
    "restarts": (torture_by_restarts, 100),
    "month": (live_through, 30),
}


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    names = [argument for argument in sys.argv[1:] if not argument.isdigit()] or list(STAGES)
    seed = time.time_ns() % 1_000_000
    for name in names:
        stage, count = STAGES[name]
        print(f"{name}, seed {seed}", flush=True)
        folder = Path(tempfile.mkdtemp(prefix=f"torture-{name}-"))
        began = time.monotonic()
        with serve_linkedin(folder / "linkedin") as linkedin:
            text = stage(folder, linkedin, counts[0] if counts else count, seed)
        print(text, flush=True)
        write_block(PAGE, name, text, f", {(time.monotonic() - began) / 60:.0f} minutes")


if __name__ == "__main__":
    main()

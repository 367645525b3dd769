"""`make bench`: measure, print, and write the figures into docs/performance.md with the machine and the day."""

import sys
from collections.abc import Callable
from pathlib import Path

from bench.check_sweep import describe_check_sweep
from bench.end_to_end import describe_end_to_end
from bench.http_stage import describe_http_stage
from bench.lake import describe_lake
from bench.pages import write_block
from bench.polling_plan import describe_plan
from bench.receiver import measure_receiver
from bench.report import describe_report
from bench.shards import describe_shards
from bench.simulate_polling import describe_polling
from bench.ticks import describe_first_run, describe_ticks

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def measure_counts(counts: list[int]) -> str:
    return "\n".join(describe_end_to_end(count) for count in counts)


MEASURES: dict[str, Callable[[list[int]], str]] = {
    # name of the block: what measures it, with the numbers of the command line
    "end_to_end": lambda counts: measure_counts(counts or [100_000, 1_000_000]),
    "ticks": lambda counts: describe_ticks(counts or [100_000, 300_000, 1_000_000]),
    "ten_million": lambda counts: describe_ticks(counts or [10_000_000], 20_000),
    "first_run": lambda counts: describe_first_run(counts or [1_000_000]),
    "checks": lambda counts: describe_check_sweep(*(counts or [1_000_000])),
    "http": lambda _counts: describe_http_stage(),
    "receiver": lambda _counts: measure_receiver(),
    "polling": lambda _counts: describe_polling(),
    "plan": lambda _counts: describe_plan(),
    "shards": lambda counts: describe_shards(*counts),
    "lake": lambda counts: describe_lake(*counts),
    "report": lambda _counts: describe_report(1_000_000, [5_000, 100_000]),
}


def main() -> None:
    """`python -m bench [NAME…] [COUNT…]`: without a name all of them; counts are those of pending tasks, of `shards` and `lake` those of ticks."""
    counts = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    names = [argument for argument in sys.argv[1:] if not argument.isdigit()] or (["end_to_end"] if counts else list(MEASURES))
    for name in names:
        text = MEASURES[name](counts)
        print(text)
        write_block(PAGE, name, text)


if __name__ == "__main__":
    main()

"""Twenty runs at once on one budget, of which some are killed."""

import random
import time
from pathlib import Path

from torture.home import Home, Violation
from torture.linkedin import LATENCY_SECONDS, LinkedIn
from torture.oracle import count_charged, find_overcharges

PROCESSES = 20
LIMIT = 500


def torture_budget(folder: Path, linkedin: LinkedIn, count: int, seed: int) -> str:
    """`count` rounds: each process has tasks and a warehouse of its own, all of them share one landing database."""
    chance = random.Random(seed)
    linkedin.inject(latency_seconds=LATENCY_SECONDS)
    kills = 0
    received = charged = 0
    for number in range(count):
        landing_url = f"sqlite:///{folder / f'landing-{number}.db'}"
        before = linkedin.count_calls()
        homes = [Home(folder / f"budget-{number}-{each}", linkedin, landing_url, LIMIT) for each in range(PROCESSES)]
        for each, home in enumerate(homes):
            home.environment |= {"JOBRECON_IDS_PER_CALL": "1", "JOBRECON_TICK_SECONDS": "86400", "JOBRECON_CHECKS": "off"}
            files = linkedin.files[each * 5 : each * 5 + 5]
            home.must("tasks", "import", "--create", *map(str, files))
        commands = [home.start("run") for home in homes]
        for command in commands[: PROCESSES // 2]:
            time.sleep(chance.uniform(0, 1.5))
            kills += command.is_running
            command.end()
        for command in commands[PROCESSES // 2 :]:
            ended = command.wait()
            if not ended.is_clean:
                raise Violation(f"a run beside others ended with {ended.status}: {ended.output[-2000:]}")
        now = {name: total - before[name] for name, total in linkedin.count_calls().items()}
        ledger = count_charged(landing_url)
        if found := find_overcharges(now, ledger, LIMIT):
            raise Violation("; ".join(found))
        received += now["simpleJobPostingTasks"]
        charged += ledger["simpleJobPostingTasks"]
    return (
        f"{count} times {PROCESSES} runs at once on one budget of {LIMIT} calls and 1,000 due tasks, {kills} of them killed: LinkedIn received "
        f"{received:,} calls, {charged:,} were charged, never more than {LIMIT} on a budget."
    )

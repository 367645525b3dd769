"""`kill -9` at random moments: of every command that writes, while the receiver beside it is killed as well."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from torture.home import Home, open_home
from torture.linkedin import LATENCY_SECONDS, LinkedIn
from torture.processes import Command
from torture.receiver import killing_receivers

KILLS_A_HOME = 100
KILLS_BETWEEN_JUDGEMENTS = 25
LONGEST_SECONDS = {"import": 0.5, "notifications": 0.5, "run": 3.0, "publish": 0.05, "report": 1.0, "maintain": 0.7, "redrive": 0.2}


def start_import(home: Home) -> Command:
    # Each file often enough that it is in: what was killed is imported again.
    return home.start("tasks", "import", str(home.linkedin.files[home.next_file]))


def start_notifications(home: Home) -> Command:
    return home.start("notifications", "import", str(home.write_notifications(home.take_numbers(20))))


def start_publish(home: Home) -> Command:
    """A run, given back once it has begun to write the new copy."""
    command = home.start("run")
    fresh = home.path / "published" / ".jobrecon.duckdb.fresh"
    while command.is_running and not fresh.exists():
        time.sleep(0.001)
    return command


def start_redrive(home: Home) -> Command:
    home.quarantine(home.take_numbers(10))
    return home.start("webhook", "redrive")


START: dict[str, Callable[[Home], Command]] = {
    "import": start_import,
    "notifications": start_notifications,
    "run": lambda home: home.start("run"),
    "publish": start_publish,
    "report": lambda home: home.start("report", "--mail", "--resend"),
    "maintain": lambda home: home.start("maintain"),
    "redrive": start_redrive,
}


def kill(home: Home, stage: str, chance: random.Random) -> bool:
    """Whether the command still ran when it was killed. What had ended well counts as acknowledged."""
    command = START[stage](home)
    time.sleep(chance.uniform(0, LONGEST_SECONDS[stage]))
    ended = command.end()
    if stage == "import" and ended.status == 0:
        home.oracle.note_tasks(home.take_file())
    return ended.status < 0


def torture_by_kills(folder: Path, linkedin: LinkedIn, count: int, seed: int) -> str:
    """Kill so often, the stages in turn; a sentence with how often each."""
    chance = random.Random(seed)
    linkedin.inject(latency_seconds=LATENCY_SECONDS)
    kills: Counter[str] = Counter()
    judgements = acknowledged = 0
    while kills.total() < count:
        with open_home(folder / f"home-{judgements}", linkedin) as home:
            goal = min(count, kills.total() + KILLS_A_HOME)
            while kills.total() < goal:
                with killing_receivers(home, chance) as receivers:
                    until = kills.total() + KILLS_BETWEEN_JUDGEMENTS
                    while kills.total() + receivers.kills < until:
                        stage = chance.choice(list(START))
                        kills[stage] += kill(home, stage, chance)
                kills["receiver"] += receivers.kills
                home.settle()
                judgements += 1
            acknowledged += len(home.oracle.notifications)
    each = ", ".join(f"{number} × {stage}" for stage, number in sorted(kills.items()))
    return (
        f"{kills.total():,} kills ({each}); after every {KILLS_BETWEEN_JUDGEMENTS} the oracle judged ({judgements} times): "
        f"{acknowledged:,} acknowledged notifications, none lost, none twice; every call charged; every roll-forward balances."
    )

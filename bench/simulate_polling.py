"""How late are settled tasks seen? A day of polling on a virtual clock, without HTTP, ours beside other orders of polling.

Ours plans with the shipped statements over a real warehouse at each tick. Time from a task's true settling to the look that found
it is the delay; a task settled and not seen by the end of the day counts with what it has waited until then.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from bench.polling_picture import write_picture
from bench.polling_policies import FIRST_WAIT, Backoff, OldestFirst, Ours, Policy, RoundRobin
from bench.polling_world import CALLS_PER_DAY, DAY, IDS_PER_CALL, World, hazard, make_world

TICK_SECONDS = 20.0
BOUND_EVERY = 60.0
"""Seconds between the moments at which D* is worked out."""

POLICIES: dict[str, Callable[[World], Policy]] = {
    "ours, h known": lambda world: Ours(world, knows_hazard=True),
    "ours, h learned": lambda world: Ours(world, knows_hazard=False),
    "round robin": RoundRobin,
    "backoff up to 5 min": lambda world: Backoff(world, 300),
    "backoff up to 1 h": lambda world: Backoff(world, 3_600),
    "oldest first": OldestFirst,
}
GOALS = {"ours, h known": 1.15, "ours, h learned": 1.4}


@dataclass(frozen=True)
class Outcome:
    """What a day under one policy came to."""

    mean_seconds: float
    p95_seconds: float
    settled_count: int
    unseen_count: int
    calls_used: int
    cpu_seconds: float


def work_out_bound(world: World, day_seconds: float = DAY) -> float:
    """D* of the day: that of each moment, weighted by the tasks settling then; it depends on no policy.

    D*(t) = (Σ √h)² / (2·R·Σ h) over the tasks not settled at t, with their true h. Σ h of them settle a second, so the mean over
    the day's settling tasks is ∫ (Σ √h)² / (2·R) dt ÷ ∫ Σ h dt.
    """
    looks_per_second = CALLS_PER_DAY * IDS_PER_CALL / DAY
    delayed = settling = 0.0
    for now in np.arange(BOUND_EVERY, day_seconds + 1, BOUND_EVERY):
        is_pending = (world.requested <= now) & (world.settled > now)
        rates = hazard(now - world.requested[is_pending])
        delayed += np.sqrt(rates).sum() ** 2 / (2 * looks_per_second)
        settling += rates.sum()
    return float(delayed / settling)


def simulate(world: World, policy: Policy, tick_seconds: float = TICK_SECONDS, day_seconds: float = DAY) -> Outcome:
    """A day from empty; calls are spread evenly over the ticks, what a tick leaves the next ones share."""
    began = time.process_time()
    seen = np.full(len(world.requested), np.inf)
    calls_used = 0
    for tick in range(1, round(day_seconds / tick_seconds) + 1):
        now = tick * tick_seconds
        share = int(CALLS_PER_DAY * now / DAY) - calls_used
        if share:
            tasks = policy.choose(now, share * IDS_PER_CALL)
            if len(tasks):
                is_settled = world.settled[tasks] <= now
                seen[tasks[is_settled]] = now
                policy.tell(now, tasks, is_settled)
                calls_used += -(-len(tasks) // IDS_PER_CALL)
    is_settled = world.settled <= day_seconds
    delays = np.minimum(seen, day_seconds)[is_settled] - world.settled[is_settled]
    return Outcome(
        float(delays.mean()),
        float(np.quantile(delays, 0.95)),
        int(is_settled.sum()),
        int(np.isinf(seen[is_settled]).sum()),
        calls_used,
        time.process_time() - began,
    )


def _simulate_named(name: str) -> Outcome:
    world = make_world()
    outcome = simulate(world, POLICIES[name](world))
    sys.stderr.write(f"{name}: mean {outcome.mean_seconds:,.1f} s, CPU {outcome.cpu_seconds:,.0f} s\n")
    return outcome


def describe_polling() -> str:
    """The table of all policies; draws the picture, too."""
    bound = work_out_bound(make_world())
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as workers:
        outcomes = dict(zip(POLICIES, workers.map(_simulate_named, POLICIES), strict=True))
    write_picture({name: outcome.mean_seconds for name, outcome in outcomes.items()}, bound)
    lines = [
        f"Least mean delay that any order could give, D\\*: **{bound:.1f} s**. {outcomes['round robin'].settled_count:,} tasks settled.",
        "",
        "| order of polling | mean delay | ÷ D\\* | goal | 95th percentile | settled, not seen at the day's end | calls used |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, outcome in outcomes.items():
        goal = f"≤ {GOALS[name]}" if name in GOALS else ""
        lines.append(
            f"| {name} | {outcome.mean_seconds:,.1f} s | {outcome.mean_seconds / bound:,.2f} | {goal} | {outcome.p95_seconds:,.0f} s "
            f"| {outcome.unseen_count:,} | {outcome.calls_used:,} |"
        )
    lines += [
        "",
        f"Exponential backoff waits {FIRST_WAIT:.0f} s at first, then twice as long each time; 5 minutes at most suit this world best of",
        "all limits tried between 150 s and 1 hour, a thing nobody knows beforehand.",
        "",
    ]
    return "\n".join(lines)

"""A month of the fake LinkedIn's clock with every fault on: jobs posted, changed and closed, runs that are broken off, a report a day."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from jobrecon.demo.home import clear_home, configured
from jobrecon.demo.partner import CUSTOMERS, Partner
from jobrecon.landing import open_landing
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.verify import verify
from jobrecon.reports.report import write_report
from jobrecon.sandbox import FaultInjection, SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.webhook.app import create_app as create_receiver
from jobrecon.webhook.server import serve_in_thread
from torture.home import Violation
from torture.linkedin import LinkedIn

FAULTS = FaultInjection(
    error_5xx_rate=0.02, rate_429=0.005, dropped_connection_rate=0.01, truncated_json_rate=0.01, wrong_shape_rate=0.01, per_id_error_rate=0.01,
    unrequested_key_rate=0.01, token_error_rate=0.02, lost_rate=0.02, duplicate_rate=0.05, late_rate=0.05, reorder_rate=0.05,
)  # fmt: skip
RUN_HOURS = (7, 15, 23)
JOBS_A_TIME = 10


class BrokenOff(Exception):
    """Ends a run in the middle."""


async def run_stages(settings: Settings, now: datetime, stages: int) -> bool:
    """One run as of `now` by the world's clock; broken off after so many of its stages. Whether it was complete."""
    with open_reconciliation(settings, now, clock=lambda: now) as run:
        run.pull()
        run.ingest_notifications()
        await run.poll()
        if stages == 1:
            raise BrokenOff
        await run.check()
        if stages == 2:
            raise BrokenOff
        run.update_findings()
        run.publish()
        return not run.summary.incomplete_reasons


def live_through(folder: Path, _linkedin: LinkedIn, days: int, seed: int) -> str:
    """Live so many days; a sentence with what happened. Raises `Violation` where a day does not balance."""
    home, chance = folder / "month", random.Random(seed)
    clear_home(home)
    begin = datetime(2026, 3, 10, tzinfo=UTC)  # the clocks change on the 29th
    applications = [
        SandboxApplication(f"urn:li:developerApplication:{1001 + index}", f"demo{index + 1}", [f"secret-{index}"])
        for index in range(len(CUSTOMERS))
    ]
    world = World(applications, begin, seed, faults=FAULTS)
    summaries: list[dict[str, Any]] = []
    broken_off = incomplete = runs = 0
    with serve_in_thread(create_app(world)) as api_url, configured(home, applications, api_url) as settings:
        settings.timezone = "Europe/Berlin"
        engine = open_landing(settings.landing_url)
        receiver = create_receiver(settings.load_applications, engine, clock=lambda: world.now)
        with serve_in_thread(receiver) as receiver_url, httpx.Client(base_url=api_url, timeout=300) as api:
            partner = Partner(home, settings, world, api, chance)
            api.post("/control/webhook", json={"webhook_url": f"{receiver_url}/webhook"}).raise_for_status()
            for day in range(days):
                for hour in RUN_HOURS:
                    now = begin + timedelta(days=day, hours=hour)
                    api.post("/control/clock", json={"now": now.isoformat()}).raise_for_status()
                    send_some(partner, chance, is_first=not partner.jobs)
                    runs += 1
                    if chance.random() < 0.1:
                        try:
                            asyncio.run(run_stages(settings, now, 1 + chance.randrange(2)))
                        except BrokenOff:
                            broken_off += 1
                    incomplete += not asyncio.run(run_stages(settings, now, 9))
                midnight = datetime.combine((begin + timedelta(days=day + 1)).date(), datetime.min.time(), settings.zone).astimezone(UTC)
                summaries.append(write_report(settings, (begin + timedelta(days=day)).date(), midnight).summary)
        engine.dispose()
        if differences := verify(settings).lines:
            raise Violation(f"derived rows are wrong: {differences[:5]}")
    check_balance(summaries)
    moved = sum(summary["roll_forward"]["new"] + summary["roll_forward"]["resolved"] for summary in summaries)
    return (
        f"{days} days, {len(partner.jobs):,} jobs, {runs} runs, of which {incomplete} were INCOMPLETE by faults and {broken_off} were broken off before; "
        f"{moved:,} findings opened or resolved. Every day's roll-forward balances and begins where the one before ended; `jobrecon verify` agrees."
    )


def send_some(partner: Partner, chance: random.Random, *, is_first: bool) -> None:
    # The partner's own system is not what is tried.
    partner.world.faults = FaultInjection()
    partner.send("CREATE", JOBS_A_TIME)
    if not is_first:
        for operation, share in (("UPDATE", 0.05), ("CLOSE", 0.02), ("RENEW", 0.02)):
            partner.send(operation, 1 + round(len(partner.jobs) * share * chance.random()))
    partner.world.faults = FAULTS


def check_balance(summaries: list[dict[str, Any]]) -> None:
    flows = [summary["roll_forward"] for summary in summaries]
    for summary, flow in zip(summaries, flows, strict=True):
        if flow["open_before"] + flow["new"] - flow["resolved"] != flow["open_now"]:
            raise Violation(f"{summary['date']} does not balance: {flow}")
        if sum(summary["open_by_kind"].values()) != flow["open_now"] or sum(summary["open_by_age"].values()) != flow["open_now"]:
            raise Violation(f"{summary['date']}: what is open by kind or age is not what is open: {summary}")
    for (before, after), summary in zip(pairwise(flows), summaries[1:], strict=True):
        if before["open_now"] != after["open_before"]:
            raise Violation(f"{summary['date']} begins with {after['open_before']}, the day before ended with {before['open_now']}")

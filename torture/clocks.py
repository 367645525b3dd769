"""The machine's clock jumps, forth and back, while commands run (libfaketime)."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from torture.home import Home, Violation, open_home
from torture.linkedin import LinkedIn
from torture.oracle import count_charged, read_summary
from torture.processes import Ended
from torture.receiver import Sender, choose_port

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
JUMPS = [timedelta(minutes=-3), timedelta(hours=-1), timedelta(days=-2), timedelta(minutes=3), timedelta(hours=1), timedelta(days=2)]


class Clock:
    """The time that commands of one home see: the machine's own, moved by `offset`."""

    def __init__(self, folder: Path) -> None:
        if not LIBRARY.exists():
            raise RuntimeError(f"{LIBRARY} is missing: install libfaketime")
        self.folder = folder
        self.file = folder / "clock"
        self.highest = timedelta()
        self.set(timedelta())

    def set(self, offset: timedelta) -> None:
        # Replaced, never half written: the library reads the file whenever a process asks for the time.
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(f"{offset.total_seconds():+.0f}\n")
        fresh.replace(self.file)
        self.highest = max(self.highest, offset)

    def start(self, home: Home, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start `jobrecon ARGUMENTS` under this clock."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBRECON_")} | home.environment
        environment |= {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            # A clock that is set does not move the one by which waiting is measured.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        log = self.folder / f"clock-{time.time_ns()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "jobrecon", *arguments], env=environment, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT
            )
        return process, log

    def run(self, home: Home, *arguments: str, jump: timedelta | None = None, after: float = 0) -> Ended:
        """Run it to its end; after so many seconds the clock jumps to this offset."""
        process, log = self.start(home, *arguments)
        if jump is not None:
            time.sleep(after)
            self.set(jump)
        return Ended(process.wait(120), log.read_text(encoding="utf-8", errors="replace"))

    @contextmanager
    def receiving(self, home: Home) -> Iterator[Sender]:
        """A receiver under this clock, and somebody who sends to it."""
        port = choose_port()
        process, log = self.start(home, "webhook", "--port", str(port))
        sender = Sender(home, port)
        sender.start()
        try:
            yield sender
        finally:
            sender.is_over.set()
            sender.join(60)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            if process.poll() != 0 or "Traceback" in log.read_text():
                raise Violation(f"the receiver whose clock jumped ended with {process.poll()}: {log.read_text()[-1500:]}")


def torture_by_clocks(folder: Path, linkedin: LinkedIn, count: int, seed: int) -> str:
    """Each jump `count` times, in the middle of a run, with imports, runs and notifications before and after."""
    chance = random.Random(seed)
    ends: Counter[str] = Counter()
    acknowledged = 0
    for number, jump in enumerate(JUMPS * count):
        with open_home(folder / f"clock-{number}", linkedin) as home:
            clock = Clock(home.folder)
            with clock.receiving(home) as sender:
                live_through_jump(home, clock, jump, chance, ends)
                if not sender.acknowledged:
                    raise Violation("no notification was acknowledged")
            settle(home, clock)
            acknowledged += len(home.oracle.notifications)
    jumps = ", ".join(str(jump) if jump > timedelta() else f"-{-jump}" for jump in JUMPS)
    each = ", ".join(f"{number} × {name}" for name, number in sorted(ends.items()))
    return (
        f"{len(JUMPS) * count} times the clock jumped in the middle of a run ({jumps}) and back again: {each}. {acknowledged:,} acknowledged "
        "notifications, none lost, none twice; every call charged; every refused run says that the last one lies ahead, and `doctor` FAILs."
    )


def live_through_jump(home: Home, clock: Clock, jump: timedelta, chance: random.Random, ends: "Counter[str]") -> None:
    for offset in (jump, None, timedelta()):
        file = home.linkedin.files[home.next_file]
        done = clock.run(home, "tasks", "import", str(file))
        check(done, "import", ends)
        if done.status == 0:
            home.oracle.note_tasks(home.take_file())
        check(clock.run(home, "run", jump=offset, after=chance.uniform(0.5, 2)), "run", ends)
    check(clock.run(home, "report"), "report", ends)


def check(done: Ended, name: str, ends: "Counter[str]") -> None:
    """A command did its work, or said why it did not; a run may be refused (2) where the last one lies ahead."""
    is_refused = name == "run" and done.status == 2 and "older than the last" in done.output
    if not done.is_clean and not is_refused:
        raise Violation(f"{name} under a jumping clock ended with {done.status}: {done.output[-1500:]}")
    ends[f"{name} {'refused' if is_refused else 'done' if done.status == 0 else 'ended with 1'}"] += 1


def settle(home: Home, clock: Clock) -> None:
    """As `Home.settle`, where the clock stands behind the last run: first it is said, then time has passed."""
    clock.set(timedelta())
    if clock.highest > timedelta(minutes=10):
        doctor = clock.run(home, "doctor")
        if "ahead of this machine's clock" not in doctor.output or doctor.status == 0:
            raise Violation(f"doctor does not say that the last run lies ahead: {doctor.output[-1500:]}")
    clock.set(clock.highest + timedelta(minutes=1))
    for arguments in (["run"], ["verify"], ["report", "--json"]):
        done = clock.run(home, *arguments)
        if done.status != 0:
            raise Violation(f"{arguments} after the clock jumped ended with {done.status}: {done.output[-1500:]}")
    if found := home.oracle.find_violations(home.path, read_summary(done.output)):
        raise Violation("; ".join(found))
    received = sum(home.linkedin.count_calls().values()) - sum(home.calls_of_others.values())
    if received > (charged := count_charged(home.landing_url, date.min).total()):
        raise Violation(f"LinkedIn received {received} calls, the ledger has {charged}")

"""Databases are replaced by older copies, cut short, damaged and deleted while runs and the receiver use them."""

import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torture.home import Home, Violation, open_home
from torture.linkedin import LinkedIn
from torture.oracle import count_charged
from torture.processes import Ended
from torture.receiver import Sender, choose_port, wait_until_served


@dataclass(frozen=True)
class Backup:
    """Copies of both databases, made as docs/backup.md says."""

    folder: Path

    def copy(self, name: str) -> Path:
        return self.folder / name


def back_up(home: Home) -> Backup:
    """Between two runs; the receiver goes on."""
    folder = home.folder / "backup"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(home.warehouse, folder)
    source, target = sqlite3.connect(home.landing), sqlite3.connect(folder / home.landing.name)
    source.backup(target)
    source.close()
    target.close()
    return Backup(folder)


def replace(path: Path, copy: Path) -> None:
    """Put a copy at the place of a database, without the logs of the one that was there."""
    fresh = path.with_name("restored")
    shutil.copy(copy, fresh)
    for log in path.parent.glob(f"{path.name}?wal"):
        log.unlink()
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    fresh.replace(path)


def damage(path: Path, chance: random.Random) -> None:
    """Overwrite a page somewhere in the second half of the file."""
    with path.open("r+b") as file:
        file.seek(chance.randrange(path.stat().st_size // 2, path.stat().st_size))
        file.write(chance.randbytes(4096))


def cut(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size // 2, path.stat().st_size))


Accident = Callable[[Home, Backup, random.Random], None]
WAREHOUSE: dict[str, Accident] = {
    "warehouse restored": lambda home, backup, _: replace(home.warehouse, backup.copy("warehouse.duckdb")),
    "warehouse cut": lambda home, _, chance: cut(home.warehouse, chance),
    "warehouse damaged": lambda home, _, chance: damage(home.warehouse, chance),
    "warehouse deleted": lambda home, _backup, _chance: home.warehouse.unlink(),
    "warehouse's log deleted": lambda home, _backup, _chance: home.warehouse.with_name("warehouse.duckdb.wal").unlink(missing_ok=True),
}
LANDING: dict[str, Accident] = {
    "landing database restored": lambda home, backup, _: replace(home.landing, backup.copy("landing.db")),
    "landing database cut": lambda home, _, chance: cut(home.landing, chance),
    "landing database deleted": lambda home, _backup, _chance: home.landing.unlink(),
}


def torture_by_restores(folder: Path, linkedin: LinkedIn, count: int, seed: int) -> str:
    """Each accident `count` times, in the middle of a run and under a receiver; then what docs/backup.md says, and the oracle."""
    chance = random.Random(seed)
    ends: Counter[int] = Counter()
    acknowledged = given_up = 0
    for number, name in enumerate([*WAREHOUSE, *LANDING] * count):
        with open_home(folder / f"restore-{number}", linkedin) as home:
            port = choose_port()
            receiver = home.start("webhook", "--port", str(port))
            if not wait_until_served(port, receiver):
                raise Violation(f"the receiver did not start: {receiver.end().output[-1500:]}")
            sender = Sender(home, port)
            sender.start()
            given_up += have_accident(home, name, chance, ends)
            sender.is_over.set()
            sender.join(60)
            check(receiver.end(15), f"the receiver, {name}")
            settle(home, name)
            acknowledged += len(home.oracle.notifications)
    names = ", ".join([*WAREHOUSE, *LANDING])
    return (
        f"{count} times each in the middle of a run, with a receiver at work: {names}. {ends.total()} commands, of which {ends[0]} ended with 0 and {ends[1]} "
        f"with 1 and a message. After what docs/backup.md says: {acknowledged:,} acknowledged notifications, none lost, none twice, but for {given_up:,} "
        "that were in a landing database that was replaced or deleted, and not merged yet."
    )


def have_accident(home: Home, name: str, chance: random.Random, ends: "Counter[int]") -> int:
    """Work, a copy, work again, and in the middle of a run the accident. How many notifications are given up by it."""
    add_tasks(home)
    home.must("run")
    backup = back_up(home)
    add_tasks(home)
    time.sleep(chance.uniform(0, 1))
    # What is acknowledged now is in the warehouse after this run.
    kept = set(home.oracle.notifications)
    home.must("run")
    add_tasks(home)
    command = home.start("run")
    time.sleep(chance.uniform(0, 1.2))
    (WAREHOUSE | LANDING)[name](home, backup, chance)
    given_up = give_up(home, kept) if name in LANDING else 0
    ended = command.wait()
    check(ended, name)
    ends[ended.status] += 1
    time.sleep(chance.uniform(0, 0.5))
    ended = home.run("run")
    check(ended, f"the run after: {name}")
    ends[ended.status] += 1
    restore(home, name, backup)
    if name == "landing database cut":
        # The receiver may have gone on with what was left of the file.
        given_up += give_up(home, kept)
    go_on(home, name)
    return given_up


def give_up(home: Home, kept: set[int]) -> int:
    """How many notifications are with the file that was replaced just now; nobody asks for them any more."""
    (first_new,) = home.take_numbers(1)
    lost = {number for number in home.oracle.notifications - kept if number < first_new}
    home.oracle.notifications -= lost
    return len(lost)


def add_tasks(home: Home) -> None:
    home.must("tasks", "import", str(home.linkedin.files[home.next_file]))
    home.oracle.note_tasks(home.take_file())


def restore(home: Home, name: str, backup: Backup) -> None:
    """What docs/backup.md says."""
    if name in ("warehouse cut", "warehouse damaged"):
        replace(home.warehouse, backup.copy("warehouse.duckdb"))
    elif name == "landing database cut":
        replace(home.landing, backup.copy("landing.db"))


def go_on(home: Home, name: str) -> None:
    """The run after it, which has to succeed; and what came from files is imported again."""
    home.must("run", *(["--new-landing"] if name == "landing database deleted" else []))
    if name in WAREHOUSE:
        # What came from files is imported again, and counts once.
        home.must("tasks", "import", *map(str, home.linkedin.files[: home.next_file]))
        home.must("notifications", "import", str(home.folder / "notifications.ndjson"))
    else:
        # Calls of the run that the accident met were charged in the file that is gone.
        charged = count_charged(home.landing_url)
        home.calls_of_others = {resource: count - charged[resource] for resource, count in home.linkedin.count_calls().items()}


def check(ended: Ended, name: str) -> None:
    if not ended.is_clean:
        raise Violation(f"{name}: ended with {ended.status}: {ended.output[-1500:]}")


def settle(home: Home, name: str) -> None:
    try:
        home.settle()
    except Violation as violation:
        raise Violation(f"{name}: {violation}") from None

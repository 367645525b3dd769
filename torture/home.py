"""An installation that is tortured: its folder, its commands, what is brought to it, and the oracle over it."""

import itertools
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.senders import BODY
from jobrecon.clock import utc_now
from jobrecon.landing import open_landing
from jobrecon.landing.inbox import InvalidBody, write_inbox
from torture.linkedin import SECRET, URN, LinkedIn
from torture.oracle import Oracle, count_charged, find_overcharges, read_summary
from torture.processes import Command, Ended, start

CALL_LIMIT = 100_000
JOBS = 200
"""Notifications are about so many jobs, those of the first files of tasks."""


class Violation(Exception):
    """Something that must hold does not."""


@dataclass
class Home:
    """One installation below `folder`, with a clock of today."""

    folder: Path
    linkedin: LinkedIn
    landing_url: str = ""
    call_limit: int = CALL_LIMIT
    oracle: Oracle = field(default_factory=Oracle)
    calls_of_others: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    next_file: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.landing_url = self.landing_url or f"sqlite:///{self.path / 'landing.db'}"
        self.environment = {
            "JOBRECON_HOME": str(self.path),
            "JOBRECON_API_URL": self.linkedin.url,
            "JOBRECON_TOKEN_URL": f"{self.linkedin.url}/oauth/v2/accessToken",
            "JOBRECON_APPLICATION_URN": URN,
            "JOBRECON_CLIENT_ID": "torture",
            "JOBRECON_CLIENT_SECRET": SECRET,
            "JOBRECON_LANDING_URL": self.landing_url,
            "JOBRECON_DAILY_CALL_LIMIT": str(self.call_limit),
            "JOBRECON_IDS_PER_CALL": "5",
            "JOBRECON_MAIL_TO": "ops@example.com",
            "JOBRECON_MAIL_FROM": "jobrecon@example.com",
            **self.environment,
        }
        charged = count_charged(self.landing_url)
        self.calls_of_others = {name: count - charged[name] for name, count in self.linkedin.count_calls().items()}

    @property
    def path(self) -> Path:
        return self.folder / "home"

    @property
    def warehouse(self) -> Path:
        return self.path / "warehouse.duckdb"

    @property
    def landing(self) -> Path:
        return self.path / "landing.db"

    def start(self, *arguments: str, is_stopped: bool = False) -> Command:
        return start(arguments, self.environment, self.folder, is_stopped=is_stopped)

    def run(self, *arguments: str) -> Ended:
        return self.start(*arguments).wait()

    def must(self, *arguments: str) -> Ended:
        """Run a command that has to succeed. Raises `Violation`."""
        ended = self.run(*arguments)
        if ended.status != 0:
            raise Violation(f"{' '.join(arguments)} ended with {ended.status}: {ended.output[-1500:]}")
        return ended

    def take_file(self) -> Path:
        """The partner's next file of tasks."""
        self.next_file += 1
        return self.linkedin.files[self.next_file - 1]

    def take_numbers(self, count: int) -> list[int]:
        """Numbers of notifications that nobody has sent yet."""
        return list(itertools.islice(self.numbers, count))

    def write_notifications(self, numbers: list[int]) -> Path:
        """A file of notifications, for `notifications import`."""
        file = self.folder / "notifications.ndjson"
        file.write_text("".join(make_body(number) + "\n" for number in numbers), encoding="utf-8")
        return file

    def quarantine(self, numbers: list[int]) -> None:
        """Put valid notifications into quarantine, as a version that could not read them left them."""
        engine = open_landing(self.landing_url)
        bodies = [make_body(number).encode() for number in numbers]
        write_inbox(engine, [InvalidBody(utc_now(), "not understood then", body, "torture") for body in bodies])
        engine.dispose()
        self.oracle.notifications |= set(numbers)

    def settle(self, *, is_verified: bool = True) -> None:
        """Do all work that is left, undisturbed, and have the oracle judge. Raises `Violation`."""
        self.must("webhook", "redrive")
        self.must("run")
        if is_verified:
            self.must("verify")
        summary = read_summary(self.must("report", "--mail", "--json").output)
        received = {name: count - self.calls_of_others[name] for name, count in self.linkedin.count_calls().items()}
        found = self.oracle.find_violations(self.path, summary)
        if found := found + find_overcharges(received, count_charged(self.landing_url), self.call_limit):
            raise Violation("; ".join(found))

    @contextmanager
    def copy(self, folder: Path) -> Iterator["Home"]:
        """The same installation in another folder, with what is known of it; removed at the end."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.path, folder / "home")
        home = Home(folder, self.linkedin, call_limit=self.call_limit)
        home.oracle = Oracle(set(self.oracle.tasks), set(self.oracle.notifications))
        home.next_file, home.numbers = self.next_file, self.numbers
        yield home
        shutil.rmtree(folder, ignore_errors=True)


def make_body(number: int) -> str:
    """A notification that its number tells apart from all others."""
    content = json.loads(BODY % (number % JOBS))
    content |= {"externalJobPostingId": f"bulk-{number % JOBS}", "jobPostingUrl": f"https://www.linkedin.com/jobs/view/{number}"}
    content["listingStatus"] = random.Random(number).choice(["LISTED", "NOT_LISTED", "IN_PROGRESS"])
    return json.dumps(content)


@contextmanager
def open_home(folder: Path, linkedin: LinkedIn) -> Iterator[Home]:
    """A new installation that has run once; its folder is removed at the end, unless something went wrong."""
    home = Home(folder, linkedin)
    for _ in range(JOBS // 10):
        file = home.take_file()
        home.oracle.note_tasks(file)
    home.must("tasks", "import", "--create", *map(str, linkedin.files[: home.next_file]))
    numbers = home.take_numbers(50)
    home.must("notifications", "import", str(home.write_notifications(numbers)))
    home.oracle.notifications |= set(numbers)
    home.settle()
    yield home
    shutil.rmtree(folder)

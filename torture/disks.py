"""Small file systems that are full: a tmpfs with hardly more room than the installation takes."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torture.home import Home, Violation, make_body, open_home
from torture.linkedin import LinkedIn
from torture.oracle import Oracle
from torture.receiver import choose_port, post, wait_until_served

COMMANDS = (["tasks", "import", "TASKS"], ["run"], ["report", "--mail"], ["maintain"], ["run"])
ROOM_KILOBYTES = (0, 64, 256, 1_024, 4_096, 8_192)


@contextmanager
def mounted(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of this size at `folder`. Raises `RuntimeError` where none may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise RuntimeError("no tmpfs may be mounted here: run it as root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def torture_by_full_disks(folder: Path, linkedin: LinkedIn, count: int, _seed: int) -> str:
    """Run everything on disks with more and more room left, `count` times each; then give room and judge."""
    ends: Counter[int] = Counter()
    posts: Counter[int] = Counter()
    with open_home(folder / "template", linkedin) as template:
        taken = sum(file.stat().st_size // 1024 + 4 for file in template.path.rglob("*"))
        for room in ROOM_KILOBYTES * count:
            with mounted(folder / "disk" / "home", taken + room + 64):
                home = Home(folder / "disk", linkedin)
                shutil.copytree(template.path, home.path, dirs_exist_ok=True)
                home.oracle = Oracle(set(template.oracle.tasks), set(template.oracle.notifications))
                home.next_file, home.numbers = template.next_file, template.numbers
                use_up(home, ends, posts)
                subprocess.run(["mount", "-o", "remount,size=1g", str(home.path)], check=True)
                home.settle()
    return (
        f"{len(ROOM_KILOBYTES) * count} disks (tmpfs) with {', '.join(f'{room:,}' for room in ROOM_KILOBYTES)} KB left: {ends.total()} commands, of which "
        f"{ends[0]} ended with 0 and {ends[1]} with 1 and a message; {posts[200]} notifications got a 200, {posts[500]} a 500. With room again: "
        "nothing acknowledged was lost, everything charged, all rows agree."
    )


def use_up(home: Home, ends: "Counter[int]", posts: "Counter[int]") -> None:
    # The logs of the commands lie elsewhere: only what the product writes may fail.
    port = choose_port()
    receiver = home.start("webhook", "--port", str(port))
    is_served = wait_until_served(port, receiver)
    for command in COMMANDS:
        for number in home.take_numbers(20) if is_served else []:
            status = post(port, make_body(number).encode())
            posts[status] += 1
            if status == 200:
                home.oracle.notifications.add(number)
        ended = home.run(*(str(home.linkedin.files[home.next_file]) if word == "TASKS" else word for word in command))
        if not ended.is_clean:
            raise Violation(f"{command} on a full disk ended with {ended.status}: {ended.output[-2000:]}")
        if command[0] == "tasks" and ended.status == 0:
            home.oracle.note_tasks(home.take_file())
        ends[ended.status] += 1
    ended = receiver.end(15)
    if not ended.is_clean:
        raise Violation(f"the receiver on a full disk ended with {ended.status}: {ended.output[-2000:]}")

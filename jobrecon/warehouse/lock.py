"""The writer's lock: a file beside the warehouse that names its holder; the kernel frees it with the process."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, WarehouseError, WarehouseLocked

POLL_SECONDS = 0.1
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "fuse.glusterfs"}


@contextmanager
def hold_writer_lock(lock_file: Path, guarded: str, wait_seconds: float) -> Iterator[float]:
    """Hold the writer's lock while the block runs; yields the deadline (monotonic) for further waiting.

    Raises `WarehouseLocked`, naming the holder, when
    `wait_seconds` have passed.
    """
    deadline = time.monotonic() + wait_seconds
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        refuse_network_file_system(lock_file.parent)
        file = lock_file.open("a+", encoding="utf-8")
    except OSError as error:
        raise WarehouseError(
            f"{lock_file.parent} cannot be written: {error.strerror}. Nothing was changed. Make the folder writable, or set JOBRECON_HOME."
        ) from error
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = _name_holder(lock_file)
                    raise WarehouseLocked(
                        f"{guarded} is open for writing in {holder}. Waited {wait_seconds:.0f} s. Nothing was changed; notifications keep "
                        "landing. Wait for it, or end it and run again.",
                        holder=holder,
                    ) from None
                time.sleep(POLL_SECONDS)
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "command": command, "since": utc_now().isoformat(timespec="seconds")}))
        file.flush()
        yield deadline


def _name_holder(lock_file: Path) -> str:
    try:
        holder = json.loads(lock_file.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(holder["since"]).strftime("%H:%M:%S UTC")
        return f"process {holder['pid']} ({holder['command']}, since {since})"
    except (OSError, ValueError, KeyError):
        return "another process"


def refuse_network_file_system(folder: Path) -> None:
    """Raise `ConfigurationError` on a network file system, where locks do not hold: two writers would corrupt the file."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    except OSError:
        return
    kind = find_file_system(str(folder.resolve()), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise ConfigurationError(
            f"{folder} lies on a network file system ({kind}), where the warehouse's lock does not hold. Nothing was changed. "
            "Set JOBRECON_HOME or JOBRECON_WAREHOUSE to a local disk, or JOBRECON_WAREHOUSE to a ducklake: address."
        )


def find_file_system(place: str, mounts: str) -> str:
    """The type of the file system at `place`: that of the deepest mount above it, the last one of several at the same point."""
    deepest, found = "", ""
    for line in mounts.splitlines():
        point, kind = line.split()[1:3]
        point = point.replace(r"\040", " ").rstrip("/")
        if f"{place}/".startswith(f"{point}/") and len(point) >= len(deepest):
            deepest, found = point, kind
    return found

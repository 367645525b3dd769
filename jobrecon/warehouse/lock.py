"""The writer's lock: for a file, a lock file beside it that the kernel frees; for a lake in PostgreSQL, an advisory lock."""

import fcntl
import json
import os
import socket
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, WarehouseError, WarehouseLocked
from jobrecon.secrets import redact

POLL_SECONDS = 0.1
DATABASE_POLL_SECONDS = 0.5
LOCK_CLASS = 7_106_002
"""The first half of the key of our advisory locks; any number, the same in all our processes."""
TIMEOUTS = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
SESSION = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "idle_session_timeout": "0"}
"""The server's side: it notices a machine that is gone within half a minute, and does not end a session that only holds a lock."""
HOLDER = """
    select application_name, backend_start from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and granted and classid = %s and objid = %s
"""
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "fuse.glusterfs"}


@dataclass(frozen=True)
class WriterLock:
    """A lock that is held: until when (monotonic) further waiting may last, and how to make sure that it still is."""

    deadline: float
    check: Callable[[], None] = lambda: None


@contextmanager
def hold_file_lock(lock_file: Path, guarded: str, wait_seconds: float) -> Iterator[WriterLock]:
    """Hold the lock file while the block runs. Raises `WarehouseLocked`, naming the holder, when `wait_seconds` have passed."""
    deadline = time.monotonic() + wait_seconds
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        refuse_network_file_system(lock_file.parent)
        file = lock_file.open("ab", buffering=0)
    except OSError as error:
        raise _explain(lock_file.parent, error) from error
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise _locked(guarded, _read_holder(lock_file), wait_seconds) from None
                time.sleep(POLL_SECONDS)
            except OSError as error:
                raise _explain(lock_file, error) from error
        holder = {"holder": _describe_self(), "pid": os.getpid(), "since": utc_now().isoformat(timespec="seconds")}
        # Only for those who wait: on a full disk the lock holds without it.
        with suppress(OSError):
            file.truncate(0)
            file.write(json.dumps(holder).encode())
        yield WriterLock(deadline)


def _explain(path: Path, error: OSError) -> WarehouseError:
    return WarehouseError(
        f"{path} cannot be written: {error.strerror}. Nothing was changed. Make the folder writable, or set JOBRECON_HOME."
    )


@contextmanager
def hold_database_lock(address: str, name: str, guarded: str, wait_seconds: float) -> Iterator[WriterLock]:
    """The same by PostgreSQL's advisory lock `name` in the database at `address`; it is freed with the holder's connection."""
    import psycopg  # Takes a tenth of a second, and only lakes need it.

    deadline = time.monotonic() + wait_seconds
    key = zlib.crc32(name.encode()) >> 1

    def execute(query: str, *values: object) -> tuple[Any, ...]:
        try:
            return connection.execute(query, values).fetchone() or (None,)
        except psycopg.Error as error:
            raise WarehouseError(
                f"The lock of {guarded} failed: {type(error).__name__}. This step was not begun, earlier ones are committed. Run again "
                "once PostgreSQL can be reached."
            ) from error

    def check() -> None:
        execute("select 1")

    try:
        connection = psycopg.connect(address, autocommit=True, **TIMEOUTS)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise WarehouseError(
            f"{guarded} cannot be locked: {redact(_flatten(error))}. Nothing was changed. Check JOBRECON_WAREHOUSE."
        ) from None
    with connection:
        for setting, value in (SESSION | {"application_name": _describe_self()[:63]}).items():
            execute("select set_config(%s, %s, false)", setting, value)
        while not execute("select pg_try_advisory_lock(%s, %s)", LOCK_CLASS, key)[0]:
            if time.monotonic() >= deadline:
                name, since = (*execute(HOLDER, LOCK_CLASS, key), None)[:2]
                raise _locked(guarded, f"{name}, since {since.astimezone(UTC):%H:%M:%S} UTC" if since else "another process", wait_seconds)
            time.sleep(DATABASE_POLL_SECONDS)
        yield WriterLock(deadline, check)


def _describe_self() -> str:
    """Process, host and command: what the error of the one who waits names."""
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    return f"process {os.getpid()} on {socket.gethostname()[:24]} ({command[:20]})"


def _locked(guarded: str, holder: str, wait_seconds: float) -> WarehouseLocked:
    return WarehouseLocked(
        f"{guarded} is open for writing in {holder}. Waited {wait_seconds:.0f} s. Nothing was changed; notifications keep "
        "landing. Wait for it, or end it and run again.",
        holder=holder,
    )


def _read_holder(lock_file: Path) -> str:
    try:
        content = json.loads(lock_file.read_text(encoding="utf-8"))
        return f"{content['holder']}, since {datetime.fromisoformat(content['since']):%H:%M:%S} UTC"
    except (OSError, ValueError, KeyError):
        return "another process"


def _flatten(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


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

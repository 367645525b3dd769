"""Whether an open SQLite file is still the file at its path.

SQLite goes on writing to a file that was moved, deleted or replaced, and what it commits there is lost.
"""

import logging
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event

from jobrecon.errors import LandingUnavailable

log = logging.getLogger(__name__)


def watch_file(engine: Engine, path: Path) -> None:
    """Have the engine's connections remember which file they opened; they never create one."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, record: Any, _arguments: Any, options: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, **options)
        record.info["path"], record.info["file"] = path, path.stat()
        return connection


def confirm_file(connection: Connection) -> None:
    """Raise `LandingUnavailable` where the file, or its write-ahead log, is no longer the one that this connection writes to.

    For the time after a commit, before anything is acknowledged. The engine's connections are closed then, so that the next one
    opens the file at the path.
    """
    if "path" not in connection.info:
        return
    path, opened = connection.info["path"], connection.info["file"]
    wal = path.with_name(path.name + "-wal")
    with suppress(FileNotFoundError):
        file = path.stat()
        # The database file only grows: nothing here vacuums it. At least 1, because in WAL mode even a new file has its first page.
        if os.path.samestat(file, opened) and file.st_size >= connection.info.get("size", 1):
            written = connection.info.setdefault("wal", wal.stat())
            if os.path.samestat(wal.stat(), written):
                connection.info["size"] = file.st_size
                return
    log_written = connection.info.get("wal")
    connection.invalidate()
    connection.engine.dispose()
    _set_aside(path, opened, log_written)
    raise LandingUnavailable(
        f"The landing database {path} was moved, deleted or replaced while it was open. What was written since then is not in the file "
        "that is there now, and was not acknowledged. The next write opens the file at that path."
    )


def _set_aside(path: Path, opened: os.stat_result, written: os.stat_result | None) -> None:
    """Rename the write-ahead log of a file that is gone: SQLite would apply it to the file that took its place.

    Only the log that this connection wrote: another process may have opened the new file already, and then the log is its own.
    """
    with suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), opened):
            return
    try:
        if written is None or not os.path.samestat(path.with_name(path.name + "-wal").stat(), written):
            return
    except FileNotFoundError:
        return
    for suffix in ("-wal", "-shm"):
        left = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            aside = left.rename(left.with_name(f"{left.name}.{time.time_ns()}"))
            log.error("%s belongs to a file that is no longer there: it is %s now", left, aside.name)

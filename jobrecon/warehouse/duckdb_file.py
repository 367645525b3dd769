"""Opening DuckDB files: the configuration of every connection, and what can be wrong with the writer's file."""

import logging
import re
import time
from pathlib import Path
from typing import Any

import duckdb

from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, WarehouseError, WarehouseLocked
from jobrecon.warehouse.lock import POLL_SECONDS
from jobrecon.warehouse.statements import load_statements

log = logging.getLogger(__name__)

CONFIG: dict[str, Any] = {
    # Nothing is downloaded at run time: extensions are loaded from their wheels, by path.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "preserve_insertion_order": False,
    # Each checkpoint rewrites the changed row groups: too expensive after every merge of a run.
    "wal_autocheckpoint": "256MB",
    # Each thread writes its row groups as they fill up, not five at a time at the end: half of the time and a third of the memory
    # of a large insert.
    "write_buffer_row_group_count": 1,
}


HEADER_BYTES = 3 * 4096
"""What every DuckDB file begins with."""


def connect(path: Path | str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection with time zone UTC that downloads nothing."""
    connection = duckdb.connect(path, read_only=read_only, config=CONFIG)
    # Global: cursors for other threads have it too.
    connection.execute("set global TimeZone = 'UTC'")
    connection.execute(load_statements()["findings/create_severity_rank"])
    return connection


def open_file(path: Path, deadline: float, waited_seconds: float) -> duckdb.DuckDBPyConnection:
    """Open the writer's file, waiting for another process until `deadline` (monotonic).

    A log that cannot be replayed is moved aside with a warning. Raises `WarehouseLocked`, `WarehouseError` or `ConfigurationError`.
    """
    if "?" in str(path.absolute()):
        # DuckDB would look for the log of the file in another folder: it takes what follows the `?` for parameters of a URL.
        raise ConfigurationError(
            f"DuckDB cannot keep a file whose path holds a question mark: {path.absolute()}. Nothing was changed. Set JOBRECON_HOME or "
            "JOBRECON_WAREHOUSE to another path."
        )
    is_wal_moved = False
    _remove_unfinished(path)
    while True:
        try:
            return connect(path)
        except duckdb.Error as error:
            text = str(error)
            if "lock on file" in text:
                # Another program opened the file itself, for example the DuckDB shell.
                if time.monotonic() >= deadline:
                    found = re.search(r"held in (.+?)\. ", text)
                    holder = found.group(1) if found else "another process"
                    raise WarehouseLocked(
                        f"{path} is open in {holder}. Waited {waited_seconds:.0f} s. Nothing was changed; notifications keep landing. "
                        "Close it there and run again; to query the data open the published copy instead.",
                        holder=holder,
                    ) from None
                time.sleep(POLL_SECONDS)
                continue
            log_file = path.with_name(path.name + ".wal")
            if not is_wal_moved and log_file.exists() and ("WAL" in text or "wal" in text or "replay" in text.lower()):
                aside = log_file.with_name(f"{log_file.name}.broken-{utc_now():%Y%m%dT%H%M%S}")
                log_file.rename(aside)
                is_wal_moved = True
                log.warning(
                    "The last changes to %s could not be replayed and were moved to %s. They are loaded again from imports, "
                    "the landing database and LinkedIn.",
                    path,
                    aside,
                )
                continue
            raise WarehouseError(
                f"{path} cannot be opened as a DuckDB warehouse: {first_line(error)}. Nothing was changed. Restore it, or move it away: "
                "a new one is filled from imports, the landing database and LinkedIn."
            ) from error


def _remove_unfinished(path: Path) -> None:
    """Remove a file that a full disk left before DuckDB had written its three header blocks: it never held a table."""
    if not path.is_file() or path.with_name(path.name + ".wal").exists() or path.stat().st_size > HEADER_BYTES:
        return
    content = path.read_bytes()
    if not content.strip(b"\0") or (content[8:12] == b"DUCK" and len(content) < HEADER_BYTES):
        path.unlink()
        log.warning("%s was unfinished (%s bytes): it is made anew.", path, f"{len(content):,}")


def first_line(error: Exception) -> str:
    """The first line of an error's own text."""
    return str(error).strip().splitlines()[0].rstrip(".")

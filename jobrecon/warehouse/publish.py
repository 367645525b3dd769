"""Publishing: replace the analysts' copy by rename. Open readers keep the old one."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from jobrecon.errors import PublishFailed
from jobrecon.warehouse.lake import ALIAS
from jobrecon.warehouse.schema import quote


def publish_file(source: Path, target: Path) -> None:
    """Copy the closed, checkpointed file at `source` to `target`. The caller holds the writer's lock."""
    with replace_whole(target) as fresh:
        shutil.copyfile(source, fresh)


def publish_catalog(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """The same from an attached catalog (DuckLake): its tables in one DuckDB file."""
    with replace_whole(target) as fresh:
        connection.execute(f"attach {quote(str(fresh))} as fresh")
        try:
            connection.execute(f"copy from database {ALIAS} to fresh")
        finally:
            connection.execute("detach fresh")


@contextlib.contextmanager
def replace_whole(target: Path) -> Iterator[Path]:
    """The path to write a new copy to; once the block ends, it replaces `target` by rename.

    Raises `PublishFailed`; then the previous copy is unchanged.
    """
    fresh = target.with_name(f".{target.name}.fresh")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        yield fresh
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        if not isinstance(error, OSError | duckdb.Error):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise PublishFailed(
            f"The published copy {target} could not be written: {reason}. The warehouse itself is up to date and the previous copy is "
            "unchanged. Free disk space or repair the folder, then run again.",
            target=target,
        ) from error

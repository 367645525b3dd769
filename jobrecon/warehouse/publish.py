"""Publishing: replace the analysts' copy by rename. Open readers keep the old one."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from jobrecon.errors import PublishFailed


def publish_file(source: Path, target: Path) -> None:
    """Copy the closed, checkpointed file at `source` to `target`, by rename.

    The caller holds the writer's lock. Raises `PublishFailed`; then the previous copy is unchanged.
    """
    fresh = target.with_name(f".{target.name}.fresh")
    with _explain_errors(target, fresh):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, fresh)
        _replace(fresh, target)


def publish_catalog(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """The same from an attached catalog (DuckLake): its tables in one DuckDB file."""
    fresh = target.with_name(f".{target.name}.fresh")
    with _explain_errors(target, fresh):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        connection.execute(f"attach '{str(fresh).replace(chr(39), chr(39) * 2)}' as fresh")
        try:
            connection.execute("copy from database jobrecon to fresh")
        finally:
            connection.execute("detach fresh")
        _replace(fresh, target)


def _replace(fresh: Path, target: Path) -> None:
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _explain_errors(target: Path, fresh: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.Error) as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise PublishFailed(
            f"The published copy {target} could not be written: {reason}. The warehouse itself is up to date and the previous copy is "
            "unchanged. Free disk space or repair the folder, then run again.",
            target=target,
        ) from error

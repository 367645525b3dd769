"""A report's folder: filled out of sight, then put in place, so that no reader sees half a report."""

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LEFTOVER_SECONDS = 3600
LAST = ("index.html", "summary.json")
"""Put in place after the files they link to."""


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """A fresh folder to write into; at the end of the block its files take the place of those in `target`.

    The first time the folder appears whole; later each file is replaced whole, and pages and workbooks that are no longer written go.
    On an error nothing in `target` has changed, and nothing is left beside it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target)
    fresh = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    fresh.mkdir()
    try:
        yield fresh
        _put_in_place(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _put_in_place(fresh: Path, target: Path) -> None:
    if not target.exists():
        with suppress(FileExistsError):
            fresh.rename(target)
            return
    written = sorted((path.name for path in fresh.iterdir()), key=lambda name: (name in LAST, name))
    for name in written:
        (fresh / name).replace(target / name)
    # Page and workbook of an account manager who is no longer there would go on showing an older state.
    for path in (*target.glob("*.html"), *target.glob("*.xlsx")):
        if path.name not in written:
            path.unlink(missing_ok=True)


def _remove_leftovers(target: Path) -> None:
    """What a killed process left behind."""
    for path in target.parent.glob(f".{target.name}.*"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

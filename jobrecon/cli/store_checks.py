"""Checks of the stores for `jobrecon doctor`: disk, warehouse, published and joined copy, landing database."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobrecon.applications import Applications
from jobrecon.clock import utc_now
from jobrecon.errors import WarehouseError
from jobrecon.landing.database import using_landing
from jobrecon.landing.inbox_reader import read_state
from jobrecon.settings import Settings
from jobrecon.warehouse import open_published, open_warehouse

MIN_FREE_BYTES = 2 * 1024**3
MAX_CLOCK_DIFFERENCE_SECONDS = 60


@dataclass(frozen=True)
class Check:
    """The result of one check: OK, WARN or FAIL."""

    name: str
    state: str
    detail: str
    remedy: str = ""


def _has_shards(settings: Settings) -> bool:
    return len(settings.load_applications().shards) > 1


def check_disk(settings: Settings, _applications: Applications) -> Iterator[Check]:
    folder = next(path for path in [settings.home.absolute(), *settings.home.absolute().parents] if path.exists())
    free = shutil.disk_usage(folder).free
    warehouse = Path(settings.warehouse)
    # Publishing needs room for a second copy of the warehouse.
    needed = max(MIN_FREE_BYTES, 2 * warehouse.stat().st_size if warehouse.is_file() else 0)
    is_writable = os.access(folder, os.W_OK)
    detail = f"{free / 1024**3:.1f} GiB free at {folder}"
    if not is_writable:
        yield Check("disk", "FAIL", f"{folder} is not writable", "Make it writable, or set JOBRECON_HOME.")
    elif free < needed:
        yield Check("disk", "WARN", detail, f"Make room: {needed / 1024**3:.1f} GiB should be free to publish safely.")
    else:
        yield Check("disk", "OK", detail)


def check_warehouse(settings: Settings, _applications: Applications) -> Iterator[Check]:
    if _has_shards(settings) and not settings.is_lake and not Path(settings.warehouse).exists():
        remedy = "Where it is another machine's, check it there; else import its tasks."
        yield Check("warehouse", "WARN", f"{settings.warehouse} does not exist on this machine", remedy)
        return
    with open_warehouse(settings.model_copy(update={"lock_wait": min(settings.lock_wait, 2)})) as warehouse:
        tasks = warehouse.count("tasks/select_pending_count", as_of=utc_now())
        last_as_of = warehouse.run("runs/select_last_as_of")[0][0]
    yield Check("warehouse", "OK", f"can be written; {tasks:,} tasks pending")
    if last_as_of and (last_as_of - utc_now()).total_seconds() > MAX_CLOCK_DIFFERENCE_SECONDS:
        detail = f"the last run is as of {last_as_of.isoformat(timespec='seconds')}, ahead of this machine's clock"
        remedy = "Correct the clock. If it is right, runs are refused until then: restore the warehouse of before that run."
        yield Check("last run", "FAIL", detail, remedy)


def check_published(settings: Settings, _applications: Applications) -> Iterator[Check]:
    """What the last run published: a copy, or where several shards share a lake its tagged snapshot."""
    own = settings.for_shard()
    is_tagged = own is not settings and own.is_lake
    if not own.published.exists() and not is_tagged:
        yield Check("published copy", "WARN", f"{own.published} does not exist yet", "Run `jobrecon run`.")
        return
    try:
        with open_published(own) as warehouse:
            rows = warehouse.read("runs/select_last_run")
    except WarehouseError as error:
        # Of a lake that cannot be reached the check of the warehouse says so.
        yield Check("published copy", "WARN" if is_tagged else "FAIL", str(error))
        return
    yield from _judge_age("published copy", rows, settings, "Run `jobrecon run`.")


def check_joined(settings: Settings, _applications: Applications) -> Iterator[Check]:
    """The copy that `jobrecon gather` joins of the shards'."""
    if not _has_shards(settings):
        return
    if not settings.published.exists():
        yield Check(
            "joined copy", "WARN", f"{settings.published} does not exist here", "Run `jobrecon gather`, on a machine that reads all."
        )
        return
    with open_published(settings) as warehouse:
        rows = warehouse.read("runs/select_last_run")
    yield from _judge_age("joined copy", rows, settings, "Run `jobrecon gather`.")


def _judge_age(name: str, rows: list[dict[str, Any]], settings: Settings, remedy: str) -> Iterator[Check]:
    if not rows:
        yield Check(name, "WARN", "holds no run yet", remedy)
        return
    is_stale = (utc_now() - rows[0]["as_of"]).total_seconds() > settings.stale_after
    detail = f"as of {rows[0]['as_of'].isoformat(timespec='seconds')}, last run {rows[0]['state']}"
    yield Check(name, "WARN" if is_stale else "OK", detail, "No recent run: is the deployment scheduled?" if is_stale else "")


def check_landing(settings: Settings, _applications: Applications) -> Iterator[Check]:
    with using_landing(settings.landing_url) as engine:
        state = read_state(engine)
    yield Check("landing database", "OK", f"reachable; {state.unmerged_count:,} notifications not merged yet")
    if state.quarantined_count:
        detail = f"{state.quarantined_count:,} signed but invalid bodies"
        yield Check("quarantine", "WARN", detail, "Look at the table quarantine; after a fix run `jobrecon webhook redrive`.")

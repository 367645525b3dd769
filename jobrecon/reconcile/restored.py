"""What a run repeats where a database was restored from a backup, truncated or replaced."""

import logging
from datetime import date

from sqlalchemy import Engine

from jobrecon.landing.merges import read_merge_ids, undo_merges
from jobrecon.linkedin.ledger import restore_ledger
from jobrecon.warehouse.connection import Warehouse, stage

log = logging.getLogger(__name__)


def undo_lost_merges(warehouse: Warehouse, engine: Engine, shard: str = "") -> int:
    """Have deliveries merged again whose merge this warehouse, the shard's, does not know; returns how many. Raises `LandingUnavailable`."""
    merges = [{"merge_id": merge_id} for merge_id in read_merge_ids(engine, shard)]
    lost = warehouse.read("notifications/select_lost_merges", stage("staged_merges", merges)) if merges else []
    count = undo_merges(engine, [row["merge_id"] for row in lost])
    if count:
        log.warning(
            "The warehouse does not hold %s notifications that earlier runs merged: it was restored, truncated or replaced since. "
            "They are merged again from the landing database.",
            f"{count:,}",
        )
    return count


def charge_known_calls(warehouse: Warehouse, engine: Engine, today: date) -> int:
    """Charge to the ledger what the warehouse knows of and the ledger lacks; returns how many calls. Raises `LandingUnavailable`."""
    count = restore_ledger(engine, warehouse.read("runs/select_call_budget", utc_date=today))
    if count:
        log.warning("The call ledger lacked %s calls of today that earlier runs sent; they are charged to it again.", f"{count:,}")
    return count

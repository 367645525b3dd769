"""The flow `maintain`: once a week, verifies the derived tables and deletes old data."""

from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.run_policy import fail_cleanly
from jobrecon.clock import utc_now
from jobrecon.reconcile import maintenance
from jobrecon.settings import load_settings


@flow(name="maintain", log_prints=False)
@fail_cleanly
async def maintain(shard: str | None = None) -> State[Any]:
    """Verify a shard's derived tables; delete landed bodies, refused rows and reports older than their retention.

    Fails as *Incomplete* where derived rows are wrong: an error of jobrecon, which `jobrecon verify --repair` puts right.

    Args:
        shard: The shard whose warehouse it is for. Default: JOBRECON_SHARD.
    """
    result = maintain_warehouse(shard)
    return Failed(name="Incomplete", message=result.sentence) if result.verification else Completed(message=result.sentence)


@task(cache_policy=NO_CACHE)
def maintain_warehouse(shard: str | None) -> maintenance.MaintenanceResult:
    """Verify and delete, with the warehouse open for writing."""
    return maintenance.maintain(load_settings(shard=shard), utc_now())

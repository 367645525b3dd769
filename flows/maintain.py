"""The flow `maintain`: once a week, what grows is cleared away."""

from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.run_policy import in_plain_words
from jobrecon.clock import utc_now
from jobrecon.reconcile.maintenance import MaintenanceResult
from jobrecon.reconcile.maintenance import maintain as clear_away
from jobrecon.settings import load_settings


@flow(name="maintain", log_prints=False)
@in_plain_words
async def maintain() -> State[Any]:
    """Clear away landed bodies, refused rows and reports that are older than their time, and checkpoint the warehouse."""
    return Completed(message=work().sentence)


@task(cache_policy=NO_CACHE)
def work() -> MaintenanceResult:
    """With the warehouse held for writing."""
    return clear_away(load_settings(), utc_now())

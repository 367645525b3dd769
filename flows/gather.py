"""The flow `gather`: joins what the shards published into the one copy for analysts and reports."""

from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.events import emit_report_ready
from flows.run_policy import fail_cleanly, is_transient
from jobrecon.clock import utc_now
from jobrecon.reconcile import gather as gathering
from jobrecon.settings import load_settings


@flow(name="gather", log_prints=False)
@fail_cleanly
async def gather() -> State[Any]:
    """Replace the published copy by the rows of all shards. Idempotent. Fails as *Incomplete* where a shard is missing or stale."""
    result = join_shards()
    if result.incomplete_reasons:
        # As the command line ends with 1.
        return Failed(name="Incomplete", message=" ".join([*result.incomplete_reasons, f"{result.sentence}."]))
    emit_report_ready(load_settings())
    return Completed(message=f"{result.sentence}.")


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[5, 20], retry_condition_fn=is_transient)
def join_shards() -> gathering.GatherResult:
    """Read each shard's published copy or tagged snapshot and write the joined copy."""
    result = gathering.gather(load_settings(), utc_now())
    for reason in result.incomplete_reasons:
        get_run_logger().warning("%s", reason)
    get_run_logger().info("%s.", result.sentence)
    return result

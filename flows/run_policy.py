"""The policy of every flow run: what is retried, what its log holds, how an error of ours ends it."""

import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Failed
from prefect.tasks import Task

from jobrecon.errors import DeliveryFailed, JobreconError, WarehouseError, WarehouseInvalidated

P = ParamSpec("P")


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a stage is retried: after an error of the warehouse, such as a full disk, not after a wrong setting."""
    return isinstance(state.data, WarehouseError) and not isinstance(state.data, WarehouseInvalidated)


def is_unreachable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether delivery is retried: after an error of the mail server or the chat."""
    return isinstance(state.data, DeliveryFailed)


def fail_cleanly(work: Callable[P, Coroutine[Any, Any, State[Any]]]) -> Callable[P, Coroutine[Any, Any, State[Any]]]:
    """End the run as *Failed* with the message of an error of ours, without a traceback."""

    @wraps(work)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
        try:
            return await work(*args, **kwargs)
        except JobreconError as error:
            return Failed(message=f"{type(error).__name__}: {error}", data=error)

    return wrapped


def _drop_traceback(record: logging.LogRecord) -> bool:
    """A filter: the message of an error of ours needs no traceback."""
    if record.exc_info and isinstance(record.exc_info[1], JobreconError):
        record.exc_info = None
    return True


logging.getLogger("prefect.task_runs").addFilter(_drop_traceback)
# PREFECT_LOGGING_EXTRA_LOGGERS (prefect.yaml) sends what jobrecon logs to the run's log, from the level of its logger on.
logging.getLogger("jobrecon").setLevel(logging.getLogger("prefect.flow_runs").getEffectiveLevel())

"""How every flow run behaves: what is tried again, what stands in its log, how an error of ours ends it."""

import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

from prefect import get_run_logger
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import MissingContextError
from prefect.states import Failed
from prefect.tasks import Task

from jobrecon.errors import DeliveryFailed, JobreconError, WarehouseError

P = ParamSpec("P")


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a stage is worth another try: a full disk or a share that blinked. A wrong setting stays wrong."""
    return isinstance(state.data, WarehouseError)


def is_unreachable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a mail server or chat may answer another time."""
    return isinstance(state.data, DeliveryFailed)


def in_plain_words(work: Callable[P, Coroutine[Any, Any, State[Any]]]) -> Callable[P, Coroutine[Any, Any, State[Any]]]:
    """What jobrecon logs stands in the run's log; an error of ours ends the run as *Failed* with its words, without a traceback."""

    @wraps(work)
    async def told(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
        with _log_to_run():
            try:
                return await work(*args, **kwargs)
            except JobreconError as error:
                return Failed(message=f"{type(error).__name__}: {error}", data=error)

    return told


@contextmanager
def _log_to_run() -> Iterator[None]:
    """Hand the records of the logger `jobrecon` to the logger of the run or task they arise in."""
    ours, handler = logging.getLogger("jobrecon"), _RunHandler()
    level, propagate = ours.level, ours.propagate
    ours.addHandler(handler)
    ours.setLevel(logging.getLogger("prefect.flow_runs").getEffectiveLevel())
    # Prefect's own loggers carry them to the console.
    ours.propagate = False
    stages = logging.getLogger("prefect.task_runs")
    stages.addFilter(_drop_traceback)
    try:
        yield
    finally:
        stages.removeFilter(_drop_traceback)
        ours.removeHandler(handler)
        ours.setLevel(level)
        ours.propagate = propagate


def _drop_traceback(record: logging.LogRecord) -> bool:
    """An error of ours says itself what went wrong."""
    if record.exc_info and isinstance(record.exc_info[1], JobreconError):
        record.exc_info = None
    return True


class _RunHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            get_run_logger().log(record.levelno, "%s", record.getMessage(), exc_info=record.exc_info)
        except MissingContextError:
            pass
        except Exception:  # noqa: BLE001  a log line is not worth a run
            self.handleError(record)

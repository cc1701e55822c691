"""How tasks run: input and output that failed is tried again, a bad input is not."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

P = ParamSpec("P")
R = TypeVar("R")


def _is_io_error(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Tell whether a task failed on input or output, which may pass; anything else will not."""
    return isinstance(state.result(raise_on_failure=False), OSError)


def shard_task(
    name: str, *, retry_delays: tuple[float, float] = (1.0, 5.0)
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function the Prefect task `name`, tried up to three times when input or output fails.

    retry_delays: seconds before the second and the third try. Results go to the store, never
    into Prefect's cache, whose keys include the run.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        made = task(
            name=name,
            retries=2,
            retry_delay_seconds=list(retry_delays),
            retry_condition_fn=_is_io_error,
            cache_policy=NO_CACHE,
            persist_result=False,
        )(function)
        return cast(Callable[P, R], made)

    return wrap

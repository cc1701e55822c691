"""How tasks run: input and output that failed is tried again, a bad input is not."""

import functools
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun


def _is_io_error(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Tell whether a task failed on input or output, which may pass; anything else will not."""
    return isinstance(state.result(raise_on_failure=False), OSError)


# Results go to the store, never into Prefect's cache: its keys include the run.
shard_task = functools.partial(
    task,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=_is_io_error,
    cache_policy=NO_CACHE,
    persist_result=False,
)

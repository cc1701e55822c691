"""A run whose shards are made on a Ray cluster, through Prefect's task runner for Ray.

What goes to a node is a pickled call of a function with values and paths, and what comes back is
its result; the shards themselves go through the storage that all nodes see. The coordinator, the
process of the command, alone writes the database.
"""

import contextlib
import functools
import logging
import os
import pickle
import socket
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import ray
from prefect.settings import get_current_settings
from prefect_ray.context import remote_options
from prefect_ray.task_runners import RayTaskRunner

from flows.run.health.failures import MachineError
from flows.run.logs import LOG
from flows.run.tasks import PrefectRunner, make_task
from pipeline.config.run import RunConfig
from pipeline.exceptions import ConfigError
from pipeline.files.core_count import CORES

R = TypeVar("R")
_PATIENCE = 10.0  # seconds
TRIES = 5  # of a task whose node went away, before the run ends
# What tasks find of the coordinator's environment; no secrets, which Ray's own page would show.
_PASSED_ON = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")
_AHEAD = 2  # tasks that are submitted for each that can run


class RayRunner(PrefectRunner):
    """Runs stages as flows here, and the tasks that do not depend on each other on a Ray cluster.

    audit: its name. config: which cluster, and what a task needs of a node.
    """

    def __init__(self, audit: str, config: RunConfig) -> None:
        super().__init__(audit)
        self.config = config
        self.task_runner = RayTaskRunner()

    @contextlib.contextmanager
    def watch_run(self, workspace: Path) -> Iterator[None]:
        """Connect to the cluster meanwhile, and note which flow run uses the workspace."""
        with super().watch_run(workspace), connect_cluster(self.config):
            yield

    def run_tasks(self, calls: Iterable[functools.partial[R]], /) -> Iterator[R]:
        """Run the calls on the cluster, some ahead of what is asked for; yield results in order.

        A task whose node went away is run again on another. Raises MachineError when there is none.
        """
        waiting: deque[Any] = deque()
        ahead = _AHEAD * count_places(self.config)
        try:
            for call in calls:
                waiting.append(self._submit(call))
                if len(waiting) >= ahead:
                    yield cast("R", _take_result(waiting.popleft()))
            while waiting:
                yield cast("R", _take_result(waiting.popleft()))
        finally:
            for future in waiting:
                ray.cancel(future.wrapped_future)

    def _submit(self, call: functools.partial[R]) -> Any:  # noqa: ANN401 - a future of Prefect
        task = cast("Any", make_task(run_packed))
        named = task.with_options(name=call.func.__name__.replace("_", " "))
        asked = {"num_cpus": self.config.task_cpus, "num_gpus": self.config.task_gpus}
        with remote_options(**asked, max_retries=TRIES - 1):
            return named.submit(pickle.dumps(call))


def run_packed(packed: bytes) -> object:
    """Make a pickled call, on a node, and return its result."""
    return pickle.loads(packed)()  # noqa: S301 - packed by the coordinator of the same run


@contextlib.contextmanager
def connect_cluster(config: RunConfig) -> Iterator[None]:
    """Connect to the cluster of a configuration, or start one of this machine, while inside.

    What is printed meanwhile goes to standard error: Ray says there that a node went away.
    Raises ConfigError when it cannot be reached, or its nodes cannot reach Prefect's server.
    """
    threads = max(1, int(config.task_cpus))
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        knock(config.address)
        ray.init(
            address=config.address or "local",
            namespace="weakspot",
            include_dashboard=None if config.address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": {CORES: str(threads), **environment}},
        )
    except Exception as error:  # noqa: BLE001 - Ray raises any kind, Exception itself among them
        ray.shutdown()
        raise _explain_unreached(config, error) from None
    try:
        nodes = [node for node in ray.nodes() if node["Alive"]]
        LOG.info("Ray cluster: %d nodes", len(nodes))
        check_reachable({node["NodeManagerAddress"] for node in nodes}, find_server())
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        ray.shutdown()


def knock(address: str | None) -> None:
    """Raise OSError when nothing answers at HOST:PORT or ray://HOST:PORT: Ray asks for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _explain_unreached(config: RunConfig, error: Exception) -> Exception:
    """Return the error for a cluster that cannot be reached, or not be started here."""
    reason = str(error).split("\n")[0]
    if config.address is None:
        return MachineError(f"Ray could not be started on this machine ({reason}); run again")
    return ConfigError(
        f"[run] address {config.address!r}: no Ray cluster answers there ({reason}); start one "
        "with `ray start --head`, or leave address out for one of this machine"
    )


def find_server() -> str:
    """Return the address of the Prefect server that this run speaks to."""
    return str(get_current_settings().api.url or "")


def check_reachable(addresses: set[str], server: str) -> None:
    """Raise ConfigError when nodes are on other machines and Prefect's server is seen here alone.

    addresses: of the nodes of the cluster. server: the address of the server.
    """
    host = urlsplit(server).hostname or ""
    if len(addresses) > 1 and host in {"127.0.0.1", "localhost", "::1", ""}:
        raise ConfigError(
            f"Ray has nodes on {len(addresses)} machines, and they cannot reach Prefect's server "
            f"at {server or 'none'}; set PREFECT_API_URL to one that they all reach"
        )


def count_places(config: RunConfig) -> int:
    """Return how many tasks the cluster can run at a time, at least one."""
    resources = ray.cluster_resources()
    places = resources.get("CPU", 1.0) / config.task_cpus
    if config.task_gpus:
        places = min(places, resources.get("GPU", 0.0) / config.task_gpus)
    return max(1, int(places))


def _take_result(future: Any) -> object:  # noqa: ANN401 - as `_submit`
    try:
        return future.result()
    except ray.exceptions.RayError as error:
        reason = str(error).split("\n")[0]
        raise MachineError(
            f"a task failed on the Ray cluster ({type(error).__name__}: {reason}); what was "
            "computed is kept: see `ray status`, and run the same command again"
        ) from None

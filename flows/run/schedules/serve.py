"""Serving a schedule: every run that is due gets a process of its own, whatever happens to others.

Prefect's own `serve` gives up when its server is away for half a minute, and ends what is running.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from flows.run.logs import LOG
from flows.run.schedules.crashed import mark_crashed
from flows.run.schedules.deployment import list_environment
from flows.run.schedules.notify import send_notification
from flows.run.schedules.overlap import Overlap, make_overlapping, skip_missed
from pipeline.exceptions import WeakspotError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State
    from prefect.client.schemas.responses import FlowRunResponse

POLL_SECONDS = 5.0
_GRACE = 30.0  # seconds for a run to end when it is asked to


@dataclass(frozen=True)
class Started:
    """A run and the process that executes it."""

    flow_run_id: UUID
    process: "subprocess.Popen[bytes]"


def serve_schedule(
    deployment_id: UUID,
    *,
    deploy: Callable[[], UUID],
    overlap: Overlap,
    poll: float = POLL_SECONDS,
) -> None:
    """Start the runs of a deployment as they become due, one at a time, until stopped.

    deploy: makes the deployment again, when the server does not have it any more. overlap: what a
    run does that becomes due while another one is running. poll: seconds between two questions to
    the server. A server that is away is waited for; a run that is running goes on.
    """
    running: list[Started] = []  # at most one; a list, so that no error can drop it
    away = False
    with _end_on_terminate():
        try:
            while True:
                try:
                    deployment_id = _step(deployment_id, running, deploy=deploy, overlap=overlap)
                    if away:
                        LOG.info("Prefect's server answers again")
                    away = False
                except (httpx.HTTPError, RuntimeError, WeakspotError) as error:
                    if not away:
                        reason = str(error).split("\n")[0][:200]
                        LOG.warning("no word from Prefect's server, trying on: %s", reason)
                    away = True
                time.sleep(poll)
        finally:
            for one in running:
                _end(one)


def _step(
    deployment_id: UUID, running: list[Started], *, deploy: Callable[[], UUID], overlap: Overlap
) -> UUID:
    """Close a run that ended, start or skip what is due; return the id of the deployment."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_deployment(deployment_id)
        except ObjectNotFound:
            LOG.warning("Prefect's server does not know the schedule; making it again")
            deployment_id = deploy()
        if running and running[0].process.poll() is not None:
            _close(client, running[0])
            running.clear()
        elif running:
            with contextlib.suppress(ObjectNotFound):
                _cancel_if_asked(client, running[0])
        for run in skip_missed(client, deployment_id):
            if not running:
                running += _start(client, run)
            elif overlap != "queue":
                state = make_overlapping(overlap, "the run before it is still going on")
                client.set_flow_run_state(run.id, state, force=True)
                LOG.warning("%s: %s, the run before it is still going on", run.name, state.name)
    return deployment_id


def _start(client: "SyncPrefectClient", run: "FlowRunResponse") -> list[Started]:
    """Start the process of a run; return nothing if another `weakspot schedule` took it."""
    from prefect.client.schemas.responses import SetStateStatus
    from prefect.states import Pending

    if client.set_flow_run_state(run.id, Pending()).status != SetStateStatus.ACCEPT:
        return []
    LOG.info("starting run %s", run.name)
    process = subprocess.Popen(
        # -P: the folder that this was started in may hold packages of the same names as ours
        [sys.executable, "-P", "-m", "prefect.engine"],
        stdin=subprocess.DEVNULL,
        env=list_environment(run.id),
        start_new_session=True,  # Ctrl-C comes to us alone
    )
    return [Started(run.id, process)]


def _close(client: "SyncPrefectClient", ended: Started) -> None:
    """Set a run to Crashed, and send word of it, if its process ended before it did."""
    code = ended.process.returncode
    reason = f"killed by signal {-code}" if code < 0 else f"its process ended with {code}"
    if mark_crashed(client, ended.flow_run_id, reason):
        LOG.error("the run crashed: %s", reason)
        run = client.read_flow_run(ended.flow_run_id)
        send_notification(run, status="crashed", message=reason)


def _cancel_if_asked(client: "SyncPrefectClient", running: Started) -> None:
    """End a run that was cancelled in Prefect's page."""
    from prefect.states import Cancelled

    run = client.read_flow_run(running.flow_run_id)
    if run.state is not None and run.state.is_cancelling():
        LOG.info("ending run %s, which was cancelled", run.name)
        _kill(running)  # asked to end, it would call itself crashed, and send word of it
        state: State[None] = Cancelled(message="cancelled in Prefect; what was computed is kept")
        client.set_flow_run_state(run.id, state, force=True)
        mark_crashed(client, run.id, "its audit was cancelled")


def _end(running: Started) -> None:
    """End a run because the schedule is stopped."""
    from prefect.client.orchestration import get_client

    if running.process.poll() is None:
        LOG.info("stopping the run that goes on; what was computed is kept")
        _terminate(running)
    with contextlib.suppress(httpx.HTTPError, RuntimeError), get_client(sync_client=True) as client:
        mark_crashed(client, running.flow_run_id, "the schedule was stopped")


def _terminate(running: Started) -> None:
    running.process.terminate()
    try:
        running.process.wait(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        _kill(running)


def _kill(running: Started) -> None:
    """End the process of a run and those that it started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()


@contextlib.contextmanager
def _end_on_terminate() -> Iterator[None]:
    """Turn SIGTERM into the end of the program, so that what is open is closed."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

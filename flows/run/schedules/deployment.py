"""An audit as a deployment of the Prefect server that is configured."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx

from flows.run.artifacts import make_tags
from flows.run.schedules.overlap import Overlap
from flows.run.schedules.timing import Timing, make_schedule
from pipeline.exceptions import WeakspotError

_SECONDS = 10.0  # for the server to answer


@dataclass(frozen=True)
class ScheduledAudit:
    """What to run, when, and what to do when that does not go as planned.

    retries: how often to try again what may pass. timeout: seconds for the whole audit.
    """

    config: Path
    audit: str  # its name
    name: str  # of the deployment
    timing: Timing
    overlap: Overlap = "skip"
    retries: int = 0
    timeout: float | None = None

    def list_parameters(self) -> dict[str, Any]:
        """Return the parameters of its runs, those that say something alone."""
        parameters: dict[str, Any] = {
            "config_path": str(self.config.absolute()),
            "overlap": self.overlap,
        }
        if self.retries:
            parameters["retries"] = self.retries
        if self.timeout is not None:
            parameters["timeout_seconds"] = self.timeout
        return parameters


def require_server() -> str:
    """Return the address of the Prefect server that is configured.

    Raises WeakspotError when there is none or it does not answer: a schedule needs one that stays.
    """
    from prefect.settings import PREFECT_API_URL

    url: str | None = PREFECT_API_URL.value()
    if not url:
        raise WeakspotError(
            "a schedule needs a Prefect server that stays: start one with `prefect server start` "
            "and set PREFECT_API_URL to its address, e.g. http://127.0.0.1:4200/api"
        )
    if not answers():
        raise WeakspotError(
            f"Prefect's server at {url} cannot be reached; start it, or set PREFECT_API_URL to the "
            "address of one that runs"
        )
    return url


def answers() -> bool:
    """Return whether the configured Prefect server answers."""
    from prefect.client.orchestration import get_client

    try:
        with get_client(sync_client=True, httpx_settings={"timeout": _SECONDS}) as client:
            return client.api_healthcheck() is None
    except (httpx.HTTPError, httpx.InvalidURL, RuntimeError, ValueError):
        return False


def deploy_audit(scheduled: ScheduledAudit) -> UUID:
    """Make or renew the deployment of an audit at the server; return its id.

    Runs that are due and were not started stay; those to come are scheduled anew. Raises
    WeakspotError when the server does not take it.
    """
    from prefect.deployments.runner import RunnerDeployment
    from prefect.exceptions import PrefectException
    from prefect.types.entrypoint import EntrypointType

    from flows.run.flow import run_audit

    made = RunnerDeployment.from_flow(
        run_audit,
        name=scheduled.name,
        schedule=make_schedule(scheduled.timing),
        parameters=scheduled.list_parameters(),
        description=f"`weakspot run {scheduled.config.absolute()}`, {scheduled.timing}",
        tags=make_tags(scheduled.audit),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    made.work_pool_name = None  # also where a deployment of this name had one: we start its runs
    made.work_queue_name = None
    try:
        return cast("UUID", made.apply())
    except (httpx.HTTPError, PrefectException) as error:
        reason = str(error).split("\n")[0]
        raise WeakspotError(f"Prefect's server did not take the schedule: {reason}") from None


def list_environment(flow_run_id: UUID) -> dict[str, str]:
    """Return the environment of the process that executes one flow run."""
    return {**os.environ, "PREFECT__FLOW_RUN_ID": str(flow_run_id)}

"""An audit as a Prefect flow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from prefect import flow, tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run as own_run
from prefect.utilities.timeout import timeout

from flows.run.artifacts import make_tags
from flows.run.audit import execute_audit
from flows.run.cluster.chosen_runner import make_runner
from flows.run.logs import LOG, set_up_logging
from flows.run.prefect_server import hush_exit
from flows.run.preflight import check_paths
from flows.run.resolved_audit import read_audit_once, read_name
from flows.run.schedules.notify import notify_failure
from flows.run.schedules.overlap import Overlap, explain_missed, make_overlapping, make_skipped
from flows.run.schedules.retries import try_again
from flows.run.stages import STAGES
from flows.run.summary import Summary
from pipeline.exceptions import WorkspaceInUseError


def _name_run() -> str:
    """Return the name of a run: that of its audit."""
    return read_name(Path(own_run.parameters["config_path"]))


@flow(
    name="audit", flow_run_name=_name_run, on_failure=[notify_failure], on_crashed=[notify_failure]
)
def run_audit(
    config_path: str,
    stages: Sequence[str] = STAGES,
    limit: int | None = None,
    judge_limited: bool = False,  # noqa: FBT001, FBT002 - a parameter of a flow, given by name
    overlap: Overlap = "fail",
    retries: int = 0,
    timeout_seconds: float | None = None,
    rehash: bool = False,  # noqa: FBT001, FBT002 - a parameter of a flow, given by name
    again: bool = False,  # noqa: FBT001, FBT002 - a parameter of a flow, given by name
    single_file: bool = False,  # noqa: FBT001, FBT002 - a parameter of a flow, given by name
) -> Summary:
    """Run the given stages of the audit in `config_path`, in order; the samples are read first.

    This is the flow to deploy and schedule: `config_path` is all it needs. overlap: what to do
    while another run uses the workspace; where that is not to fail, a scheduled run ends as Skipped
    when a newer one is due. retries: how often to try again what may pass, a minute later: all but
    what is wrong with the audit. timeout_seconds: for all of it. rehash, again: as in
    `execute_audit`. Raises as that, and ConfigError for files that are not there.
    """
    set_up_logging()
    hush_exit()
    if overlap != "fail" and (reason := _find_newer()):
        return _end_as(make_skipped(reason))
    name = read_name(Path(config_path))

    def execute() -> Summary:
        audit = read_audit_once(Path(config_path))
        check_paths(audit, config=Path(config_path))
        return execute_audit(
            Path(config_path),
            make_runner(name, audit.run),
            stages=tuple(stages),
            limit=limit,
            judge_limited=judge_limited,
            rehash=rehash,
            again=again,
            single_file=single_file,
            patience=None if overlap == "queue" else 0.0,
        )

    try:
        with tags(*make_tags(name)), timeout(timeout_seconds):
            return try_again(execute, retries=retries)
    except WorkspaceInUseError as error:
        if overlap in {"fail", "queue"}:
            raise
        LOG.warning("%s", error)
        return _end_as(make_overlapping(overlap, str(error)))


def _end_as(state: State[Any]) -> Summary:
    """Return a state, which Prefect takes for how the run ended; there is no summary then."""
    return cast("Summary", state)


def _find_newer() -> str | None:
    """Return why this run is not needed, None if it is or does not run in a deployment."""
    if own_run.id is None:
        return None
    with get_client(sync_client=True) as client:
        return explain_missed(client, client.read_flow_run(UUID(own_run.id)))

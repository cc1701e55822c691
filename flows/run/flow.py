"""An audit as a Prefect flow."""

from collections.abc import Sequence
from pathlib import Path

from prefect import flow

from flows.run.audit import execute_audit
from flows.run.stages import STAGES
from flows.run.summary import Summary
from flows.run.tasks import PrefectRunner


@flow(name="audit")
def run_audit(
    config_path: str,
    stages: Sequence[str] = STAGES,
    limit: int | None = None,
    judge_limited: bool = False,  # noqa: FBT001, FBT002 - a parameter of a flow, given by name
) -> Summary:
    """Run the given stages of the audit in `config_path`, in order; the samples are read first.

    This is the flow to deploy and schedule: `config_path` is all it needs. Raises as
    `execute_audit`.
    """
    return execute_audit(
        Path(config_path),
        PrefectRunner(),
        stages=tuple(stages),
        limit=limit,
        judge_limited=judge_limited,
    )

"""Audits run in this process, without Prefect."""

from collections.abc import Sequence
from pathlib import Path

from flows.run.audit import execute_audit
from flows.run.resolved_audit import ResolvedAudit, resolve_audit
from flows.run.runner import DirectRunner
from flows.run.stages import STAGES
from flows.run.summary import Summary
from pipeline.workspace.store import Store, open_store


def run_directly(
    config: Path,
    stages: Sequence[str] | None = None,
    limit: int | None = None,
    *,
    again: bool = False,
) -> Summary:
    return execute_audit(config, DirectRunner(), stages=stages or STAGES, limit=limit, again=again)


def open_audit(config: Path) -> tuple[ResolvedAudit, Store]:
    resolved = resolve_audit(config)
    return resolved, open_store(resolved.audit.workspace)

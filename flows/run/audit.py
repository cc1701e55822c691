"""The order of an audit: samples, embed, label, score, find, fairness, report."""

import functools
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from prefect import flow

from flows.run.asked_names import check_names, require_sensitive
from flows.run.record import RunRecord
from flows.run.stages import STAGES
from flows.run.summary import GatesFailedError, Summary
from flows.stages.embed import make_embeddings
from flows.stages.encoders import LoadEncoder, load_open_clip
from flows.stages.fairness import compare_groups, describe_failures, read_gaps
from flows.stages.label import make_labels
from flows.stages.report import write_report
from flows.stages.samples import make_samples
from flows.stages.score import make_errors
from flows.stages.search import find_slices
from pipeline.config.audit import Audit, read_audit
from pipeline.workspace.store import Store, lock_workspace, open_store

__all__ = ["STAGES", "run_audit"]


@flow(name="audit")
def run_audit(
    config_path: str,
    stages: Sequence[str] = STAGES,
    limit: int | None = None,
    load: LoadEncoder | None = None,
) -> Summary:
    """Run the given stages of the audit in `config_path`, in order; the samples are read first.

    This is the flow to deploy and schedule: `config_path` is all it needs. load: makes the
    encoder; open_clip's when None. Raises ConfigError
    for a faulty audit, GatesFailedError, after all else is done, for gaps that its gates do not
    allow, and other WeakspotErrors for what cannot be done.
    """
    audit = read_audit(Path(config_path))
    check_names(audit)
    if tuple(stages) == ("fairness",):  # other runs just have no such section
        require_sensitive(audit)
    with lock_workspace(audit.workspace):
        store = open_store(audit.workspace)
        run = RunRecord(audit)
        report = _run_stages(
            run, audit, store, stages, limit, functools.cache(load or load_open_clip)
        )
        store.put_run(run.to_frame())
    summary = Summary(
        run_id=run.run_id,
        counts=run.counts,
        findings=_read_findings(store, run.run_id),
        gaps=read_gaps(store, run.run_id),
        gates=run.gates,
        report=report,
        seconds=run.seconds,
    )
    if "fail" in run.gates.values():
        raise GatesFailedError(describe_failures(store, run.run_id), summary)
    return summary


def _run_stages(
    run: RunRecord,
    audit: Audit,
    store: Store,
    stages: Sequence[str],
    limit: int | None,
    load: LoadEncoder,
) -> str | None:
    if tuple(stages) != ("report",):  # a report shows what was found, also when images are gone
        with run.timed("samples"):
            run.counts |= make_samples(audit, limit)
    if "embed" in stages:
        with run.timed("embed"):
            run.counts |= make_embeddings(audit, load)
    if "label" in stages:
        with run.timed("label"):
            run.counts |= make_labels(audit, load)
        run.encoder_id = store.read_manifest("label")["encoder_id"]
    if "score" in stages:
        with run.timed("score"):
            run.counts |= make_errors(audit)
    run.counts["rejects"] = store.read("rejects").height
    if "find" in stages:
        with run.timed("find"):
            run.search = find_slices(audit, run.run_id)
        run.counts["slices"] = run.search["slices"]
        store.put_run(run.to_frame())
    if "fairness" in stages:
        with run.timed("fairness"):
            run.gates = compare_groups(audit, run.run_id).get("verdicts", {})
    if "report" not in stages:
        return None
    with run.timed("report"):
        return write_report(audit)


def _read_findings(store: Store, run_id: str) -> tuple[dict[str, object], ...]:
    """Return the findings of a run as they are printed, worst first."""
    findings = store.read("findings").filter(pl.col("run_id") == run_id)
    return tuple(findings.sort("system", "rank").drop("run_id").to_dicts())

"""The order of an audit: samples, embed, label, score, find, fairness, report."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from flows.run.health.access import restrict_access
from flows.run.health.damage import count_remade, sum_remade
from flows.run.health.failures import explain_failures
from flows.run.health.shards_moved import place_shards
from flows.run.loaded_models import LoadEncoder, forget_card, load_open_clip
from flows.run.logs import LOG
from flows.run.preflight import require_comparison
from flows.run.record import RunRecord, start_after
from flows.run.resolved_audit import ResolvedAudit, resolve_audit
from flows.run.runner import Runner
from flows.run.stages import STAGES
from flows.run.staleness import refuse_other_limit
from flows.run.summary import GatesFailedError, Summary
from flows.run.unchanged.conclusions import (
    Concluding,
    conclude_comparison,
    conclude_report,
    conclude_search,
)
from flows.stages.detect import asks_for_detector, detect_objects
from flows.stages.embed import make_embeddings
from flows.stages.fairness import describe_failures, read_gaps
from flows.stages.label import make_labels
from flows.stages.read_text import asks_for_text, make_texts
from flows.stages.samples import make_samples
from flows.stages.score import make_errors
from flows.stages.space.regions import make_regions
from pipeline.exceptions import ConfigError
from pipeline.vocabulary import FAIL
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.manifests import LabelManifest, SamplesManifest, ScoreManifest
from pipeline.workspace.store import Store, open_store


def execute_audit(
    path: Path,
    runner: Runner,
    *,
    stages: Sequence[str] = STAGES,
    limit: int | None = None,
    judge_limited: bool = False,
    rehash: bool = False,
    again: bool = False,
    single_file: bool = False,
    patience: float | None = 0.0,
    load: LoadEncoder = load_open_clip,
) -> Summary:
    """Run the given stages of the audit in `path`, in order; the samples are read first.

    runner: what calls the stages and their tasks. limit: take the first so many samples.
    judge_limited: whether gates judge these too. rehash: open also the images and weights that seem
    unchanged. again: whether a whole run also searches, compares and reports what did not change; a
    stage asked for alone always does. single_file: of the report, one page instead of a folder.
    patience: as in `lock_workspace`. load: makes the encoder.
    Raises ConfigError for a faulty audit, WorkspaceInUseError, GatesFailedError, after all
    else is done, for gaps that its gates do not allow, and other WeakspotErrors for what cannot be
    done.
    """
    if unknown := sorted(set(stages) - set(STAGES)):
        raise ConfigError(f"no stage {', '.join(unknown)}; the stages are {', '.join(STAGES)}")
    resolved = resolve_audit(path)
    audit = resolved.audit
    if tuple(stages) == ("fairness",):  # other runs just have no such section
        require_comparison(audit, resolved.sensitive)
    with (
        explain_failures("run", audit.workspace),
        restrict_access(audit.access),
        lock_workspace(audit.workspace, patience=patience),
        runner.watch_run(audit.workspace),
    ):
        store = place_shards(open_store(audit.workspace), audit.shards)
        if tuple(stages) != ("report",) and "embed" not in stages:  # which may begin anew
            refuse_other_limit(store, limit)
        run = RunRecord(audit, limit=limit, started_at=start_after(store))
        report = _run_stages(
            run, resolved, store, runner,
            stages=stages, judge_limited=judge_limited, rehash=rehash, again=again,
            single_file=single_file, load=load,
        )  # fmt: skip
        store.put_run(run.to_frame())
    summary = Summary(
        run_id=run.run_id,
        counts=run.counts,
        findings=_read_findings(store, run.get_result_id("find")),
        worth_checking=_read_worth_checking(store, run.get_result_id("find")),
        gaps=read_gaps(store, run.get_result_id("fairness")),
        gates=run.gates,
        systems=_read_systems(store),
        report=report,
        seconds=run.seconds,
        limit=run.limit,
        audit=str(path),
        kept=run.kept,
    )
    if FAIL in run.gates.values():
        raise GatesFailedError(describe_failures(store, run.get_result_id("fairness")), summary)
    return summary


def _run_stages(
    run: RunRecord,
    resolved: ResolvedAudit,
    store: Store,
    runner: Runner,
    *,
    stages: Sequence[str],
    judge_limited: bool,
    rehash: bool,
    again: bool,
    single_file: bool,
    load: LoadEncoder,
) -> str | None:
    """Run the stages one after the other, each timed; return where the report is."""
    if tuple(stages) == ("report",):  # it shows what was found, also when images are gone
        last = SamplesManifest.find(store.folder)
        run.limit = last.limit if last else None
    else:
        with _guard(run, "samples"):
            run.counts |= _read_samples(resolved, store, runner, run.limit, rehash=rehash)
        if rehash and resolved.audit.encoder is not None:
            forget_card(resolved.audit.encoder, store)
    if "embed" in stages:
        with _guard(run, "embed"):
            embedded = _embed(resolved, store, runner, load)
            run.counts |= embedded | sum_remade(run.counts, embedded)
    if "label" in stages:
        with _guard(run, "label"):
            run.counts |= runner.run_stage(
                "label",
                make_labels,
                resolved,
                store,
                load=load,
                run_task=runner.run_task,
                run_tasks=runner.run_tasks,
            )
    if "score" in stages:
        with _guard(run, "score"):
            run.counts |= runner.run_stage(
                "score", make_errors, resolved, store, run_task=runner.run_task
            )
    run.counts["rejects"] = store.read("rejects").height
    whole = not again and tuple(stages) == STAGES
    given = Concluding(run, resolved, store, runner, may_keep=whole)
    if "find" in stages:
        with _guard(run, "find"):
            conclude_search(given)
        run.encoder_id = LabelManifest.read(store.folder).encoder_id
        if resolved.audit.regions is not None and not given.keeps_regions():
            with _guard(run, "regions"):
                run.counts |= runner.run_stage(
                    "regions", make_regions, resolved, store, load=load, run_task=runner.run_task
                )
    if "fairness" in stages:
        judged = resolved if judge_limited else _leave_out_gates(resolved, run.limit)
        with _guard(run, "fairness"):
            conclude_comparison(replace(given, resolved=judged))
    if "report" not in stages:
        return None
    with _guard(run, "report"):
        return conclude_report(given, single_file=single_file)


@contextmanager
def _guard(run: RunRecord, stage: str) -> Iterator[None]:
    """Time a stage, and say in one line what the machine did to it."""
    workspace = run.audit.workspace
    with (
        explain_failures(stage, workspace, database=Store(workspace).database),
        run.timed(stage),
    ):
        yield


def _leave_out_gates(resolved: ResolvedAudit, limit: int | None) -> ResolvedAudit:
    """Return the audit without its gates where the samples are limited."""
    if limit is None or resolved.audit.gates is None:
        return resolved
    LOG.warning("gates do not judge the first %s samples; --judge-limited lets them", f"{limit:,}")
    return replace(resolved, audit=resolved.audit.model_copy(update={"gates": None}))


def _read_samples(
    resolved: ResolvedAudit, store: Store, runner: Runner, limit: int | None, *, rehash: bool
) -> dict[str, int]:
    """Read the samples; where they are what a detector finds, it runs first."""
    if not asks_for_detector(resolved.audit.dataset):
        return runner.run_stage(
            "samples", make_samples, resolved, store, limit=limit, rehash=rehash
        )
    detected = runner.run_stage(
        "detect", detect_objects, resolved, store,
        limit=limit, rehash=rehash, run_tasks=runner.run_tasks,
    )  # fmt: skip
    counts = runner.run_stage(
        "samples", make_samples, resolved, store, detected=detected, limit=limit
    )
    return counts | {"images_detected": detected.ran_on} | count_remade(detected.dropped)


def _embed(
    resolved: ResolvedAudit, store: Store, runner: Runner, load: LoadEncoder
) -> dict[str, int]:
    """Read text where an attribute asks for it, then embed and measure.

    Text comes first, so that what cannot be decoded is listed by `embed`, whichever found it.
    """
    counts: dict[str, int] = {}
    if asks_for_text(resolved):
        counts = runner.run_stage(
            "read text", make_texts, resolved, store, run_tasks=runner.run_tasks
        )
    with runner.track_embedding() as on_share:
        embedded = runner.run_stage(
            "embed", make_embeddings, resolved, store,
            load=load, run_tasks=runner.run_tasks, on_share=on_share,
        )  # fmt: skip
    return counts | embedded | sum_remade(counts, embedded)


def _read_systems(store: Store) -> dict[str, dict[str, object]]:
    """Return what is noted of each system as last scored, nothing before that."""
    scored = ScoreManifest.find(store.folder)
    systems = {} if scored is None else scored.systems
    return {
        name: one.model_dump(exclude={"error_id", "asked", "notes"}) | dict(one.notes)
        for name, one in systems.items()
    }


def _read_findings(store: Store, run_id: str) -> tuple[dict[str, object], ...]:
    """Return the findings of a run as they are printed, worst first."""
    findings = store.read("findings").filter(pl.col("run_id") == run_id)
    return tuple(findings.sort("system", "rank").drop("run_id").to_dicts())


def _read_worth_checking(store: Store, run_id: str) -> tuple[dict[str, object], ...]:
    """Return the slices that wrong labels hide from a run, best first in each system."""
    hidden = store.read_result(run_id, "worth_checking")
    return () if hidden is None else tuple(hidden.drop("run_id").to_dicts())

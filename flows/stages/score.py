"""What the systems under audit put out becomes one error a sample."""

import polars as pl

from flows.run.logs import LOG
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTask, call_task
from flows.run.staleness import hash_dataset, hash_system
from flows.stages.judging.label_systems import gather_judged, note_labels
from pipeline.config.audit import System
from pipeline.config.error_metrics import LABELS
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.fairness.classifier_metrics import check_positive
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.kept.kept_evaluation import put_evaluation
from pipeline.workspace.kept.kept_samples import read_sample_set
from pipeline.workspace.manifests import SamplesManifest, ScoredSystem, ScoreManifest
from pipeline.workspace.store import Store


def make_errors(
    resolved: ResolvedAudit, store: Store, *, run_task: RunTask = call_task
) -> dict[str, int]:
    """Score every system; return counts of errors and of what could not be joined."""
    audit = resolved.audit
    sample_set = read_sample_set(store)
    counts = {"errors": 0, "samples_without_error": 0, "errors_without_sample": 0}
    systems = {}
    for system in audit.systems:
        of_labels = system.format == LABELS
        judged = gather_judged(system, store, sample_set.samples) if of_labels else None
        scored = run_task(score_sample_set, system, sample_set, judged)
        if judged is None:
            check_positive(scored.matches, audit.fairness.positive if audit.fairness else None)
        store.put_errors(scored.errors)
        store.put_matches(scored.error_id, scored.matches, scored.image_counts)
        if scored.evaluation is not None:
            made = scored.evaluation
            put_evaluation(store, scored.error_id, matches=made.matches, truth=made.truth)
        own = {
            "errors": scored.errors.height,
            "samples_without_error": scored.samples_without_error,
            "errors_without_sample": scored.errors_without_sample,
        }
        counts = {name: count + own[name] for name, count in counts.items()}
        systems[system.name] = ScoredSystem(
            error_id=scored.error_id,
            asked=hash_system(system),
            notes={**scored.notes, **note_labels(system, store)},
            warnings=scored.warnings,
            **own,
        )
        for warning in scored.warnings:
            LOG.warning("%s: %s", system.name, warning)
        LOG.info(
            "%s: %s errors; %s samples without an error, %s errors without a sample",
            system.name,
            *(f"{own[name]:,}" for name in counts),
        )
    ScoreManifest(
        systems=systems,
        dataset_asked=hash_dataset(audit.dataset),
        limit=SamplesManifest.read(store.folder).limit,
    ).write(store.folder)
    return counts


def score_sample_set(
    system: System, sample_set: SampleSet, judged: pl.DataFrame | None = None
) -> Scored:
    """Score one system on the samples of the audit; judged: of a system of labels."""
    return score_system(
        system,
        samples=sample_set.samples,
        objects=sample_set.objects,
        source_images=sample_set.source_images,
        categories=sample_set.categories,
        columns=sample_set.columns,
        judged=judged,
    )

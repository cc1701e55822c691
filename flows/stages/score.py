"""Fourth stage: what the systems under audit put out becomes one error a sample."""

from typing import Any

from prefect import flow

from flows.run.logs import LOG
from flows.run.staleness import hash_system
from flows.run.tasks import shard_task
from flows.stages.samples import load_samples
from flows.stages.sweeps import keep_matches
from pipeline.config.audit import Audit, System
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.fairness.measure import check_positive
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.store import open_store


@flow(name="score")
def make_errors(audit: Audit) -> dict[str, int]:
    """Score every system; return counts of errors and of what could not be joined."""
    store = open_store(audit.workspace)
    sample_set = load_samples(store)
    counts = {"errors": 0, "samples_without_error": 0, "errors_without_sample": 0}
    systems: dict[str, Any] = {}
    for system in audit.systems:
        scored = score_one(system, sample_set)
        check_positive(scored.matches, audit.fairness.positive if audit.fairness else None)
        store.put_errors(scored.errors)
        keep_matches(store, scored.error_id, scored.matches, scored.image_counts)
        own = {
            "errors": scored.errors.height,
            "samples_without_error": scored.samples_without_error,
            "errors_without_sample": scored.errors_without_sample,
        }
        counts = {name: count + own[name] for name, count in counts.items()}
        systems[system.name] = {
            "asked": hash_system(system),
            "error_id": scored.error_id,
            **own,
            "notes": scored.notes,
        }
        _warn_of_silence(system, scored)
        LOG.info(
            "%s: %s errors; %s samples without an error, %s errors without a sample",
            system.name,
            *(f"{own[name]:,}" for name in counts),
        )
    store.write_manifest("score", {"systems": systems})
    return counts


@shard_task(name="score system")
def score_one(system: System, sample_set: SampleSet) -> Scored:
    """Score one system on the samples of the audit."""
    return score_system(
        system,
        samples=sample_set.samples,
        objects=sample_set.objects,
        source_images=sample_set.source_images,
        categories=sample_set.categories,
    )


def _warn_of_silence(system: System, scored: Scored) -> None:
    """Warn of a detector none of whose detections counts: an empty file looks like a blind one."""
    notes = scored.notes
    if notes.get("detections_matched_against_truth") == 0:
        LOG.warning(
            "%s: none of its %s detections counts (%s below min_score, %s of other categories, "
            "%s of unknown ones): every object is missed",
            system.name,
            notes["detections"],
            notes["detections_below_min_score"],
            notes["detections_of_other_categories"],
            notes["detections_of_unknown_category"],
        )

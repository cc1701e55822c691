"""A dataset of any format becomes samples, kept in the workspace."""

import dataclasses

import polars as pl

from flows.run.logs import LOG
from flows.run.preflight import check_columns
from flows.run.reading.saved_attributes import add_saved_columns
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import hash_dataset
from flows.stages.detection_samples import add_detection_samples, limit_images
from pipeline.errors.scored import scored_samples
from pipeline.labels.truth import read_truth
from pipeline.samples.read import read_samples
from pipeline.workspace.detected_images import DetectedImages
from pipeline.workspace.kept.kept_samples import find_known_samples, put_sample_set
from pipeline.workspace.store import Store


def make_samples(
    resolved: ResolvedAudit,
    store: Store,
    *,
    detected: DetectedImages | None = None,
    limit: int | None = None,
    rehash: bool = False,
) -> dict[str, int]:
    """Read the dataset into the workspace; return the counts of samples and rejects.

    detected: what the audit's detector found, where the objects of the dataset are that. limit:
    take the first so many. rehash: open also the files that seem unchanged.
    """
    dataset = resolved.audit.dataset
    root = str(dataset.root)
    if detected is None:
        known = None if rehash else find_known_samples(store, root=root)
        found = read_samples(dataset, known=known, limit=limit_images(resolved.audit, limit))
        found = add_detection_samples(found, resolved.audit, limit=limit)
    else:
        found = read_samples(
            dataset, detections=detected.detections, known=detected.images, limit=limit
        )
        # Images without a detection are not read again: what is wrong with them is known already.
        rejects = pl.concat([found.rejects, detected.rejects]).unique().sort("path", "reason")
        found = dataclasses.replace(found, rejects=rejects)
    check_columns(
        resolved.attributes,
        add_saved_columns(found, resolved.saved),
        sample=dataset.sample,
        truth=dataset.truth,
        limited=limit is not None,
    )
    if dataset.truth is not None:  # so that a faulty file is not found after the embedding
        read_truth(dataset.truth, found.samples)
    put_sample_set(found, store, root=root, asked=hash_dataset(dataset), limit=limit)
    for note in found.notes:
        LOG.warning("%s", note)
    samples = scored_samples(found.samples).height  # without the images that hold objects
    LOG.info("samples: %s, rejects: %s", f"{samples:,}", f"{found.rejects.height:,}")
    return {"samples": samples, "rejects": found.rejects.height}

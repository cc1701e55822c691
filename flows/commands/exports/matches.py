"""What `weakspot export` writes of systems: matches, true boxes, what to annotate again."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from pipeline.exceptions import StoreError
from pipeline.tables import BOX, OBJECTS, check
from pipeline.workspace.kept.kept_evaluation import read_evaluation
from pipeline.workspace.kept.kept_samples import read_sample_set
from pipeline.workspace.manifests import LabelManifest, ScoreManifest
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store


def read_outcomes(store: Store) -> pl.DataFrame:
    """Return how the outputs of every system are matched, with the system's name first.

    Of a detector the DETECTION_MATCHES of all images that were read, of a classifier CLASS_MATCHES;
    a column that a system has not is null. Raises StoreError where no system has matches.
    """
    frames = []
    for name, scored in ScoreManifest.read(store.folder).systems.items():
        matches = store.read_matches(scored.error_id)
        evaluation = read_evaluation(store, scored.error_id)
        if evaluation is not None and (matches is None or len(evaluation[0]) > len(matches)):
            matches = evaluation[0]
        if matches is not None:
            frames.append(matches.select(pl.lit(name).alias("system"), pl.all()))
    if not frames:
        raise StoreError(
            f"{store.folder}: no matches are kept; a detector or classifier has them once "
            "`weakspot score` ran"
        )
    return pl.concat(frames, how="diagonal")


def read_objects(store: Store) -> pl.DataFrame:
    """Return the OBJECTS of the dataset: the true boxes, of every category, also ignored ones."""
    return check(read_sample_set(store).objects, OBJECTS, table="objects")


def read_relabelling(store: Store) -> pl.DataFrame:
    """Return RELABEL: what may be wrong with the annotations.

    Raises StoreError where no detector is scored.
    """
    from pipeline.errors.evaluation.relabelling import list_relabelling  # loads for a while

    evaluations = {
        name: kept
        for name, scored in ScoreManifest.read(store.folder).systems.items()
        if (kept := read_evaluation(store, scored.error_id)) is not None
    }
    if not evaluations:
        raise StoreError(
            f"{store.folder}: no detector is scored, and annotations are checked against its "
            "detections; run `weakspot score` first"
        )
    likeness = {
        name: _measure_likeness(matches, store) for name, (matches, _) in evaluations.items()
    }
    return list_relabelling(evaluations, likeness)


def _measure_likeness(matches: pl.DataFrame, store: Store) -> pl.Series:
    """Return how much each detection is like its category, where its very crop has a vector.

    That is so in an audit of detections.
    """
    from pipeline.errors.evaluation.relabelling import measure_likeness  # loads for a while

    labelled = LabelManifest.find(store.folder)
    nothing = pl.Series([None] * matches.height, dtype=pl.Float64)
    if labelled is None or labelled.encoder_id is None:
        return nothing
    crop = ["path", *BOX]
    samples = store.read_samples().unique(crop, keep="first", maintain_order=True)
    keys = matches.join(samples, on=crop, how="left", maintain_order="left")["content_key"]
    known = keys.drop_nulls().unique().sort()
    stored = read_vectors(known, store.embeddings, encoder_id=labelled.encoder_id)
    if stored.keys.is_empty():
        return nothing
    rows = pl.DataFrame({"content_key": stored.keys}).with_row_index("row")
    own = pl.DataFrame({"content_key": keys}).join(
        rows, on="content_key", how="left", maintain_order="left"
    )["row"]
    vectors = np.full((matches.height, stored.values.shape[1]), np.nan)
    there = own.is_not_null().to_numpy()
    vectors[there] = stored.values[own.drop_nulls().to_numpy()]
    return measure_likeness(matches, vectors)


MATCH_READERS: Mapping[str, Callable[[Store], pl.DataFrame]] = {
    "outcomes": read_outcomes,
    "objects": read_objects,
    "relabel": read_relabelling,
}

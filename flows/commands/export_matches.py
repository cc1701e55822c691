"""What `weakspot export` writes of systems as they were scored last: matches, truth, doubts."""

from collections.abc import Callable, Mapping

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.tables import OBJECTS, check
from pipeline.workspace.kept_outcomes import read_evaluation
from pipeline.workspace.kept_samples import read_sample_set
from pipeline.workspace.manifests import ScoreManifest
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
    return list_relabelling(evaluations)


MATCH_READERS: Mapping[str, Callable[[Store], pl.DataFrame]] = {
    "outcomes": read_outcomes,
    "objects": read_objects,
    "relabel": read_relabelling,
}

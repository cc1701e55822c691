"""One row a sample with all that a workspace knows of it now: for notebooks and other tools."""

import polars as pl

from flows.commands.exports.wide_columns import MARK
from pipeline.errors.scored import scored_samples
from pipeline.workspace.label_columns import LabelColumn, list_columns, list_true_columns
from pipeline.workspace.manifests import LabelManifest, ScoreManifest
from pipeline.workspace.store import Store

_SAMPLE = ("path", "annotation_id", "category", "split", "x", "y", "w", "h")
_FOUND = "found"  # the match status of the detection that an object was found by


def build_wide_table(store: Store) -> pl.DataFrame:
    """Return one row a sample, in the order of the dataset.

    Columns are sample.id, sample.path, sample.annotation_id, sample.category (the true class),
    sample.split and the box as sample.x, y, w, h; each attribute under its name, score.NAME where
    its labels have scores, truth.NAME where true values are known; for each system error.SYSTEM,
    of a classifier predicted.SYSTEM and confidence.SYSTEM (null where not known), of a detector of
    objects confidence.SYSTEM and iou.SYSTEM of the detection that found the object. What is not
    known of a sample is null. Labels of the whole image are joined to its objects. Raises
    StoreError when nothing was labelled or scored yet.
    """
    label, scored = LabelManifest.read(store.folder), ScoreManifest.read(store.folder)
    samples = scored_samples(store.read_samples())
    of_objects = samples["parent_id"].is_not_null().any()
    wide = samples.select(
        pl.col("sample_id").alias(MARK),
        "parent_id",
        *(pl.col(name).alias(f"sample.{name}") for name in _SAMPLE),
    )
    for column in list_columns(label, of_objects=of_objects).values():
        wide = _join_labels(wide, column, store, name=column.attribute, scores=True)
    for column in list_true_columns(label).values():
        wide = _join_labels(wide, column, store, name=f"truth.{column.attribute}", scores=False)
    errors = store.read("errors")
    for system, one in scored.systems.items():
        own = errors.filter(pl.col("error_id") == one.error_id)
        wide = _join(wide, own.select(pl.col("error").alias(f"error.{system}"), "sample_id"))
        matches = store.read_matches(one.error_id)
        if matches is not None and (of_objects or "predicted" in matches.columns):
            wide = _join(wide, _describe_matches(matches, system))
    return wide.drop("parent_id")


def _join_labels(
    wide: pl.DataFrame, column: LabelColumn, store: Store, *, name: str, scores: bool
) -> pl.DataFrame:
    labels = store.read_labels([column.label_id])
    taken = [pl.col("value").alias(name)]
    if scores and labels["score"].is_not_null().any():
        taken.append(pl.col("score").alias(f"score.{name}"))
    key = "parent_id" if column.of_image else MARK
    return _join(wide, labels.select("sample_id", *taken), key=key)


def _describe_matches(matches: pl.DataFrame, system: str) -> pl.DataFrame:
    """Return by sample_id what a system said of it; matches: CLASS_ or DETECTION_MATCHES."""
    confidence = pl.col("score").alias(f"confidence.{system}")
    if "predicted" in matches.columns:
        return matches.select(
            "sample_id", pl.col("predicted").alias(f"predicted.{system}"), confidence
        )
    found = matches.filter((pl.col("status") == _FOUND) & pl.col("sample_id").is_not_null())
    return found.select("sample_id", confidence, pl.col("iou").alias(f"iou.{system}"))


def _join(wide: pl.DataFrame, more: pl.DataFrame, *, key: str = MARK) -> pl.DataFrame:
    return wide.join(more, left_on=key, right_on="sample_id", how="left", maintain_order="left")

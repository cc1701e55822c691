"""Which rows of a table are exported: those of the latest run and of the current labels."""

import polars as pl

from flows.commands.exports.wide_columns import LIMIT
from flows.run.record import find_last_search
from pipeline.images.measure import MEASURE_VERSION
from pipeline.tables import RESULTS
from pipeline.workspace.manifests import (
    FairnessManifest,
    LabelManifest,
    SamplesManifest,
    ScoreManifest,
)
from pipeline.workspace.store import Store

_COMPARED = ("gaps", "disparities", "verdicts")  # by the last comparison of groups
_SEARCHED = ("findings", "slices", *(name for name in RESULTS if name not in _COMPARED))
_OF_CONTENT = ("embeddings", "measurements", "texts")  # kept of any content, whatever the samples


def select_current(frame: pl.DataFrame, table: str, store: Store) -> pl.DataFrame:
    """Return the rows of the latest run, or of the labels and errors that were made last.

    A table that is kept of no run, or whose stage noted nothing yet, comes back as it is.
    """
    if table in _SEARCHED and (run := find_last_search(store)):
        return frame.filter(pl.col("run_id") == run["run_id"])
    if table in _COMPARED and (compared := FairnessManifest.find(store.folder)):
        return frame.filter(pl.col("run_id") == compared.run_id)
    if table == "labels" and (label := LabelManifest.find(store.folder)):
        current = [*(one.label_id for one in label.attributes), *label.truth.values()]
        return frame.filter(pl.col("label_id").is_in(current))
    if table == "errors" and (score := ScoreManifest.find(store.folder)):
        current = [one.error_id for one in score.systems.values()]
        return frame.filter(pl.col("error_id").is_in(current))
    return frame


def select_named(frame: pl.DataFrame, table: str, store: Store) -> pl.DataFrame:
    """Return of vectors, measurements and runs the rows that the samples and manifests name now.

    That is the content of the samples as last read, by the encoder that the labels come from, and
    the runs that searched and compared groups last. Other tables come back as they are.
    """
    if table in {"embeddings", "measurements"}:
        keys = store.read_samples()["content_key"].unique()
        frame = frame.filter(pl.col("content_key").is_in(keys.implode()))
    label = LabelManifest.find(store.folder)
    if table == "embeddings" and label is not None and label.encoder_id is not None:
        return frame.filter(pl.col("encoder_id") == label.encoder_id)
    if table == "measurements":
        return frame.filter(pl.col("measure_version") == MEASURE_VERSION)
    if table == "runs":
        run, compared = find_last_search(store), FairnessManifest.find(store.folder)
        ids = [run["run_id"]] if run else []
        return frame.filter(pl.col("run_id").is_in(ids + ([compared.run_id] if compared else [])))
    return frame


def mark_limit(frame: pl.DataFrame, table: str, store: Store) -> pl.DataFrame:
    """Return the rows with a column `sample_limit` where they are of limited samples.

    It says for each row to how many samples its run was limited, null for all. Tables of full runs
    come back as they are, as does what is kept of any content.
    """
    if table in _OF_CONTENT or LIMIT in frame.columns:
        return frame
    if "run_id" in frame.columns:
        limits = store.read("runs").select("run_id", LIMIT)
        marked = frame.join(limits, on="run_id", how="left", maintain_order="left")
        return marked if marked[LIMIT].is_not_null().any() else frame
    samples = SamplesManifest.find(store.folder)
    limit = samples.limit if samples else None
    return frame if limit is None else frame.with_columns(pl.lit(limit).alias(LIMIT))

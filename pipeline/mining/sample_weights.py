"""Weights of samples in training again: weak slices count more, within bounds."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask

MOST = 5.0  # times the weight of a sample that is in no finding


def weigh_members(members: Mask, lifts: Sequence[float]) -> Floats:
    """Return (n,) weights from 1 to 5 of samples by the findings that they belong to.

    members: (n, f). lifts: (f,) of each finding its error over that of the rest, NaN or infinite
    where the rest has none. A sample gets the largest lift of its findings, at most 5, at least 1:
    were all drawn so, every finding would be trained on about as often as its error asks for. Lifts
    of overlapping findings are not multiplied, so that no sample gets more than 5.
    """
    bounded = np.clip(np.nan_to_num(np.asarray(lifts, np.float64), nan=1.0, posinf=MOST), 1.0, MOST)
    weights: Floats = np.where(members, bounded, 1.0).max(axis=1, initial=1.0)
    return weights


def tabulate_weights(
    samples: pl.DataFrame, members: Mask, lifts: Sequence[float], ranks: Sequence[int]
) -> pl.DataFrame:
    """Return sample_id, path, annotation_id, weight and findings of n samples, and their images.

    samples: sample_id, parent_id, path, annotation_id, n rows. members: (n, f). ranks: (f,) of the
    findings. An image around objects gets the largest weight and all findings of these. Weights
    have the mean 1, of objects and of images apart.
    """
    findings = [
        [rank for rank, inside in zip(ranks, row, strict=True) if inside]
        for row in members.tolist()
    ]
    own = samples.with_columns(
        pl.Series("weight", weigh_members(members, lifts)),
        pl.Series("findings", findings, dtype=pl.List(pl.Int64)),
    )
    columns = ["sample_id", "path", "annotation_id", "weight", "findings"]
    images = own.filter(pl.col("parent_id").is_not_null())
    around = images.group_by(sample_id="parent_id").agg(
        pl.col("path").first(),
        pl.lit(None, dtype=pl.String).alias("annotation_id"),
        pl.col("weight").max(),
        pl.col("findings").explode().drop_nulls().unique().sort(),
    )
    scaled = [
        part.select(columns).with_columns(pl.col("weight") / pl.col("weight").mean())
        for part in (around, own)
        if not part.is_empty()
    ]
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    return pl.concat(scaled).sort(
        "path", pl.col("annotation_id").is_not_null(), number, "annotation_id"
    )

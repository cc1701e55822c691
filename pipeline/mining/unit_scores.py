"""Scores of windows become scores of their images; what is known of objects, of their images."""

from typing import cast

import numpy as np
import polars as pl

from pipeline.arrays import Array, Floats, Ints

_LEAST_KNOWN = 100  # units whose membership is known, before probabilities are fitted to that
_LEAST_OF_EACH = 10  # of them members, and others


def take_best(scores: Floats, units: Ints, count: int) -> Floats:
    """Return (count, f) the largest of each unit's scores; the least of all where it has none.

    scores: (n, f). units: (n,) which unit each row is of, below `count`.
    """
    floor = scores.min(axis=0) if len(scores) else np.zeros(scores.shape[1])
    best = np.full((count, scores.shape[1]), -np.inf)
    np.maximum.at(best, units, scores)
    return np.where(np.isfinite(best), best, floor)


def join_members(members: Array, image_ids: pl.Series, images: pl.Series) -> Floats:
    """Return (m, f) whether images hold a member: 1, 0, or NaN where that is not known.

    members: (n, f) of objects, NaN where not known. image_ids: (n,). images: (m,) their ids. An
    image without objects holds none.
    """
    names = [f"m{place}" for place in range(members.shape[1])]
    rows = pl.DataFrame(members.astype(np.float64), schema=names, orient="row", nan_to_null=True)
    rows = rows.with_columns(image=image_ids)
    sums = rows.group_by("image").agg(
        pl.when(pl.col(name).max() == 1)
        .then(1.0)
        .when(pl.col(name).null_count() == 0)
        .then(0.0)
        .otherwise(float("nan"))
        .alias(name)
        for name in names
    )
    joined = pl.DataFrame({"image": images}).join(
        sums, on="image", how="left", maintain_order="left"
    )
    found = joined.select(pl.col(name).fill_null(0.0) for name in names).to_numpy()
    return cast("Floats", found.astype(np.float64))


def is_enough(known: Floats) -> bool:
    """Return whether so much is known of a slice that probabilities can be fitted to it.

    known: (n,) 1, 0, or NaN where membership is not known.
    """
    members, others = int((known == 1).sum()), int((known == 0).sum())
    return members + others >= _LEAST_KNOWN and min(members, others) >= _LEAST_OF_EACH

"""Samples in groups, with errors drawn at known rates and images that share a fate."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def draw_errors(
    rng: np.random.Generator, rate: Floats, images: NDArray[np.int64] | None = None
) -> Floats:
    """Draw 0/1 errors at the given rates; those of one image tend to be equal."""
    chance = rng.random(len(rate))
    if images is not None:
        alike = rng.random(len(rate)) < 0.6
        chance = np.where(alike, rng.random(images.max() + 1)[images], chance)
    return (chance < rate).astype(np.float64)


def name_groups(rng: np.random.Generator, n: int, **values: int) -> pl.DataFrame:
    """Draw attributes with the given number of values each."""
    return pl.DataFrame(
        {name: [f"{name}{v}" for v in rng.integers(0, count, n)] for name, count in values.items()}
    )


def row_of(gaps: pl.DataFrame, metric: str = "error", **values: str) -> dict[str, Any]:
    """Return the row of one metric and group."""
    wanted = values
    found = [
        row
        for row in gaps.filter(pl.col("metric") == metric).iter_rows(named=True)
        if {one["attribute"]: one["value"] for one in row["predicates"]} == wanted
    ]
    (row,) = found
    return row

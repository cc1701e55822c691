"""Vectors of which some directions know an attribute's value."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.labels.probes.examples import Examples, make_examples

NAMES = ("blue", "green", "red")


def draw_vectors(
    values: list[str], *, seed: int = 0, width: int = 24, apart: float = 1.5, repeat: int = 1
) -> Floats:
    """Draw unit vectors; those of a value lie `apart` standard deviations along its own axis.

    repeat: so many in a row are the same vector, nearly.
    """
    rng = np.random.default_rng(seed)
    vectors = np.repeat(rng.normal(size=(-(-len(values) // repeat), width)), repeat, axis=0)
    vectors = vectors[: len(values)] + 1e-3 * rng.normal(size=(len(values), width))
    for row, value in enumerate(values):
        vectors[row, NAMES.index(value)] += apart
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def draw_values(count: int, *, shares: tuple[float, ...] = (0.5, 0.5), seed: int = 0) -> list[str]:
    rng = np.random.default_rng([seed, 1])
    return [NAMES[code] for code in rng.choice(len(shares), count, p=shares)]


def draw_examples(
    count: int = 120,
    *,
    shares: tuple[float, ...] = (0.5, 0.5),
    apart: float = 1.5,
    seed: int = 0,
    inclusion: Floats | None = None,
) -> Examples:
    values = draw_values(count, shares=shares, seed=seed)
    known = pl.DataFrame(
        {
            "sample_id": [f"s{row:04}" for row in range(count)],
            "value": values,
            "inclusion": np.full(count, 0.1) if inclusion is None else inclusion,
        }
    )
    return make_examples(known, draw_vectors(values, seed=seed, apart=apart))

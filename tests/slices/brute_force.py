"""A slow, plain search and random tables to compare the fast ones with."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def list_conjunctions(
    table: pl.DataFrame, max_level: int
) -> Iterator[tuple[tuple[tuple[str, str], ...], NDArray[np.bool_]]]:
    """Yield every conjunction that has rows, with its members."""
    columns = {name: table[name].cast(pl.String).to_numpy() for name in sorted(table.columns)}
    for level in range(1, max_level + 1):
        for names in combinations(sorted(columns), level):
            for values in table.select(pl.col(names).cast(pl.String)).unique().iter_rows():
                members = np.ones(table.height, np.bool_)
                for name, value in zip(names, values, strict=True):
                    members &= columns[name] == value
                yield tuple(zip(names, values, strict=True)), members


def search_by_force(
    table: pl.DataFrame,
    errors: Floats,
    *,
    weights: Floats | None = None,
    alpha: float = 0.95,
    max_level: int = 3,
    min_support: float = 1.0,
    direction: str = "worse",
) -> dict[tuple[tuple[str, str], ...], dict[str, float]]:
    """Return score, rows and error of every slice with enough weight, by its predicates."""
    w = np.ones(len(errors)) if weights is None else weights
    least = min_support * w.sum() if min_support < 1 else min_support
    mean = (w * errors).sum() / w.sum()
    found = {}
    for predicates, inside in list_conjunctions(table, max_level):
        size = w[inside].sum()
        if size < least - 1e-9 * w.sum():
            continue
        error = (w * errors)[inside].sum() / size
        lift = (error / mean - 1) if mean > 0 else 0.0
        lift = lift if direction == "worse" else -lift
        found[predicates] = {
            "n": int(inside.sum()),
            "error": error,
            "largest": errors[inside].max(),
            "score": alpha * lift - (1 - alpha) * (w.sum() / size - 1),
        }
    return found


def by_predicates(frame: pl.DataFrame) -> dict[tuple[tuple[str, str], ...], dict[str, Any]]:
    """Return the rows of a family or of findings by their predicates."""
    return {
        tuple((p["attribute"], p["value"]) for p in row["predicates"]): row
        for row in frame.iter_rows(named=True)
    }


def random_problem(seed: int) -> tuple[pl.DataFrame, Floats, Floats | None, dict[str, Any]]:
    """Return a small random table, errors, maybe weights, and options."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 120))
    width = int(rng.integers(1, 6))
    table = pl.DataFrame(
        {
            f"a{j}": [f"v{v}" for v in rng.integers(0, rng.integers(1, 5), n)]
            if rng.random() < 0.7
            else rng.integers(-2, 3, n)
            for j in range(width)
        }
    )
    kind = rng.integers(0, 5)
    if kind == 0:
        errors = (rng.random(n) < rng.random()).astype(float)
    elif kind == 1:
        errors = rng.gamma(0.5, 2.0, n)
    elif kind == 2:
        errors = rng.integers(0, 4, n).astype(float)
    elif kind == 3:
        errors = np.full(n, rng.integers(0, 2) * 0.7)
    else:
        errors = np.where(rng.random(n) < 0.5, 0.25, 3.5)
    weights = None
    if rng.random() < 0.4:
        weights = rng.integers(1, 5, n).astype(float) if rng.random() < 0.5 else rng.random(n) + 0.1
    support = float(rng.choice([1.0, 2.0, 7.0, 0.01, 0.1]))
    options = {
        "alpha": float(rng.choice([0.5, 0.92, 0.95, 1.0])),
        "max_level": int(rng.integers(1, 5)),
        "min_support": support,
        "direction": str(rng.choice(["worse", "better"])),
    }
    return table, errors, weights, options

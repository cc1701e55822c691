"""Tables with planted weak slices: correlated attributes, known error rates, a seed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Predicates = tuple[tuple[str, str], ...]
_VALUES = (2, 2, 3, 3, 3, 4, 4, 5, 5, 6)
_LEVELS = (1, 1, 2, 2, 3)


@dataclass(frozen=True)
class Planted:
    """A table whose errors are worse, by `lift`, inside five known slices."""

    table: pl.DataFrame
    errors: Floats
    rate: Floats  # (n,) the expected error of each row
    slices: tuple[Predicates, ...]


def members_of(table: pl.DataFrame, predicates: Any) -> NDArray[np.bool_]:
    """Return which rows are in a slice; takes pairs or {attribute, value}."""
    inside = np.ones(table.height, np.bool_)
    for predicate in predicates:
        name, value = predicate if isinstance(predicate, tuple) else predicate.values()
        inside &= (table[name] == value).to_numpy()
    return inside


def draw_attributes(
    rng: np.random.Generator, n: int, values: tuple[int, ...] = _VALUES
) -> pl.DataFrame:
    """Draw attributes that share two hidden causes, so that they are correlated."""
    hidden = rng.normal(size=(n, 2))
    columns = {}
    for j, count in enumerate(values):
        signal = 0.6 * hidden[:, j % 2] + 0.8 * rng.normal(size=n)
        edges = np.quantile(signal, np.cumsum(rng.dirichlet(np.full(count, 6.0)))[:-1])
        columns[f"a{j}"] = [f"v{code}" for code in np.searchsorted(edges, signal)]
    return pl.DataFrame(columns)


def plant(
    seed: int, n: int, *, lift: float = 0.25, base: float = 0.1, kind: str = "binary"
) -> Planted:
    """Plant five slices of level 1 to 3, each 3 to 15 % of the rows, that hardly share rows.

    kind: `binary` errors of 0 and 1, or `gamma` errors with the same means.
    """
    rng = np.random.default_rng(seed)
    table = draw_attributes(rng, n)
    chosen: list[tuple[Predicates, NDArray[np.bool_]]] = []
    for level in _LEVELS:
        while True:
            names = sorted(rng.choice(table.columns, level, replace=False).tolist())
            row = table.row(int(rng.integers(n)), named=True)
            predicates = tuple((name, row[name]) for name in names)
            inside = members_of(table, predicates)
            if 0.03 <= inside.mean() <= 0.15 and all(_apart(inside, other) for _, other in chosen):
                chosen.append((predicates, inside))
                break
    rate = np.where(np.any([inside for _, inside in chosen], axis=0), base + lift, base)
    errors = (
        (rng.random(n) < rate).astype(float) if kind == "binary" else rng.gamma(1.0, 1.0, n) * rate
    )
    return Planted(table, errors, rate, tuple(predicates for predicates, _ in chosen))


def _apart(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Return whether two slices share under a third of the smaller one."""
    return bool((one & other).sum() < min(one.sum(), other.sum()) / 3)


def plant_nothing(seed: int, n: int, *, kind: str = "binary") -> tuple[pl.DataFrame, Floats]:
    """Draw a table whose errors have nothing to do with its attributes."""
    rng = np.random.default_rng(seed)
    table = draw_attributes(rng, n)
    errors = (rng.random(n) < 0.1).astype(float) if kind == "binary" else rng.gamma(1.0, 1.0, n)
    return table, errors

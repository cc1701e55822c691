"""Runs of ordered values: found where they are planted, and not where nothing is.

`python -m tests.benchmarks.bench_ordered`. Six correlated attributes of four bins each.
"""

from typing import Any

import numpy as np
import polars as pl

from pipeline.slices import audit_slices
from pipeline.statistics.intervals import wilson_interval

BINS = ("0", "1", "2", "3")
NAMES = tuple(f"a{j}" for j in range(6))
PLANTED = {("a0", "2 or 3"), ("a1", "0 or 1")}
TABLES = 120


def draw_table(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Draw n rows whose numbers share a part, cut at the quantiles .3, .55 and .85."""
    numbers = rng.normal(size=(n, len(NAMES))) + 0.5 * rng.normal(size=(n, 1))
    cuts = np.quantile(numbers, [0.3, 0.55, 0.85], axis=0)
    return pl.DataFrame(
        {a: np.searchsorted(cuts[:, j], numbers[:, j]).astype(str) for j, a in enumerate(NAMES)}
    )


def find(table: pl.DataFrame, errors: Any, seed: int, *, ordered: bool) -> list[Any]:
    """Return the predicates of each finding."""
    orders = dict.fromkeys(NAMES, BINS) if ordered else {}
    found = audit_slices(
        table, errors, ordered=orders, max_level=2, permutations=400, seed=seed
    ).findings
    return [{(p["attribute"], p["value"]) for p in one} for one in found["predicates"]]


def count_null(kind: str, first: int) -> int:
    """Count the tables without weak slices that have a finding."""
    hits = 0
    for seed in range(first, first + TABLES):
        rng = np.random.default_rng([seed, 5])
        table = draw_table(rng, 1000)
        errors = (rng.random(1000) < 0.1) * 1.0 if kind == "0/1" else rng.gamma(0.5, 2.0, 1000)
        hits += bool(find(table, errors, seed, ordered=True))
    return hits


def count_planted(first: int, *, ordered: bool) -> tuple[int, int]:
    """Count the tables whose planted runs are found exactly, and the other findings of all."""
    exact = others = 0
    for seed in range(first, first + TABLES):
        rng = np.random.default_rng([seed, 6])
        table = draw_table(rng, 2000)
        weak = (table["a0"].is_in(["2", "3"]) & table["a1"].is_in(["0", "1"])).to_numpy()
        errors = (rng.random(2000) < np.where(weak, 0.3, 0.1)) * 1.0
        found = find(table, errors, seed, ordered=ordered)
        exact += PLANTED in found
        others += len(found) - (PLANTED in found)
    return exact, others


def main() -> None:
    """Print both counts on tables that no run has seen."""
    first = int(np.random.default_rng().integers(1 << 30))
    print(f"seeds from {first}")
    for kind in ("0/1", "gamma"):
        hits = count_null(kind, first)
        low, high = wilson_interval(np.array([hits]), np.array([TABLES]))
        print(f"null, {kind}: {hits} of {TABLES} ({100 * low[0]:.1f} to {100 * high[0]:.1f} %)")
    for ordered in (True, False):
        exact, others = count_planted(first, ordered=ordered)
        print(f"planted, ordered {ordered}: exact {exact} of {TABLES}, others {others}")


if __name__ == "__main__":
    main()

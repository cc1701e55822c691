"""Runs of adjacent values by brute force: every predicate naively, from all rows."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Predicate = tuple[str, str]


def name_naively(values: Sequence[str]) -> str:
    """Write a run of named values, as the docs say it."""
    if len(values) == 1:
        return values[0]
    return f"{values[0]} {'or' if len(values) == 2 else 'to'} {values[-1]}"


def list_runs(order: Sequence[str], present: set[str]) -> dict[str, set[str]]:
    """Return every run of the values with rows, by its words; not all of them together."""
    rows = [value for value in order if value in present]
    named = {}
    for first, last in combinations(range(len(rows)), 2):
        if first > 0 or last < len(rows) - 1:
            begin, end = order.index(rows[first]), order.index(rows[last])
            whole = order[begin : end + 1]
            if len(rows) <= 8 or first == 0 or last == len(rows) - 1:
                named[name_naively(whole)] = set(rows[first : last + 1])
    return named


def search_runs_by_force(
    table: pl.DataFrame,
    errors: Floats,
    orders: Mapping[str, Sequence[str]],
    *,
    weights: Floats | None = None,
    max_level: int,
    min_support: float,
) -> dict[tuple[Predicate, ...], dict[str, Any]]:
    """Return n, error sum and largest error of every slice with `min_support` or more."""
    w = np.ones(table.height) if weights is None else weights
    members: dict[Predicate, NDArray[np.bool_]] = {}
    for name in table.columns:
        column = table[name].cast(pl.String)
        present = set(column.unique())
        allowed = {value: {value} for value in present}
        if len(orders.get(name, ())) > 2:
            allowed |= list_runs(list(orders[name]), present)
        for words, values in allowed.items():
            members[name, words] = np.array([value in values for value in column])
    by_name = {n: sorted(p for p in members if p[0] == n) for n in sorted(table.columns)}
    found = {}
    for level in range(1, max_level + 1):
        for names in combinations(by_name, level):
            for slice_ in product(*(by_name[name] for name in names)):
                inside = np.logical_and.reduce([members[one] for one in slice_])
                if inside.any() and w[inside].sum() >= min_support - 1e-9:
                    found[slice_] = {
                        "n": int(inside.sum()),
                        "sum_error": float((w * errors)[inside].sum()),
                        "sum_error2": float((w * errors**2)[inside].sum()),
                        "max_error": float(errors[inside].max()),
                    }
    return found

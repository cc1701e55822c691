"""Systems with planted weak groups, by what is true, beside labels that are often wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.tables import LABELS, check
from tests.benchmarks.label_steps import Predicates

BASE = 0.08  # error outside the weak groups
Strength = tuple[float, float]  # error in weak groups of level 1, and of level 2
STRENGTHS: tuple[Strength, ...] = ((0.30, 0.50), (0.45, 0.75), (0.60, 0.95))
_SHARES = {1: (0.03, 0.3), 2: (0.01, 0.03)}  # of the rows, of planted groups by level
_TRIES = 100
_SHARED = 0.6  # of the rows of a group, at most, that another one has


@dataclass(frozen=True)
class WeakWorld:
    """n samples with labels, their truth, and errors that follow the truth.

    labels: LABELS. truth: n rows, a column for each attribute, null where nothing is true. rate:
    (n,) the probability of an error. planted: two groups of level 1, two of level 2.
    """

    ids: pl.Series
    labels: pl.DataFrame
    truth: pl.DataFrame
    rate: Floats
    errors: Floats
    planted: tuple[Predicates, ...]

    def measure(self, predicates: Predicates) -> tuple[float, float]:
        """Return the mean error of the rows that truly belong to a slice, and its expectation
        less that of the others.
        """
        inside = find_members(self.truth, predicates)
        if not inside.any() or inside.all():
            return float("nan"), float("nan")
        expected = float(self.rate[inside].mean() - self.rate[~inside].mean())
        return float(self.errors[inside].mean()), expected

    def compare(self, one: Predicates, other: Predicates) -> float:
        """Return the share of rows in both slices, by truth, among those in either (Jaccard)."""
        first, second = find_members(self.truth, one), find_members(self.truth, other)
        either = int((first | second).sum())
        return float((first & second).sum()) / either if either else 0.0


def plant_groups(
    ids: pl.Series, labels: pl.DataFrame, truth: pl.DataFrame, *, seed: int,
    strength: Strength = STRENGTHS[0],
) -> WeakWorld:  # fmt: skip
    """Plant two weak groups of level 1 and two of level 2, none of them mostly in another.

    The same seed plants the same groups at every strength.
    """
    rng = np.random.default_rng([seed, 11])
    groups = {level: list(_list_groups(truth, level)) for level in (1, 2)}
    planted = next(
        drawn for _ in range(_TRIES) for drawn in [_draw_groups(groups, rng)] if len(drawn) == 4
    )
    rate = np.full(truth.height, BASE)
    for predicates, inside in planted:
        rate[inside] = np.maximum(rate[inside], strength[len(predicates) - 1])
    errors = (rng.random(truth.height) < rate).astype(np.float64)
    return WeakWorld(ids, labels, truth, rate, errors, tuple(one for one, _ in planted))


def find_members(truth: pl.DataFrame, predicates: Predicates) -> Mask:
    """Return (n,) which rows truly belong to a slice."""
    inside = np.ones(truth.height, np.bool_)
    for one in predicates:
        inside &= (truth[one["attribute"]] == one["value"]).fill_null(value=False).to_numpy()
    return inside


def draw_table(
    seed: int, *, flips: float, n: int = 5_000
) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
    """Draw six attributes of 2 or 3 values, some rare, and labels of which a share is wrong.

    Returns ids, LABELS and the truth. A wrong label is another value, by chance; a rare value is
    right as often as a frequent one, so that most of its labels may be wrong.
    """
    rng = np.random.default_rng([seed, 12])
    ids = pl.Series("sample_id", [f"s{row:05}" for row in range(n)])
    hidden = rng.normal(size=n)
    truth, labels = {}, []
    for number in range(6):
        shares = ((0.93, 0.07), (0.8, 0.2), (0.5, 0.5), (0.9, 0.1), (0.6, 0.3, 0.1), (0.85, 0.15))
        edges = np.cumsum(shares[number])[:-1]
        signal = 0.3 * hidden + rng.normal(size=n) * (1 - 0.3**2) ** 0.5
        codes = np.searchsorted(np.quantile(signal, edges), signal)
        count = len(shares[number])
        moved = (codes + rng.integers(1, count, n)) % count
        shown = np.where(rng.random(n) < flips, moved, codes)
        names = np.array([f"v{value}" for value in range(count)])
        truth[f"a{number}"] = names[codes]
        labels.append(make_labels(ids, pl.Series(names[shown]), f"a{number}"))
    return ids, pl.concat(labels), pl.DataFrame(truth)


def make_labels(ids: pl.Series, values: pl.Series, attribute: str) -> pl.DataFrame:
    """Return LABELS of one attribute."""
    frame = pl.DataFrame({"sample_id": ids, "value": values}).select(
        "sample_id", "value", attribute=pl.lit(attribute), source=pl.lit("zero-shot"),
        score=pl.lit(1.0), margin=pl.lit(1.0), label_id=pl.lit(attribute),
    )  # fmt: skip
    return check(frame, LABELS, table="labels")


def _list_groups(truth: pl.DataFrame, level: int) -> Iterator[tuple[Predicates, Mask]]:
    low, high = _SHARES[level]
    pairs = [(name, value) for name in truth.columns
             for value in sorted(truth[name].drop_nulls().unique())]  # fmt: skip
    for chosen in combinations(pairs, level):
        if len({name for name, _ in chosen}) == level:
            predicates = [{"attribute": name, "value": value} for name, value in sorted(chosen)]
            inside = find_members(truth, predicates)
            if low <= inside.mean() <= high:
                yield predicates, inside


def _draw_groups(
    groups: Mapping[int, Sequence[tuple[Predicates, Mask]]], rng: np.random.Generator
) -> list[tuple[Predicates, Mask]]:
    """Draw two groups of each level that are apart; fewer where the draw was unlucky."""
    planted: list[tuple[Predicates, Mask]] = []
    for level, candidates in groups.items():
        for at in rng.permutation(len(candidates)):
            if len(planted) == 2 * level:
                break
            predicates, inside = candidates[at]
            if all(_is_apart(predicates, inside, *other) for other in planted):
                planted.append((predicates, inside))
    return planted


def _is_apart(one: Predicates, inside: Mask, other: Predicates, held: Mask) -> bool:
    if len(one) != len(other) and any(predicate in other for predicate in one):
        return False  # one lies in the other
    return bool((inside & held).sum() <= _SHARED * min(inside.sum(), held.sum()))

"""Tables with wrong labels whose true values and error rates are known."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.checks.allocation import split_by_failure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Dependence = Literal["none", "labels", "errors"]
Predicates = list[dict[str, str]]
_OFTEN, _SELDOM = 1.7, 0.3  # how much likelier a label is wrong in hard rows, and in others


@dataclass(frozen=True)
class NoiseWorld:
    """n rows of labels, errors and true values, of which some are checked.

    labels, truth, checks: one column an attribute. rates: error rate of each combination of true
    values in the population, shares: its share. codes: (m, n) true values as integers. inclusion:
    with which probability each row was checked, None where all of a label are alike.
    """

    labels: pl.DataFrame
    truth: pl.DataFrame
    checks: pl.DataFrame
    errors: Floats
    rates: Floats
    shares: Floats
    codes: Ints
    seen: Ints  # (m, n) labels as integers
    inclusion: pl.DataFrame | None = None

    def list_slices(self) -> list[tuple[int, ...]]:
        """List every combination of values, those of one attribute too (-1 for no predicate)."""
        values = [range(-1, count) for count in self.rates.shape]
        return [one for one in product(*values) if max(one) >= 0]

    def name_slice(self, ids: tuple[int, ...]) -> Predicates:
        """Return a slice's predicates."""
        return [{"attribute": f"a{j}", "value": f"v{v}"} for j, v in enumerate(ids) if v >= 0]

    def expect_error(self, ids: tuple[int, ...]) -> float:
        """Return a slice's error rate in the population."""
        at = tuple(slice(None) if v < 0 else v for v in ids)
        return float((self.shares[at] * self.rates[at]).sum() / self.shares[at].sum())

    def measure_error(self, ids: tuple[int, ...], codes: Ints) -> float:
        """Return a slice's mean error among the rows, by true values or by labels."""
        inside = np.ones(len(self.errors), np.bool_)
        for column, value in zip(codes, ids, strict=True):
            inside &= (column == value) | (value < 0)
        return float(self.errors[inside].mean()) if inside.any() else float("nan")


def draw_noise_world(
    seed: int, *, values: int, attributes: int, flips: float, checks: int, n: int = 20_000,
    dependence: Dependence = "none", together: bool = False, gamma: bool = False,
    by_failure: bool = False,
) -> NoiseWorld:  # fmt: skip
    """Draw a table of correlated attributes whose labels are wrong in about `flips` of the rows.

    The rarest of two values has 8 to 30 % of the rows, of three 8 to 20 %. Error rates of the
    combinations of true values are uniform over .02 to .5. Each value has its own rate of flips,
    .7 to 1.3 times `flips`. checks: rows checked for each label of each attribute. dependence:
    "labels" for attributes whose labels are wrong together, "errors" for labels that are wrong
    where the system is. together: whether the checked rows are checked for all attributes. gamma:
    errors of a gamma distribution in place of 0/1. by_failure: whether two fifths of the checks of
    a label, at least, are rows with an error, as `weakspot check-labels` draws them.
    """
    rng = np.random.default_rng([seed, values, attributes, int(flips * 100), checks])
    shares = _draw_shares(rng, values, attributes)
    rates = rng.uniform(0.02, 0.5, shares.shape)
    cell = rng.choice(shares.size, n, p=shares.ravel())
    codes = np.array(np.unravel_index(cell, shares.shape), np.int64)
    mean = rates.ravel()[cell]
    errors = (rng.gamma(1.0, mean) if gamma else rng.random(n) < mean).astype(np.float64)
    hard = rng.random(n) < 0.5  # rows in which every label is likelier to be wrong
    factor = np.ones(n)
    if dependence == "labels":
        factor = np.where(hard, _OFTEN, _SELDOM)
    if dependence == "errors":
        rest = 1 - (_OFTEN - 1) * errors.mean() / (1 - errors.mean())
        factor = np.where(errors > 0, _OFTEN, rest)
    seen = np.stack([_flip(rng, column, values, flips, factor) for column in codes])
    known = np.zeros(codes.shape, np.bool_)
    inclusion = np.full(codes.shape, np.nan)
    for j, v in product(range(attributes), range(values)):
        groups = [np.flatnonzero(seen[j] == v)]
        if by_failure:
            failed = errors[groups[0]] > 0
            groups = [part for part in (groups[0][~failed], groups[0][failed]) if len(part)]
        sizes = np.array([len(part) for part in groups])
        counts = split_by_failure(checks, sizes=sizes, checked=np.zeros_like(sizes))
        for rows, count in zip(groups, counts, strict=True):
            chosen = rng.choice(rows, int(count), replace=False)
            known[j, chosen], inclusion[j, chosen] = True, count / max(len(rows), 1)
    if together:
        known[:] = known.any(axis=0)
    names = [f"a{j}" for j in range(attributes)]
    words = pl.Series([f"v{v}" for v in range(values)])
    labels, truth = (
        pl.DataFrame({name: words.gather(row) for name, row in zip(names, table, strict=True)})
        for table in (seen, codes)
    )
    kept = pl.DataFrame({
        name: pl.select(pl.when(pl.Series(known[j])).then(truth[name])).to_series()
        for j, name in enumerate(names)
    })  # fmt: skip
    drawn = pl.DataFrame({
        name: pl.Series(inclusion[j]).fill_nan(None) for j, name in enumerate(names)
    })  # fmt: skip
    return NoiseWorld(
        labels, truth, kept, errors, rates, shares, codes, seen, drawn if by_failure else None
    )


def _draw_shares(rng: np.random.Generator, values: int, attributes: int) -> Floats:
    """Draw uneven shares of the combinations of true values, attributes correlated."""
    margins = []
    for _ in range(attributes):
        rare = rng.uniform(0.08, 0.3 if values == 2 else 0.2)
        middle = rng.uniform(0.2, 0.35, values - 2)
        margins.append(rng.permutation(np.array([rare, *middle, 1 - rare - middle.sum()])))
    shares = margins[0]
    for margin in margins[1:]:
        shares = shares[..., None] * margin
    shares = shares * rng.uniform(0.5, 1.5, shares.shape)
    return np.asarray(shares / shares.sum())


def _flip(
    rng: np.random.Generator, column: Ints, values: int, flips: float, factor: Floats
) -> Ints:
    rate = flips * rng.uniform(0.7, 1.3, values)
    target = rng.dirichlet(np.full(values - 1, 3.0), values)
    wrong = rng.random(len(column)) < np.clip(rate[column] * factor, 0, 0.9)
    seen = column.copy()
    for v in range(values):
        rows = np.flatnonzero(wrong & (column == v))
        others = np.array([u for u in range(values) if u != v])
        seen[rows] = rng.choice(others, len(rows), p=target[v])
    return seen

"""Two labellings of the same checked samples: which one agrees better with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints
from pipeline.vocabulary import LEVEL

SWAPS = 4_999
_ROUNDING = 1e-9
_AT_ONCE = 500  # swaps; bounds the memory


@dataclass(frozen=True)
class LabelComparison:
    """How two labellings agree with the truth of n samples.

    right, other_right: weighted share that is right. kappa, other_kappa: agreement beyond chance.
    p: one-sided, of the first being the better one by chance.
    """

    n: int
    right: float
    other_right: float
    kappa: float
    other_kappa: float
    p: float

    @property
    def is_better(self) -> bool:
        """Whether the first agrees better, beyond chance."""
        return self.kappa > self.other_kappa and self.p < LEVEL


def compare_labels(
    truth: pl.Series,
    labels: pl.Series,
    other: pl.Series,
    *,
    weights: Floats,
    cluster_ids: pl.Series,
    seed: int = 0,
) -> LabelComparison:
    """Compare two labellings of n samples with their true values.

    truth, labels, other: (n,) values, "unknown" included in the labels, where it is wrong. weights:
    (n,) how many samples each one is drawn for. Compared is Cohen's weighted kappa (1960): a rare
    value counts as in balanced accuracy, but so do false alarms among a frequent one, which dilute
    a slice and which balanced accuracy hardly sees. The p-value is of a randomisation test (Noreen
    1989, Computer-Intensive Methods): if the two were alike, their labels of a cluster could be
    swapped; it is the share of random swaps, and of none, with at least this difference of kappas.
    """
    names = sorted({*truth, *labels, *other})
    codes = [_encode(series, names) for series in (truth, labels, other)]
    shares = weights / weights.sum()
    first = _count_cells(codes[0], codes[1], shares, cluster_ids, len(names))  # (clusters, v * v)
    second = _count_cells(codes[0], codes[2], shares, cluster_ids, len(names))
    kappa, other_kappa = _measure_kappas(np.stack([first.sum(axis=0), second.sum(axis=0)]))
    apart = np.flatnonzero((first != second).any(axis=1))
    return LabelComparison(
        n=len(truth),
        right=float(shares[codes[0] == codes[1]].sum()),
        other_right=float(shares[codes[0] == codes[2]].sum()),
        kappa=float(kappa),
        other_kappa=float(other_kappa),
        p=_swap(first, second, apart, float(kappa - other_kappa), seed=seed),
    )


def _swap(first: Floats, second: Floats, apart: Ints, difference: float, *, seed: int) -> float:
    """Return the share of swaps, the observed one included, with at least this difference."""
    gain = (second - first)[apart]  # (m, v * v)
    rng = np.random.default_rng(seed)
    at_least, left = 1, SWAPS
    while left > 0:
        size = min(left, _AT_ONCE)
        moved = rng.integers(0, 2, (size, len(apart))).astype(np.float64) @ gain
        ours, theirs = first.sum(axis=0) + moved, second.sum(axis=0) - moved
        differences = _measure_kappas(ours) - _measure_kappas(theirs)
        at_least += int((differences >= difference - _ROUNDING).sum())
        left -= size
    return at_least / (SWAPS + 1)


def _encode(values: pl.Series, names: Sequence[str]) -> Ints:
    codes = values.replace_strict(list(names), range(len(names)), return_dtype=pl.Int64)
    return np.asarray(codes.to_numpy(), np.int64)


def _count_cells(
    truth: Ints, labels: Ints, shares: Floats, cluster_ids: pl.Series, count: int
) -> Floats:
    """Return (clusters, count * count) the summed shares of each true value and label."""
    clusters = cluster_ids.rank("dense").to_numpy().astype(np.int64) - 1
    cells = np.zeros((int(clusters.max(initial=-1)) + 1, count * count))
    np.add.at(cells, (clusters, truth * count + labels), shares)
    return cells


def _measure_kappas(cells: Floats) -> Floats:
    """Return (m,) kappas of (m, v * v) shares; 1 where chance alone agrees fully."""
    count = round(cells.shape[1] ** 0.5)
    tables = cells.reshape(-1, count, count)
    observed = np.trace(tables, axis1=1, axis2=2)
    chance = (tables.sum(axis=2) * tables.sum(axis=1)).sum(axis=1)
    certain = chance >= 1 - _ROUNDING
    return np.where(certain, 1.0, (observed - chance) / np.where(certain, 1.0, 1 - chance))

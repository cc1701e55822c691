"""Labels beside what is known to be true of the same samples, and shares of them with intervals.

A share is of cells: pairs of a true value and a label. Precision of "yes" is the share of the cells
(yes, yes) among all cells whose label is yes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask
from pipeline.statistics.estimates import NAN, estimate_mean, number_clusters, sum_weights
from pipeline.vocabulary import UNKNOWN

DRAWS = 4000  # of the posterior: quantiles of 95 % are then off by a hundredth of their width
_SEED = 0


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval; NaN where it is a share of nothing, or has no interval."""

    value: float = NAN
    low: float = NAN
    high: float = NAN


@dataclass(frozen=True, eq=False)
class JudgedLabels:
    """The labels of n samples whose true value is known.

    values: the k values in display order, "unknown" last. true, given: (n,) indices into them.
    weights: (n,) 1 / inclusion; all 1 where every sample was as likely to be judged.
    cluster_ids: (n,) the image of each sample; samples of different images are independent.
    """

    values: tuple[str, ...]
    true: Ints
    given: Ints
    weights: Floats
    cluster_ids: pl.Series

    @property
    def effective_n(self) -> float:
        """Kish's effective sample size, (sum w)^2 / sum w^2, times images over samples."""
        if not len(self.true):
            return 0.0
        kish = float(self.weights.sum() ** 2 / (self.weights**2).sum())
        return kish * self.cluster_ids.n_unique() / len(self.true)

    @property
    def is_weighted(self) -> bool:
        """Whether some samples were more likely to be judged than others."""
        return bool(len(self.weights)) and bool(np.ptp(self.weights) > 1e-9 * self.weights.max())

    def mark_cells(
        self, *, true: Sequence[str] | None = None, given: Sequence[str] | None = None
    ) -> Mask:
        """Return (k, k) which cells have one of these true values and one of these labels."""
        rows = np.isin(self.values, self.values if true is None else list(true))
        columns = np.isin(self.values, self.values if given is None else list(given))
        return rows[:, None] & columns[None, :]

    @cached_property
    def counts(self) -> Ints:
        """(k, k) samples of each true value (rows) and label (columns)."""
        return self._sum_cells(np.ones(len(self.true))).astype(np.int64)

    @cached_property
    def joint(self) -> Floats:
        """(k, k) the estimated share of all samples in each cell; NaN without samples."""
        shares: Floats = self._sum_cells(self.weights) / self.weights.sum()
        return shares

    def estimate(self, hit: Mask, among: Mask) -> Share:
        """Estimate which share of the cells `among` is of the cells `hit`, (k, k) each.

        Where every sample was as likely to be judged: Wilson's interval, with an effective sample
        size where several samples are of one image. Else the share weighted by 1 / inclusion
        (Hajek), with the interval of its posterior (see `draw_joint`), widened to the estimate.
        """
        rows = np.flatnonzero(among[self.true, self.given])
        if not rows.size:
            return Share()
        right = (hit & among)[self.true, self.given].astype(np.float64)
        if not self.is_weighted:
            found = estimate_mean(number_clusters(right, self.cluster_ids), rows)
            return Share(found.value, *found.interval)
        value = float(np.average(right[rows], weights=self.weights[rows]))
        whole = self._draws[:, among].sum(axis=1)
        part = self._draws[:, hit & among].sum(axis=1)
        low, high = np.quantile(part / whole, (0.025, 0.975))
        return Share(value, min(float(low), value), max(float(high), value))

    @cached_property
    def _draws(self) -> Floats:
        return draw_joint(self)

    def _sum_cells(self, weights: Floats) -> Floats:
        k = len(self.values)
        return sum_weights(self.true * k + self.given, weights, k * k).reshape(k, k)


def judge_labels(
    predicted: pl.DataFrame,
    truth: pl.DataFrame,
    cluster_ids: pl.DataFrame,
    *,
    values: Sequence[str] = (),
) -> JudgedLabels:
    """Put the labels of one attribute beside its true values, in the order of the samples' ids.

    predicted: sample_id and value. truth: sample_id, value and inclusion, as known; samples that
    are truly "unknown" are left out. Samples of which nobody noted an inclusion weigh as much as
    the others on average. cluster_ids: sample_id and cluster_id. values: their order; values that
    are not listed follow it.
    """
    both = (
        truth.filter(pl.col("value").is_not_null() & (pl.col("value") != UNKNOWN))
        .select("sample_id", "inclusion", true="value")
        .join(predicted.select("sample_id", given="value"), on="sample_id")
        .join(cluster_ids, on="sample_id", how="left")
        .sort("sample_id")
    )
    seen = pl.concat([both["true"], both["given"]]).unique().sort().to_list()
    listed = dict.fromkeys([*values, *seen])
    names = (*(name for name in listed if name != UNKNOWN), UNKNOWN)
    codes = {name: code for code, name in enumerate(names)}
    return JudgedLabels(
        values=names,
        true=_encode(both["true"], codes),
        given=_encode(both["given"], codes),
        weights=weigh_inclusion(both["inclusion"]),
        cluster_ids=both["cluster_id"].fill_null(both["sample_id"]),
    )


def weigh_inclusion(inclusion: pl.Series) -> Floats:
    """Return (n,) 1 / inclusion; where that is null the mean of the others, 1 where all are."""
    weights: Floats = 1 / inclusion.cast(pl.Float64).to_numpy()
    known = np.isfinite(weights)
    return np.where(known, weights, weights[known].mean() if known.any() else 1.0)


def draw_joint(judged: JudgedLabels, *, draws: int = DRAWS) -> Floats:
    """Draw the (draws, k, k) shares of all samples in each cell, given those that were judged.

    Samples of equal inclusion form a stratum, whose part of all samples is known: its number times
    1 / inclusion. Within it the labels have a Dirichlet posterior over those that occur, and the
    true values of each label one with a prior of 1 in all. So a stratum in which no error was seen
    still may hold some, which a variance of what was seen leaves out. Counts are reduced by
    images over samples. Source of the stratified form: Gelman et al., Bayesian Data Analysis,
    section 8.3.
    """
    rng = np.random.default_rng(_SEED)
    k = len(judged.values)
    joint = np.zeros((draws, k, k))
    reduced = judged.cluster_ids.n_unique() / len(judged.true)
    for weight in np.unique(judged.weights):
        rows = judged.weights == weight
        part = rows.sum() * weight / judged.weights.sum()
        cells = np.bincount(judged.true[rows] * k + judged.given[rows], minlength=k * k)
        counts = reduced * cells.reshape(k, k)[:-1]  # nothing is truly "unknown"
        labels = np.flatnonzero(counts.sum(axis=0))
        shares = rng.dirichlet(counts[:, labels].sum(axis=0), draws)
        for label, share in zip(labels, shares.T, strict=True):
            true = rng.dirichlet(counts[:, label] + 1 / (k - 1), draws)
            joint[:, :-1, label] += part * share[:, None] * true
    return joint


def _encode(names: pl.Series, codes: dict[str, int]) -> Ints:
    return names.replace_strict(codes, return_dtype=pl.Int64).to_numpy()

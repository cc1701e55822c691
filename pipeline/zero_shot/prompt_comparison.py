"""Prompts compared on the same images: exact McNemar tests, and a choice judged on other images."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.arrays import Array, Floats, Ints, Mask
from pipeline.statistics.estimates import Interval
from pipeline.statistics.intervals import Z, wilson_interval
from pipeline.statistics.p_values import adjust_holm

ALPHA = 0.05


@dataclass(frozen=True)
class PromptPairs:
    """All pairs of m prompts on the same n images.

    right: (m,) how many images each is right about. only: (m, m) how many images the first is
    right about and the second is not. p: (m, m) of McNemar's exact test, two-sided; p_holm: Holm's
    over all m (m - 1) / 2 pairs; 1 on the diagonal.
    """

    n: int
    right: Ints
    only: Ints
    p: Floats
    p_holm: Floats

    @property
    def best(self) -> int:
        """The prompt that is right most often, the first of equals."""
        return int(self.right.argmax())

    @property
    def shown(self) -> list[tuple[int, int]]:
        """The pairs, better first, of which a difference is shown."""
        better = (self.p_holm < ALPHA) & (self.only > self.only.T)
        return [(int(one), int(other)) for one, other in np.argwhere(better)]

    def list_equals(self) -> list[int]:
        """Return the prompts that the best one is not shown to exceed, with it, best first."""
        same = np.flatnonzero(self.p_holm[self.best] >= ALPHA)
        order = np.argsort(-self.right[same], kind="stable")
        return [int(row) for row in same[order]]

    def subtract(self, one: int, other: int) -> tuple[float, Interval]:
        """Return the difference of two accuracies, with its 95 % interval.

        Wald's for pairs, with half an image added to each cell (Agresti and Min, Statistics in
        Medicine 24, 2005).
        """
        b, c, total = self.only[one, other] + 0.5, self.only[other, one] + 0.5, self.n + 2.0
        half = Z * float(np.sqrt(b + c - (b - c) ** 2 / total)) / total
        middle = (b - c) / total
        ends = (float(max(middle - half, -1.0)), float(min(middle + half, 1.0)))
        return float(self.right[one] - self.right[other]) / self.n, ends


@dataclass(frozen=True)
class ChosenPrompt:
    """The prompt that does best on one half of the images, judged on the other.

    best: its place among the prompts. chosen_accuracy: on the half that it was chosen on. n,
    accuracy and interval (Wilson's, 95 %): on the other half; reference: of what it is compared
    with, there; p: of McNemar's exact test of the two, there.
    """

    best: int
    chosen_accuracy: float
    n: int
    accuracy: float
    interval: Interval
    reference: float
    p: float


def compare_prompts(right: Mask) -> PromptPairs:
    """Compare every two of m prompts. right: (m, n) whether each is right about each image.

    Holm's correction is over all pairs, since which prompt is best is known from the same images.
    """
    numbers = right.astype(np.float64)
    only = (numbers @ (1.0 - numbers).T).round().astype(np.int64)  # whole numbers: exact
    p = find_mcnemar_p(only, only.T)
    upper = np.triu_indices(len(right), 1)
    holm = np.ones_like(p)
    holm[upper] = adjust_holm(p[upper])
    return PromptPairs(
        right.shape[1], right.sum(axis=1).astype(np.int64), only, p, np.minimum(holm, holm.T)
    )


def find_mcnemar_p(better: Array, worse: Array) -> Floats:
    """Return two-sided p of McNemar's exact test (Psychometrika 12, 1947): a binomial of 1/2.

    better, worse: how many images only one of the two is right about; p is 1 where there are none.
    """
    tail = stats.binom.cdf(np.minimum(better, worse), better + worse, 0.5)
    p: Floats = np.minimum(2.0 * tail, 1.0)
    return p


def choose_on_half(right: Mask, groups: Ints, *, reference: Mask, seed: int) -> ChosenPrompt:
    """Choose the best prompt on a random half of the images, judge it on the other.

    right: (m, n). groups: (n,) the image that each sample is of; those of one stay together.
    reference: (n,) whether what the chosen one is compared with is right. At least two groups.
    """
    names = np.unique(groups)
    drawn = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
    first = np.isin(groups, drawn)
    best = int(right[:, first].sum(axis=1).argmax())
    own, base = right[best][~first], reference[~first]
    low, high = wilson_interval(np.array([float(own.sum())]), np.array([len(own)]))
    return ChosenPrompt(
        best=best,
        chosen_accuracy=float(right[best][first].mean()),
        n=len(own),
        accuracy=float(own.mean()),
        interval=(float(low[0]), float(high[0])),
        reference=float(base.mean()),
        p=float(find_mcnemar_p((own & ~base).sum(), (~own & base).sum())),
    )

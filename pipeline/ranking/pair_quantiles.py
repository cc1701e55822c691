"""How cosines of pairs are spread: quantiles and histograms of pairs drawn at random."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.ranking.pair_search import measure_cosines

PAIRS = 100_000
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = np.linspace(-1.0, 1.0, 81)
_TRIES = 20


@dataclass(frozen=True)
class Spread:
    """Cosines of two kinds of pairs: those that belong together, and others.

    inner, inter: (pairs,) cosines; none where there is no such pair.
    """

    inner: Floats
    inter: Floats

    @property
    def separation(self) -> float:
        """How often an inner pair is more alike than an inter one, ties half; NaN without pairs.

        The area under the ROC curve, by the ranks of Mann and Whitney, 1947.
        """
        if not len(self.inner) or not len(self.inter):
            return float("nan")
        ordered = np.sort(self.inter)
        below = np.searchsorted(ordered, self.inner, side="left")
        above = np.searchsorted(ordered, self.inner, side="right")
        return float(((below + above) / 2).mean() / len(ordered))


def find_quantiles(cosines: Floats) -> list[float | None]:
    """Return the quantiles of LEVELS, null without a pair."""
    return [None] * len(LEVELS) if not len(cosines) else np.quantile(cosines, LEVELS).tolist()


def spread_classes(
    vectors: NDArray[np.float32],
    classes: Ints,
    groups: Ints,
    *,
    pairs: int = PAIRS,
    seed: int = 0,
) -> Spread:
    """Return the cosines of pairs of one class and of two, drawn with replacement.

    vectors, classes, groups: as of `measure_classes`; every pair of two images is as likely.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(classes, kind="stable")
    sizes = np.bincount(classes)
    starts = np.cumsum(sizes) - sizes
    able = (sizes - 1) * sizes  # ordered pairs

    def draw_inner(count: int) -> tuple[Ints, Ints]:
        codes = rng.choice(len(sizes), count, p=able / able.sum())
        one = order[starts[codes] + rng.integers(0, sizes[codes])]
        return one, order[starts[codes] + rng.integers(0, sizes[codes])]

    def draw_inter(count: int) -> tuple[Ints, Ints]:
        one, other = rng.integers(0, len(classes), (2, count))
        apart = classes[one] != classes[other]
        return one[apart], other[apart]

    found = []
    for possible, draw in ((able.sum() > 0, draw_inner), ((sizes > 0).sum() > 1, draw_inter)):
        parts: list[Floats] = []
        for _ in range(_TRIES if possible else 0):
            one, other = draw(pairs)
            apart = groups[one] != groups[other]
            parts.append(measure_cosines(vectors, one[apart], other[apart]))
            if sum(map(len, parts)) >= pairs:
                break
        found.append(np.concatenate([np.zeros(0), *parts])[:pairs])
    return Spread(*found)

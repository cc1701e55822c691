"""What words without any bearing on groups do on the same images: the null of a pair of words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.probes.contrast import Contrast

_DRAWS = 2000  # families of neutral pairs


@dataclass(frozen=True)
class WordNull:
    """The size of d of neutral pairs on the rows of one contrast.

    all_pairs: (k, k) absolute d of each pair of k nouns, NaN on the diagonal. drawn: (q,) absolute
    d of the pairs that p counts.
    """

    all_pairs: Floats
    drawn: Floats

    @property
    def edge(self) -> float:
        """The size of d that one neutral pair in twenty reaches."""
        return float(np.quantile(self.drawn, 0.95))

    @property
    def median(self) -> float:
        """The size of d that every second neutral pair reaches."""
        return float(np.median(self.drawn))

    def count_p(self, d: Floats) -> Floats:
        """Return (p,) the share of neutral pairs whose d is at least as large, the pair among them.

        The rank test of one pair among exchangeable ones (Davison and Hinkley, Bootstrap Methods,
        1997, section 4.2). NaN stays NaN.
        """
        reached = (self.drawn[:, None] >= np.abs(d)[None, :]).sum(axis=0)
        p: Floats = np.where(np.isnan(d), np.nan, (1 + reached) / (1 + len(self.drawn)))
        return p


def draw_word_null(
    cosines: Floats, contrast: Contrast, *, pairs: int = 400, seed: int = 0
) -> WordNull:
    """Measure d of neutral pairs on the rows of a contrast.

    cosines: (n, k) of these rows with k neutral nouns, each by the mean of the same templates as
    the probes. pairs: drawn without repetition, at most all there are.
    """
    shift = contrast.weights @ cosines  # (k,)
    covariance = np.cov(cosines, rowvar=False, ddof=1)  # (k, k)
    own = np.diag(covariance)
    variance = own[:, None] + own[None, :] - 2 * covariance
    np.fill_diagonal(variance, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.abs(shift[:, None] - shift[None, :]) / np.sqrt(np.maximum(variance, 1e-300))
    upper = np.triu_indices(len(shift), k=1)
    places = np.random.default_rng(seed).permutation(len(upper[0]))[:pairs]
    return WordNull(sizes, sizes[upper][places])


def adjust_family(
    sizes: Floats, nulls: Sequence[WordNull], owners: Ints, places: Ints, *, seed: int = 0
) -> Floats:
    """Return (p,) p-values of all pairs together, as if none differed from neutral pairs.

    sizes: (p,) absolute d. nulls: of each contrast and templates. owners: (p,) which null each is
    compared with. places: (p,) which pair of words each is of; several where there are several
    contrasts. Each draw puts a neutral pair in the place of each pair of words, all of different
    nouns, and keeps the maximum; sizes count in units of the `edge` of their null. Step-down max-T
    (Westfall and Young, Resampling-based Multiple Testing, 1993, algorithm 2.8).
    """
    edges = np.array([null.edge for null in nulls])
    scaled = np.nan_to_num(sizes / edges[owners], nan=0.0)
    order = np.argsort(-scaled, kind="stable")
    drawn = _draw_families(nulls, edges, owners, places, seed=seed)[:, order]
    # In each draw the maximum over a pair and all that are smaller than it.
    maxima = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
    p = (1 + (maxima >= scaled[order][None, :]).sum(axis=0)) / (1 + len(drawn))
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p)
    return np.where(np.isnan(sizes), np.nan, adjusted)


def _draw_families(
    nulls: Sequence[WordNull], edges: Floats, owners: Ints, places: Ints, *, seed: int
) -> Floats:
    """Return (draws, p) scaled sizes of neutral pairs in the place of the pairs."""
    rng = np.random.default_rng([seed, 1])
    count, nouns = int(places.max(initial=0)) + 1, len(nulls[0].all_pairs)
    rounds = -(-2 * count // nouns)  # nouns come again only where there are too few
    drawn = np.empty((_DRAWS, len(owners)))
    for draw in range(_DRAWS):
        order = np.concatenate([rng.permutation(nouns) for _ in range(rounds)])
        first, second = order[0 : 2 * count : 2], order[1 : 2 * count : 2]
        sizes = np.stack([null.all_pairs[first, second] for null in nulls]) / edges[:, None]
        drawn[draw] = np.nan_to_num(sizes, nan=0.0)[owners, places]
    return drawn

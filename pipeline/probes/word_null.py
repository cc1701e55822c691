"""What words without any bearing on groups do on the same images: the null of a pair of words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.probes.contrast import LEAST_SPREAD, Contrast

LEAST_PAIRS = 100  # of neutral nouns that an encoder tells apart
_DRAWS = 2000  # families of neutral pairs


@dataclass(frozen=True)
class WordNull:
    """The size of d of neutral pairs on the rows of one contrast.

    all_pairs: (k, k) absolute d of each pair of k nouns, NaN where the encoder gives both nouns one
    vector. drawn: (q,) absolute d of the pairs that p counts; none where too few differ.
    """

    all_pairs: Floats
    drawn: Floats

    @property
    def edge(self) -> float:
        """The size of d that one neutral pair in twenty reaches."""
        return float(np.quantile(self.drawn, 0.95)) if len(self.drawn) else float("nan")

    @property
    def median(self) -> float:
        """The size of d that every second neutral pair reaches."""
        return float(np.median(self.drawn)) if len(self.drawn) else float("nan")

    def count_p(self, d: Floats) -> Floats:
        """Return (p,) the share of neutral pairs whose d is at least as large, the pair among them.

        The rank test of one pair among exchangeable ones (Davison and Hinkley, Bootstrap Methods,
        1997, section 4.2). NaN stays NaN, and is all there is without neutral pairs.
        """
        reached = (self.drawn[:, None] >= np.abs(d)[None, :]).sum(axis=0)
        unknown = np.isnan(d) | (len(self.drawn) == 0)
        p: Floats = np.where(unknown, np.nan, (1 + reached) / (1 + len(self.drawn)))
        return p


def draw_word_null(
    cosines: Floats, contrast: Contrast, *, pairs: int = 400, seed: int = 0
) -> WordNull:
    """Measure d of neutral pairs on the rows of a contrast.

    cosines: (n, k) of these rows with k neutral nouns, each by the mean of the same templates as
    the probes. pairs: drawn without repetition, of nouns that the encoder tells apart; none where
    these are fewer than LEAST_PAIRS.
    """
    shift = contrast.weights @ cosines  # (k,)
    covariance = np.cov(cosines, rowvar=False, ddof=1)  # (k, k)
    own = np.diag(covariance)
    variance = own[:, None] + own[None, :] - 2 * covariance
    variance[variance <= LEAST_SPREAD**2] = np.nan
    np.fill_diagonal(variance, np.nan)
    sizes = np.abs(shift[:, None] - shift[None, :]) / np.sqrt(variance)
    upper = sizes[np.triu_indices(len(shift), k=1)]
    known = upper[~np.isnan(upper)]
    places = np.random.default_rng(seed).permutation(len(known))[:pairs]
    return WordNull(sizes, known[places] if len(known) >= LEAST_PAIRS else known[:0])


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
    unknown = np.isnan(sizes) | np.isnan(edges[owners])
    return np.where(unknown, np.nan, adjusted)


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
        sizes = np.stack([_take(null, first, second, rng) for null in nulls]) / edges[:, None]
        drawn[draw] = np.nan_to_num(sizes, nan=0.0)[owners, places]
    return drawn


def _take(null: WordNull, first: Ints, second: Ints, rng: np.random.Generator) -> Floats:
    """Return the sizes of some pairs; others in place of those that the encoder takes for one."""
    sizes = null.all_pairs[first, second]
    same = np.isnan(sizes)
    if same.any() and len(null.drawn):
        sizes[same] = rng.choice(null.drawn, int(same.sum()))
    return sizes

"""Mean cosines of all pairs within and between classes, from sums of vectors, with intervals.

No pair is formed: the sum of the products of all pairs of two sets is the product of their sums.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.tables import Schema, check

CLASS_SIMILARITY: Schema = {  # one row a class, first all together with a null class
    "class": pl.String(),
    "samples": pl.Int64(),
    "inner": pl.Float64(),  # mean cosine of pairs of the class; null without one
    "inner_low": pl.Float64(),  # 95 %; null below FEWEST_IMAGES
    "inner_high": pl.Float64(),
    "inter": pl.Float64(),  # mean cosine of its samples with those of other classes
    "inter_low": pl.Float64(),
    "inter_high": pl.Float64(),
    "gap": pl.Float64(),  # inner - inter
    "gap_low": pl.Float64(),
    "gap_high": pl.Float64(),
}
DRAWS = 400
FEWEST_IMAGES = 10  # of a class, for an interval: percentiles of fewer are too narrow
_FEWEST = 0.95  # of the draws that must hold a pair, for an interval
_PIECE = 16_384  # rows whose weights in all draws are in memory at a time
_NAMES = ("inner", "inter", "gap")


@dataclass(frozen=True)
class _Sums:
    """Sums of pairs of classes, one column for the data as they are or one a draw of weights.

    inner, inter: (c, b) sums of products; inner_pairs, inter_pairs: (c, b) how many.
    """

    inner: Floats
    inner_pairs: Floats
    inter: Floats
    inter_pairs: Floats

    def average(self) -> dict[str, Floats]:
        """Return (c + 1, b) means, those of all classes together first; NaN without a pair."""
        inner = _divide(_put_total(self.inner), _put_total(self.inner_pairs))
        inter = _divide(_put_total(self.inter), _put_total(self.inter_pairs))
        return {"inner": inner, "inter": inter, "gap": inner - inter}


@dataclass(frozen=True)
class _Members:
    """The vectors of each class and image, added up: k rows by class.

    classes, groups: (k,) codes. vectors: (k, d). counts: (k,). rest, rest_counts: (k,) products of
    a row, and of its count, with those of other classes of its image.
    """

    classes: Ints
    groups: Ints
    vectors: Floats
    counts: Floats
    rest: Floats
    rest_counts: Floats


def measure_classes(
    vectors: NDArray[np.float32],
    classes: Ints,
    groups: Ints,
    names: tuple[str, ...],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> pl.DataFrame:
    """Return CLASS_SIMILARITY of vectors by their classes.

    vectors: (n, d) of unit length. classes: (n,) codes into names. groups: (n,) the image of each;
    pairs of one image do not count, and images are drawn anew for the intervals, which are those of
    the percentiles (Efron, 1979) with Poisson weights of mean 1 in place of counts (Hanley and
    MacGibbon, 2006). The means are U-statistics: pairs of a sample with itself do not count, nor
    those of two copies of an image in a draw.
    """
    members = _add_members(vectors, classes, groups)
    count = int(groups.max()) + 1
    ones = np.ones((1, count), dtype=np.float64)
    means = _sum_pairs(members, ones, len(names)).average()
    weights = np.random.default_rng(seed).poisson(1.0, (draws, count)).astype(np.int8)
    drawn = _sum_pairs(members, weights, len(names)).average()
    sizes = np.bincount(classes, minlength=len(names))
    columns: dict[str, object] = {
        "class": [None, *names],
        "samples": [int(sizes.sum()), *sizes.tolist()],
    }
    few = np.r_[False, np.bincount(members.classes, minlength=len(names)) < FEWEST_IMAGES]
    for name in _NAMES:
        low, high = find_ends(drawn[name])
        low[few], high[few] = np.nan, np.nan
        columns |= {name: means[name][:, 0], f"{name}_low": low, f"{name}_high": high}
    frame = pl.DataFrame(columns, schema=dict(CLASS_SIMILARITY)).fill_nan(None)
    return check(frame, CLASS_SIMILARITY, table="class similarity")


def find_ends(drawn: Floats) -> tuple[Floats, Floats]:
    """Return the 2.5th and 97.5th percentile of each row of (c, b) draws.

    NaN where fewer than 95 % of the draws have a number.
    """
    low, high = np.full(len(drawn), np.nan), np.full(len(drawn), np.nan)
    enough = np.isfinite(drawn).mean(axis=1) >= _FEWEST
    if enough.any():
        low[enough], high[enough] = np.nanquantile(drawn[enough], [0.025, 0.975], axis=1)
    return low, high


def _add_members(vectors: NDArray[np.float32], classes: Ints, groups: Ints) -> _Members:
    order = np.lexsort((groups, classes))
    codes, images = classes[order], groups[order]
    starts = np.flatnonzero(np.r_[True, (codes[1:] != codes[:-1]) | (images[1:] != images[:-1])])
    sums = np.add.reduceat(vectors[order], starts, axis=0, dtype=np.float64)
    counts = np.diff(np.r_[starts, len(order)]).astype(np.float64)
    own = images[starts]
    whole = np.zeros((int(groups.max()) + 1, vectors.shape[1]))
    np.add.at(whole, own, sums)
    rest = np.einsum("ij,ij->i", sums, whole[own]) - np.einsum("ij,ij->i", sums, sums)
    return _Members(
        classes=codes[starts],
        groups=own,
        vectors=sums,
        counts=counts,
        rest=rest,
        rest_counts=counts * (np.bincount(own, counts)[own] - counts),
    )


def _sum_pairs(members: _Members, weights: NDArray[Any], count: int) -> _Sums:
    """Sum the products of all pairs; weights: (b, images)."""
    bounds = np.searchsorted(members.classes, np.arange(count + 1))
    draws, width = len(weights), members.vectors.shape[1]
    total, size = np.zeros((draws, width)), np.zeros(draws)
    for code in range(count):
        for part, own in _weigh(members, weights, bounds, code):
            total += own @ members.vectors[part]
            size += own @ members.counts[part]
    out = {name: np.zeros((count, draws)) for name in _Sums.__dataclass_fields__}
    summed, n = np.zeros((draws, width)), np.zeros(draws)
    for code in range(count):
        summed[:], n[:] = 0, 0
        for part, own in _weigh(members, weights, bounds, code):
            summed += own @ members.vectors[part]
            n += own @ members.counts[part]
            square = own**2
            out["inner"][code] -= square @ _square(members.vectors[part])
            out["inner_pairs"][code] -= square @ members.counts[part] ** 2
            out["inter"][code] -= square @ members.rest[part]
            out["inter_pairs"][code] -= square @ members.rest_counts[part]
        alone = _square(summed)
        out["inner"][code] += alone
        out["inner_pairs"][code] += n**2
        out["inter"][code] += np.einsum("ij,ij->i", summed, total) - alone
        out["inter_pairs"][code] += n * (size - n)
    return _Sums(**out)


def _weigh(
    members: _Members, weights: NDArray[Any], bounds: Ints, code: int
) -> Iterator[tuple[slice, Floats]]:
    """Yield the rows of a class and their (b, rows) weights, in pieces that fit into memory."""
    for start in range(int(bounds[code]), int(bounds[code + 1]), _PIECE):
        part = slice(start, min(start + _PIECE, int(bounds[code + 1])))
        yield part, weights[:, members.groups[part]].astype(np.float64)


def _square(vectors: Floats) -> Floats:
    products: Floats = np.einsum("ij,ij->i", vectors, vectors)
    return products


def _put_total(values: Floats) -> Floats:
    return np.vstack([values.sum(axis=0), values])


def _divide(sums: Floats, pairs: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, sums / pairs, np.nan)

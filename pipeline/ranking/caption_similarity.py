"""How alike images and captions are: of one image, and of different ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.ranking.pair_means import DRAWS, find_ends
from pipeline.ranking.pair_quantiles import PAIRS, Spread
from pipeline.ranking.pair_search import measure_cosines


@dataclass(frozen=True)
class PairMean:
    """The mean cosine of a kind of pairs, its 95 % interval, and how many there are."""

    mean: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class CaptionSimilarity:
    """Means of five kinds of pairs, and cosines drawn of the two kinds with a caption.

    own: an image and a caption of it. other: an image and a caption of another. captions_own,
    captions_other: two captions of one image, and of two. images: two images.
    """

    own: PairMean
    other: PairMean
    captions_own: PairMean
    captions_other: PairMean
    images: PairMean
    image_caption: Spread
    caption_caption: Spread


def measure_captions(
    images: NDArray[np.float32],
    captions: NDArray[np.float32],
    image_of: Ints,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> CaptionSimilarity:
    """Compare (n, d) unit vectors of images with (m, d) of their captions.

    image_of: (m,) row of the image that each caption is of. Means are over all pairs, from sums;
    intervals draw images anew, with their captions, as `measure_classes` does.
    """
    n = len(images)
    sums = np.zeros((n, captions.shape[1]))
    np.add.at(sums, image_of, captions.astype(np.float64))
    counts = np.bincount(image_of, minlength=n).astype(np.float64)
    wide = images.astype(np.float64)
    parts = _Parts(
        wide, sums, counts,
        own=np.einsum("ij,ij->i", wide, sums),
        square=np.einsum("ij,ij->i", sums, sums),
        image_lengths=np.einsum("ij,ij->i", wide, wide),
        lengths=_sum_by(image_of, np.einsum("ij,ij->i", captions, captions), n),
    )  # fmt: skip
    plain, pairs = parts.average(np.ones((1, n)))
    weights = np.random.default_rng(seed).poisson(1.0, (draws, n)).astype(np.float64)
    low, high = find_ends(parts.average(weights)[0])
    own, other, captions_own, captions_other, two_images = (
        PairMean(float(plain[i, 0]), float(low[i]), float(high[i]), round(float(pairs[i, 0])))
        for i in range(5)
    )
    rng = np.random.default_rng(seed)
    return CaptionSimilarity(
        own=own,
        other=other,
        captions_own=captions_own,
        captions_other=captions_other,
        images=two_images,
        image_caption=_spread(images, captions, np.arange(n), image_of, rng),
        caption_caption=_spread(captions, captions, image_of, image_of, rng),
    )


@dataclass(frozen=True)
class _Parts:
    """What means of pairs are made of: images (n, d), and of each the sum of its captions.

    own: (n,) products of an image and that sum; square: of the sum with itself; lengths: of each
    caption with itself, summed; image_lengths: of each image with itself.
    """

    images: Floats
    sums: Floats
    counts: Floats
    own: Floats
    square: Floats
    lengths: Floats
    image_lengths: Floats

    def average(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return (5, b) means and numbers of pairs with (b, n) weights of images."""
        square = weights**2
        image, caption = weights @ self.images, weights @ self.sums
        n, m = weights.sum(axis=1), weights @ self.counts
        products = np.stack(
            [
                weights @ self.own,
                np.einsum("ij,ij->i", image, caption) - square @ self.own,
                weights @ (self.square - self.lengths) / 2,
                (np.einsum("ij,ij->i", caption, caption) - square @ self.square) / 2,
                (np.einsum("ij,ij->i", image, image) - square @ self.image_lengths) / 2,
            ]
        )
        pairs = np.stack(
            [
                m,
                n * m - square @ self.counts,
                weights @ (self.counts * (self.counts - 1)) / 2,
                (m**2 - square @ self.counts**2) / 2,
                (n**2 - square.sum(axis=1)) / 2,
            ]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pairs > 0, products / pairs, np.nan), pairs


def _sum_by(codes: Ints, values: NDArray[np.float32], count: int) -> Floats:
    sums: NDArray[Any] = np.bincount(codes, values, minlength=count)
    return sums.astype(np.float64)


def _spread(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    left_of: Ints,
    right_of: Ints,
    rng: np.random.Generator,
) -> Spread:
    """Draw pairs of a row of each side: of one image, not the same row twice, and of two images."""
    both = np.vstack([left, right])
    same = left is right
    order = np.argsort(left_of, kind="stable")
    sizes = np.bincount(left_of, minlength=int(right_of.max()) + 1)
    starts = np.cumsum(sizes) - sizes
    other = rng.integers(0, len(right), PAIRS)
    code = right_of[other]
    one = order[starts[code] + rng.integers(0, np.maximum(sizes[code], 1))]
    inner = (sizes[code] > 0) & ~((one == other) & same)
    apart = rng.integers(0, len(left), PAIRS)
    inter = left_of[apart] != code
    return Spread(
        measure_cosines(both, one[inner], other[inner] + len(left)),
        measure_cosines(both, apart[inter], other[inter] + len(left)),
    )

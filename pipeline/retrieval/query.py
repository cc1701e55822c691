"""A query as one vector: words, pictures, both, and what it shall not be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Query:
    """What is searched for.

    vector: (d,); its dot product with a sample is the score, the cosine with what is wanted less
    the cosine with what is not. wanted: (d,) unit, the first alone. kind: of the wanted part.
    """

    vector: Vector
    wanted: Vector
    kind: Literal["text", "image", "mixed"]

    @property
    def reversed(self) -> "Query":
        """The query whose best samples are the least similar ones."""
        return Query(-self.vector, -self.wanted, self.kind)


def make_query(texts: Vector, images: Vector, without: Vector, *, weight: float = 0.5) -> Query:
    """Make a query of (t, d), (i, d) and (m, d) unit vectors, of which t + i is at least one.

    Several texts count as the unit vector of their mean, as several images do; both together as the
    unit vector of `weight` times the texts and the rest times the images. The mean of `without` is
    subtracted.
    """
    parts = [
        share * _average(rows)
        for rows, share in ((texts, weight), (images, 1.0 - weight))
        if len(rows)
    ]
    if not parts:
        raise ValueError("a query needs a text or an image")
    wanted = _to_unit(np.sum(parts, axis=0))
    vector = wanted - _average(without) if len(without) else wanted
    kind: Literal["text", "image", "mixed"] = "mixed"
    if len(parts) == 1:
        kind = "text" if len(texts) else "image"
    return Query(vector.astype(np.float32), wanted.astype(np.float32), kind)


def rank_among(vectors: NDArray[np.float16], wanted: Vector, neutral: Vector) -> Floats:
    """Return (n,) the share of (m, d) neutral vectors that fit each sample less than the query.

    vectors: (n, d) of the samples. Equal fits count half.
    """
    wide = vectors.astype(np.float32)
    own, others = wide @ wanted, wide @ neutral.T
    below = (others < own[:, None]).mean(axis=1)
    equal = (others == own[:, None]).mean(axis=1)
    shares: Floats = (below + 0.5 * equal).astype(np.float64)
    return shares


def choose_diverse(vectors: NDArray[np.float16], top: int, *, distance: float) -> list[int]:
    """Return the first `top` of n ranked samples that are apart from all chosen before them.

    vectors: (n, d), the best first. distance: least 1 - cosine between any two.
    """
    chosen: list[int] = []
    wide = vectors.astype(np.float32)
    nearest = np.full(len(wide), -np.inf, np.float32)  # cosine with the nearest chosen one
    for place in range(len(wide)):
        if len(chosen) == top:
            break
        if nearest[place] <= 1.0 - distance:
            chosen.append(place)
            nearest = np.maximum(nearest, wide @ wide[place])
    return chosen


@dataclass(frozen=True)
class CaptionFit:
    """How well a text fits an image: cosine, and probability beside the other texts."""

    text: str
    cosine: float
    probability: float


def fit_captions(
    image: Vector, texts: Sequence[str], vectors: Vector, *, none: str, none_vectors: Vector,
    logit_scale: float,
) -> list[CaptionFit]:  # fmt: skip
    """Rank (t, d) texts by how well they fit a (d,) image, with `none` as one more choice.

    none_vectors: (m, d) neutral texts; the one that fits best speaks for "none of these".
    Probabilities are the softmax of `logit_scale` times the cosines. Equal ones keep their order.
    """
    cosines = np.append(vectors @ image, (none_vectors @ image).max())
    logits = logit_scale * (cosines - cosines.max())
    weights = np.exp(logits.astype(np.float64))
    shares = weights / weights.sum()
    fits = [
        CaptionFit(text, float(cosine), float(share))
        for text, cosine, share in zip([*texts, none], cosines, shares, strict=True)
    ]
    return sorted(fits, key=lambda fit: -fit.cosine)


def _average(rows: Vector) -> Floats:
    return _to_unit(rows.astype(np.float64).mean(axis=0))


def _to_unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector

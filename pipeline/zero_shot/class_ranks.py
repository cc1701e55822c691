"""How each image ranks the classes: the predicted one, the place of the true one, and ties."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Array, Floats, Ints, Mask
from pipeline.zero_shot.class_vectors import make_unit

_ROWS_AT_ONCE = 8192
_DECIMALS = 9  # rounds away what the order of summation leaves, so that ties are ties


@dataclass(frozen=True)
class ClassRanks:
    """Of n images: the class predicted, and where the true class is.

    predicted: (n,) index of the best class, the first of equals. above: (n,) how many classes
    score higher than the true one; equal_before, equal_after: how many others score the same and
    come before or after it in the order of the classes. All three are -1 where truth is not known.
    """

    predicted: Ints
    above: Ints
    equal_before: Ints
    equal_after: Ints

    def is_right(self, k: int) -> Mask:
        """Return (n,) whether the true class is among the best k; equals in class order."""
        return (self.above >= 0) & (self.above + self.equal_before < k)

    def is_tied(self, k: int) -> Mask:
        """Return (n,) whether that depends on the order of equals."""
        equal = self.equal_before + self.equal_after
        return (self.above >= 0) & (self.above < k) & (self.above + equal >= k)


def rank_classes(vectors: Array, class_vectors: Floats, truth: Ints) -> ClassRanks:
    """Rank the classes of each image by cosine.

    vectors: (n, d) of images. class_vectors: (v, d) of unit length. truth: (n,) index of the true
    class, -1 where it is not known.
    """
    n = len(vectors)
    predicted = np.zeros(n, np.int64)
    above, before, after = (np.full(n, -1, np.int64) for _ in range(3))
    order = np.arange(len(class_vectors))
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        cosines = score_classes(vectors[rows], class_vectors)
        predicted[rows] = cosines.argmax(axis=1)
        known = np.flatnonzero(truth[rows] >= 0)
        true = truth[rows][known]
        own = cosines[known, true][:, None]
        equal = cosines[known] == own
        above[start + known] = (cosines[known] > own).sum(axis=1)
        before[start + known] = (equal & (order < true[:, None])).sum(axis=1)
        after[start + known] = (equal & (order > true[:, None])).sum(axis=1)
    return ClassRanks(predicted, above, before, after)


def score_classes(vectors: Array, class_vectors: Floats) -> Floats:
    """Return (n, v) cosines, rounded so that ties are ties."""
    cosines: Floats = (make_unit(vectors.astype(np.float64)) @ class_vectors.T).round(_DECIMALS)
    return cosines


def weigh_classes(cosines: Floats, *, logit_scale: float) -> Floats:
    """Return (n, v) softmax probabilities at the scale that the encoder was trained with."""
    logits = logit_scale * cosines
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares

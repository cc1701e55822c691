"""How well clusters agree with values that are known of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Ints
from pipeline.clusters.dbscan import NOISE


@dataclass(frozen=True)
class Agreement:
    """Clusters beside known values.

    clusters: how many there are. clustered: share of the samples in one. largest: how many samples
    the largest holds. purity: share of the clustered samples that have the most frequent value of
    their cluster; 1 where every cluster is one sample. above_majority: purity minus what one single
    cluster of the same samples would have. mutual_information: adjusted for chance, of all samples,
    those in no cluster taken as one group. None where nothing is clustered or no values are known.
    """

    clusters: int
    clustered: float
    largest: int
    purity: float | None = None
    above_majority: float | None = None
    mutual_information: float | None = None


def compare_clusters(labels: Ints, values: Sequence[str] | None) -> Agreement:
    """Compare clusters with known values.

    labels: (n,) from 0, NOISE outside of all. values: (n,) or None. Purity: Manning et al.,
    Introduction to Information Retrieval, 2008, 16.3. Adjusted mutual information: Vinh et al.,
    JMLR 11, 2010.
    """
    inside = labels != NOISE
    sizes = np.bincount(labels[inside]) if inside.any() else np.zeros(0, dtype=np.int64)
    share = float(inside.mean()) if len(labels) else 0.0
    counted = Agreement(int((sizes > 0).sum()), share, int(sizes.max(initial=0)))
    if values is None or not inside.any():
        return counted
    from sklearn.metrics import adjusted_mutual_info_score

    _, codes = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    purity = float(_count_most_frequent(labels[inside], codes[inside]).sum() / inside.sum())
    majority = float(np.bincount(codes[inside]).max() / inside.sum())
    return Agreement(
        counted.clusters,
        counted.clustered,
        counted.largest,
        purity,
        purity - majority,
        float(adjusted_mutual_info_score(codes, labels)),
    )


def _count_most_frequent(labels: Ints, codes: Ints) -> Ints:
    """Return for each cluster how many samples have its most frequent value."""
    pairs, counts = np.unique(np.column_stack([labels, codes]), axis=0, return_counts=True)
    best = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    np.maximum.at(best, pairs[:, 0], counts)
    return best

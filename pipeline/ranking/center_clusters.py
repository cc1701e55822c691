"""k-means of vectors, and how far its clusters agree with known classes."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints


@dataclass(frozen=True)
class ClusterAgreement:
    """How clusters agree with classes, over the samples of known class.

    purity: share of samples of the most frequent class of their cluster. majority: share of the
    largest class, the purity of a single cluster. adjusted_information: adjusted mutual
    information, 0 by chance and 1 where they are the same.
    """

    clusters: int
    largest: int
    samples: int
    purity: float
    majority: float
    adjusted_information: float


def cluster_by_centers(vectors: NDArray[np.float32], *, count: int, seed: int) -> Ints:
    """Return (n,) codes of the nearest of `count` centers, by k-means in mini-batches.

    vectors: (n, d). Source: Sculley, Web-scale k-means clustering, WWW 2010.
    """
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=4096)
    codes: Ints = model.fit_predict(vectors).astype(np.int64)
    return codes


def measure_agreement(codes: Ints, classes: Ints) -> ClusterAgreement:
    """Compare (n,) cluster codes with (n,) class codes; samples of class -1 are left out.

    Source of the adjustment: Vinh, Epps and Bailey, JMLR 11, 2010.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    known = classes >= 0
    frame = pl.DataFrame({"cluster": codes[known], "class": classes[known]})
    counts = frame.group_by("cluster", "class").len()
    purest = int(counts.group_by("cluster").agg(pl.col("len").max())["len"].sum())
    majority = int(frame.group_by("class").len()["len"].max() or 0)  # type: ignore[arg-type]  # counts are numbers
    return ClusterAgreement(
        clusters=len(np.unique(codes)),
        largest=int(np.bincount(codes).max()),
        samples=frame.height,
        purity=purest / frame.height,
        majority=majority / frame.height,
        adjusted_information=float(adjusted_mutual_info_score(frame["class"], frame["cluster"])),
    )

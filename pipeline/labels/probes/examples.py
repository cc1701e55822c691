"""What a probe is trained on: samples whose true value of one attribute is known."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Array, Floats, Ints, Mask

LEAST = 5  # examples of a value, in images of their own; values with fewer are left out
FOLDS = 10


@dataclass(frozen=True)
class Examples:
    """The n samples whose true value of one attribute is known, in the order of sample_ids.

    vectors: (n, d) unit-length, of one encoder. values: (n,) true values. inclusion: (n,) in
    (0, 1], the probability with which each was drawn. cluster_ids: (n,) what samples have in common
    that makes them alike: their image, or the person in it.
    """

    sample_ids: pl.Series
    vectors: Floats
    values: pl.Series
    inclusion: Floats
    cluster_ids: pl.Series

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def weights(self) -> Floats:
        """(n,) how many samples of the audit each one is drawn for, 1 on average."""
        inverse = 1.0 / self.inclusion
        return np.asarray(inverse / inverse.mean(), np.float64)

    def select(self, rows: Mask) -> "Examples":
        """Return some of them."""
        return Examples(
            self.sample_ids.filter(pl.Series(rows)),
            self.vectors[rows],
            self.values.filter(pl.Series(rows)),
            self.inclusion[rows],
            self.cluster_ids.filter(pl.Series(rows)),
        )

    def hash_content(self, encoder_id: str) -> str:
        """Return 16 hex digits of the samples, their values, how they were drawn, their vectors."""
        columns = (self.sample_ids, self.values, self.inclusion.tolist(), self.cluster_ids)
        digest = hashlib.sha256(encoder_id.encode())
        digest.update("\n".join(repr(row) for row in zip(*columns, strict=True)).encode())
        digest.update(self.vectors.astype(np.float32).tobytes())
        return digest.hexdigest()[:16]


def make_examples(
    known: pl.DataFrame, vectors: Array, *, cluster_ids: pl.Series | None = None
) -> Examples:
    """Make the examples of one attribute, ordered by sample_id.

    known: (n) rows of sample_id, value and inclusion, as `summarize_checks` returns them; a null
    inclusion counts as the mean of the others. vectors: (n, d) of any length but 0, row by row.
    cluster_ids: (n,); every sample is alone without them.
    """
    order = known["sample_id"].arg_sort().to_numpy()
    exact = np.asarray(vectors, np.float64)[order]
    drawn = known["inclusion"].cast(pl.Float64)
    drawn = drawn.fill_null(drawn.mean() or 1.0)
    clusters = known["sample_id"] if cluster_ids is None else cluster_ids
    return Examples(
        known["sample_id"].gather(order),
        exact / np.linalg.norm(exact, axis=1, keepdims=True),
        known["value"].gather(order),
        drawn.to_numpy()[order],
        clusters.cast(pl.String).gather(order),
    )


def split_values(
    examples: Examples, values: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the values with enough examples, in the given order, and the others.

    values: those that the attribute names. Of the others the number of clusters with an example,
    those among them that occur at all.
    """
    frame = pl.DataFrame({"value": examples.values, "cluster": examples.cluster_ids})
    counts = dict(frame.group_by("value").agg(pl.col("cluster").n_unique()).iter_rows())
    enough = tuple(value for value in values if counts.get(value, 0) >= LEAST)
    few = {value: n for value, n in sorted(counts.items()) if value not in enough}
    return enough, few


def assign_folds(codes: Ints, cluster_ids: pl.Series, *, seed: int, folds: int = FOLDS) -> Ints:
    """Return (n,) the fold of each sample; samples of a cluster share one.

    codes: (n,) the value of each sample. Clusters are dealt out in turn, ordered by the rarest
    value that they hold, so that all folds hold about as many samples of each value.
    """
    frame = pl.DataFrame({"code": codes, "cluster": cluster_ids})
    counts = np.bincount(codes)
    clusters = (
        frame.with_columns(count=pl.Series(counts[codes]))
        .group_by("cluster")
        .agg(pl.col("code").sort_by("count", "code").first())
        .sort("cluster")
    )
    shuffled = np.random.default_rng(seed).permutation(clusters.height)
    rarity = np.lexsort((np.arange(len(counts)), counts)).argsort()  # the rarest value first
    order = shuffled[np.argsort(rarity[clusters["code"].to_numpy()[shuffled]], kind="stable")]
    of_cluster = np.empty(clusters.height, np.int64)
    of_cluster[order] = np.arange(clusters.height) % folds
    lookup = clusters.with_columns(fold=pl.Series(of_cluster)).select("cluster", "fold")
    return frame.join(lookup, on="cluster", how="left", maintain_order="left")["fold"].to_numpy()

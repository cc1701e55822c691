"""Groups of samples that are nearly equal, and which of them are in several splits."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.arrays import Ints
from pipeline.ranking.pair_search import find_pairs, measure_cosines
from pipeline.ranking.region_pooling import to_unit
from pipeline.tables import Schema, check

EXACT, NEAR = "exact", "near"
DUPLICATES: Schema = {  # one row a sample of a group, by group, then likeness
    "group": pl.Int64(),  # from 1, across splits first, then largest first
    "kind": pl.String(),  # exact: all members have the same pixels; near
    "across_splits": pl.Boolean(),  # whether members are of different splits
    "size": pl.Int64(),  # members
    "contents": pl.Int64(),  # different pixels among them
    "sample_id": pl.String(),
    "path": pl.String(),
    "annotation_id": pl.String(),  # null of whole images
    "split": pl.String(),  # null where not known
    "copy_of": pl.String(),  # sample_id of the first member of equal pixels, null of that one
    "cosine": pl.Float64(),  # with the most typical member of the group, 1 of that one
    "least_cosine": pl.Float64(),  # of the group: the lowest with its most typical member
}


def link_near(vectors: NDArray[Any], *, least: float) -> Ints:
    """Return (n,) codes of groups: rows that a chain of pairs with such a cosine connects.

    vectors: as of `find_pairs`. least: of a pair, above 0. Memory as of `find_pairs`.
    """
    roots = np.arange(len(vectors))
    for one, other in find_pairs(vectors, least=least):
        roots = _merge(roots, one, other)
    return roots


def _merge(roots: Ints, one: Ints, other: Ints) -> Ints:
    """Return the least row of each group after these pairs are connected."""
    left, right = roots[one], roots[other]
    apart = left != right
    if not apart.any():
        return roots
    ends, codes = np.unique(np.concatenate([left[apart], right[apart]]), return_inverse=True)
    half = len(codes) // 2
    links = coo_array((np.ones(half), (codes[:half], codes[half:])), shape=(len(ends), len(ends)))
    _, parts = connected_components(links, directed=False)
    least = np.full(int(parts.max()) + 1, len(roots))
    np.minimum.at(least, parts, ends)
    renamed = np.arange(len(roots))
    renamed[ends] = least[parts]
    merged: Ints = renamed[roots]
    return merged


def list_duplicates(
    samples: pl.DataFrame, keys: pl.Series, vectors: NDArray[Any], codes: Ints
) -> pl.DataFrame:
    """Return DUPLICATES: the groups of at least two samples.

    samples: sample_id, content_key, path, annotation_id and split, one row a sample. keys: (n,)
    content keys of the (n, d) vectors, each once, and the group of each by codes. Samples of one
    key have the same pixels; those without a vector are compared by key alone.
    """
    linked = pl.DataFrame({"content_key": keys, "code": codes, "row": range(len(keys))})
    rows = samples.select("sample_id", "content_key", "path", "annotation_id", "split").join(
        linked, on="content_key", how="left"
    )
    own = pl.concat_str(pl.lit("content "), "content_key")
    rows = rows.with_columns(
        code=pl.coalesce(pl.concat_str(pl.lit("code "), pl.col("code").cast(pl.String)), own)
    )
    rows = rows.filter(pl.len().over("code") > 1).sort("code", "path", "sample_id")
    if rows.is_empty():
        return pl.DataFrame(schema=dict(DUPLICATES))
    rows = rows.with_columns(
        size=pl.len().over("code").cast(pl.Int64),
        contents=pl.col("content_key").n_unique().over("code").cast(pl.Int64),
        across_splits=pl.col("split").drop_nulls().n_unique().over("code") > 1,
        first=pl.col("sample_id").first().over("content_key"),
        cosine=pl.Series(_compare_with_typical(rows, vectors), dtype=pl.Float64),
    )
    rows = rows.with_columns(
        kind=pl.when(pl.col("contents") > 1).then(pl.lit(NEAR)).otherwise(pl.lit(EXACT)),
        copy_of=pl.when(pl.col("first") != pl.col("sample_id")).then("first"),
        least_cosine=pl.col("cosine").min().over("code"),
    )
    order = ["across_splits", "size", "code"]
    rows = rows.sort(
        *order, "cosine", "path", "sample_id", descending=[True, True, False, True, False, False]
    )
    rows = rows.with_columns(group=pl.col("code").rle_id().cast(pl.Int64) + 1)
    return check(rows.select(list(DUPLICATES)), DUPLICATES, table="duplicates")


def _compare_with_typical(rows: pl.DataFrame, vectors: NDArray[Any]) -> list[float]:
    """Return (m,) cosines with the member nearest to the sum of its group, rows by group."""
    cosines: list[float] = []
    for (_,), part in rows.group_by("code", maintain_order=True):
        place = part["row"].to_numpy() if part["row"].null_count() == 0 else None
        if place is None:  # equal pixels without a vector
            cosines += [1.0] * part.height
            continue
        place = place.astype(np.int64)
        unit = to_unit(vectors[place].astype(np.float32))
        typical = place[int(np.argmax(unit @ unit.sum(axis=0)))]
        cosines += measure_cosines(vectors, place, np.full_like(place, typical)).tolist()
    return cosines

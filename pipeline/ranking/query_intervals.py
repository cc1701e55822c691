"""Means over queries with intervals: as a whole, by class, and against another ranking."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints
from pipeline.ranking.retrieval_precision import CUTS
from pipeline.tables import Schema, check

RANKINGS: Schema = {  # one row a protocol and class; a null class is all of them
    "protocol": pl.String(),
    "class": pl.String(),
    "queries": pl.Int64(),  # with a relevant sample
    "without_relevant": pl.Int64(),  # queries that nothing could be found for, left out
    "mean_average_precision": pl.Float64(),  # null without queries
    "ci_low": pl.Float64(),  # 95 %, null below two clusters
    "ci_high": pl.Float64(),
    **{f"precision_at_{cut}": pl.Float64() for cut in CUTS},
    "chance": pl.Float64(),
}
FEWEST_CLASSES = 20  # from which classes are drawn anew, not their queries
_DRAWN = 1_000_000  # clusters drawn at a time
_MEANS = ("average_precision", *(f"precision_at_{cut}" for cut in CUTS), "chance")


def summarize_queries(
    judged: pl.DataFrame, groups: Ints, *, draws: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """Return RANKINGS of JUDGED_QUERIES: all queries, then each class.

    groups: (n,) codes by row of the samples: queries of one group, as cut from one image, are drawn
    together. The interval is that of the percentiles of means of `draws` samples drawn anew with
    replacement (Efron, 1979): of whole classes, whose queries look for one another, where there are
    at least FEWEST_CLASSES; else, and within a class, of groups.
    """
    rows = []
    for protocol in judged["protocol"].unique(maintain_order=True):
        own = judged.filter(pl.col("protocol") == protocol)
        rows.append(_summarize(own, _choose_clusters(own, groups), protocol, None, draws, seed))
        for name in own["class"].unique().sort():
            part = own.filter(pl.col("class") == name)
            clusters = groups[part["query"].to_numpy()]
            rows.append(_summarize(part, clusters, protocol, name, draws, seed))
    return check(pl.DataFrame(rows, schema=dict(RANKINGS)), RANKINGS, table="rankings")


def compare_rankings(
    judged: pl.DataFrame, other: pl.DataFrame, groups: Ints, *, draws: int = 2000, seed: int = 0
) -> dict[str, tuple[float, float, float]]:
    """Return by protocol the mean of `judged` minus `other`, and its 95 % interval.

    Both are JUDGED_QUERIES of the same queries; the difference of each query is drawn anew, as in
    `summarize_queries`.
    """
    name = "average_precision"
    pairs = judged.select("query", "protocol", "class", name).join(
        other.select("query", "protocol", before=name), on=["query", "protocol"], how="inner"
    )
    found = {}
    for protocol in pairs["protocol"].unique(maintain_order=True):
        own = pairs.filter((pl.col("protocol") == protocol) & pl.col(name).is_not_nan())
        change = (own[name] - own["before"]).to_numpy()
        low, high = resample_mean(change, _choose_clusters(own, groups), draws=draws, seed=seed)
        found[protocol] = (float(change.mean()), low, high)
    return found


def resample_mean(values: Floats, clusters: Ints, *, draws: int, seed: int) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of means of whole clusters drawn anew.

    values, clusters: (n,). NaN below two clusters.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    sums, sizes = np.bincount(codes, values), np.bincount(codes)
    count = len(sums)
    if count < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    step = max(_DRAWN // count, 1)
    means = []
    for start in range(0, draws, step):
        drawn = rng.integers(0, count, (min(step, draws - start), count))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(low), float(high)


def _choose_clusters(judged: pl.DataFrame, groups: Ints) -> Ints:
    if judged["class"].n_unique() >= FEWEST_CLASSES:
        ranked: Ints = judged["class"].rank("dense").cast(pl.Int64).to_numpy()
        return ranked
    own: Ints = groups[judged["query"].to_numpy()]
    return own


def _summarize(
    judged: pl.DataFrame, clusters: Ints, protocol: str, name: str | None, draws: int, seed: int
) -> dict[str, object]:
    there = judged["average_precision"].is_not_nan().to_numpy()
    found = judged.filter(pl.Series(there))
    values = found["average_precision"].to_numpy()
    low, high = resample_mean(values, clusters[there], draws=draws, seed=seed)
    means = {column: None if found.is_empty() else found[column].mean() for column in _MEANS}
    return {
        "protocol": protocol,
        "class": name,
        "queries": found.height,
        "without_relevant": judged.height - found.height,
        "mean_average_precision": means.pop("average_precision"),
        "ci_low": None if np.isnan(low) else low,
        "ci_high": None if np.isnan(high) else high,
        **means,
    }

"""Retrieval as a benchmark: each query ranks all samples of a workspace, by several poolings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.loaded_models import LoadEncoder
from flows.run.logs import LOG
from flows.run.reading.kept_audit import read_kept_audit
from flows.stages.ranking.pooled_vectors import PooledVectors, Pooling, make_pooled_vectors
from flows.stages.ranking.sample_classes import SampleClasses, read_classes, read_searched_samples
from pipeline.arrays import Ints, Mask
from pipeline.exceptions import ConfigError
from pipeline.ranking.center_clusters import (
    ClusterAgreement,
    cluster_by_centers,
    measure_agreement,
)
from pipeline.ranking.query_intervals import compare_rankings, summarize_queries
from pipeline.ranking.rank_queries import judge_queries
from pipeline.ranking.region_pooling import sum_regions
from pipeline.ranking.relevance import (
    Relevance,
    choose_queries,
    group_samples,
    make_relevance,
)
from pipeline.ranking.whitening import Moments, Projection, fit_projection
from pipeline.workspace.store import Store

_FOLDS = (1, 2)  # of the queries: each is ranked by a projection fitted without its fold


@dataclass(frozen=True)
class Transform:
    """What is done to vectors before they are compared: nothing, or a projection.

    dim: of PCA; None for the mean alone.
    """

    label: str
    dim: int | None = None
    whiten: bool = False

    @property
    def is_fitted(self) -> bool:
        """Whether there is something to fit."""
        return self.label != "none"


@dataclass(frozen=True)
class RankOptions:
    """What is asked for, as the options of the command say."""

    truth: str
    poolings: tuple[Pooling, ...]
    transforms: tuple[Transform, ...]
    queries: int
    difficulty: str | None = None
    clusters: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Ranking:
    """One way to make vectors, and how well it ranks.

    judged: JUDGED_QUERIES. summary: RANKINGS. differences: by protocol, the mean average precision
    minus that of the first way, with its interval; none of the first.
    """

    pooling: str
    transform: str
    dim: int
    judged: pl.DataFrame
    summary: pl.DataFrame
    differences: dict[str, tuple[float, float, float]]
    clusters: ClusterAgreement | None


@dataclass(frozen=True)
class RankedWorkspace:
    """All rankings of a workspace, on the samples that have vectors of every pooling."""

    samples: pl.DataFrame
    classes: SampleClasses
    rankings: tuple[Ranking, ...]
    queries: int
    possible_queries: int
    without_vector: int


def rank_workspace(store: Store, options: RankOptions, *, load: LoadEncoder) -> RankedWorkspace:
    """Rank the samples of a workspace for queries drawn of them.

    Raises ConfigError for names that are not known and dimensions that cannot be, StoreError where
    nothing was read, and what embedding raises.
    """
    audit = read_kept_audit(store)
    samples = read_searched_samples(store)
    _read_relevance(store, samples, options)  # wrong names before an hour of embedding
    pooled = [
        make_pooled_vectors(store, audit, samples, pooling, load=load)
        for pooling in options.poolings
    ]
    there = _keep_embedded(samples, pooled)
    classes, relevance = _read_relevance(store, there, options)
    rows = choose_queries(relevance, count=options.queries, seed=options.seed)
    rankings: list[Ranking] = []
    for pooling, vectors in zip(options.poolings, pooled, strict=True):
        for transform in options.transforms:
            LOG.info(
                "ranking %s queries by %s, whiten %s", len(rows), pooling.label, transform.label
            )
            rankings.append(
                _rank(there, vectors, pooling, transform, rows, relevance, options, rankings)
            )
    possible = len(choose_queries(relevance, count=len(there), seed=0))
    return RankedWorkspace(
        there, classes, tuple(rankings), len(rows), possible, samples.height - there.height
    )


def _read_relevance(
    store: Store, samples: pl.DataFrame, options: RankOptions
) -> tuple[SampleClasses, Relevance]:
    classes = read_classes(store, samples, options.truth, option="--truth", may_be_modelled=False)
    if (count := classes.values.drop_nulls().n_unique()) < 2:
        raise ConfigError(
            f"--truth {options.truth}: the number of classes known of these samples is {count}; "
            "two are needed, since with one every order is right"
        )
    difficulty = None
    if options.difficulty is not None:
        difficulty = read_classes(
            store, samples, options.difficulty, option="--difficulty", may_be_modelled=False
        ).values
    return classes, make_relevance(classes.values, group_samples(samples), difficulty=difficulty)


def _keep_embedded(samples: pl.DataFrame, pooled: Sequence[PooledVectors]) -> pl.DataFrame:
    for vectors in pooled:
        keys = [keys for keys, _ in vectors.iterate()]
        if not keys:
            raise ConfigError("no sample could be embedded; `weakspot export` has the rejects")
        samples = samples.filter(pl.col("content_key").is_in(pl.concat(keys).implode()))
    return samples


def _rank(
    samples: pl.DataFrame,
    vectors: PooledVectors,
    pooling: Pooling,
    transform: Transform,
    rows: Ints,
    relevance: Relevance,
    options: RankOptions,
    before: Sequence[Ranking],
) -> Ranking:
    """Rank by one pooling and transform, the queries of each fold by what is fitted without it."""
    folds = _assign_folds(rows, relevance.groups)
    whole = _project_all(samples, vectors, transform, folds)
    frames = []
    for fold in _FOLDS:
        own = rows[folds[rows] == fold]
        frames.append(judge_queries(whole[fold][own], whole[fold], own, relevance))
    judged = pl.concat(frames).sort("query", maintain_order=True)
    clusters = None
    if options.clusters is not None:
        if options.clusters > samples.height:
            raise ConfigError(f"--clusters {options.clusters}: there are {samples.height} samples")
        codes = cluster_by_centers(whole[1], count=options.clusters, seed=options.seed)
        clusters = measure_agreement(codes, relevance.classes)
    return Ranking(
        pooling=pooling.label,
        transform=transform.label,
        dim=whole[1].shape[1],
        judged=judged,
        summary=summarize_queries(judged, relevance.groups, seed=options.seed),
        differences=(
            compare_rankings(judged, before[0].judged, relevance.groups, seed=options.seed)
            if before
            else {}
        ),
        clusters=clusters,
    )


def _assign_folds(rows: Ints, groups: Ints) -> Ints:
    """Return (n,) 1 or 2 of what shares a group with a query, all of a group alike, else 0."""
    numbers = np.unique(groups[rows])
    of_group = np.zeros(int(groups.max()) + 1, np.int64)
    of_group[numbers] = 1 + np.arange(len(numbers)) % 2
    return of_group[groups]


def _project_all(
    samples: pl.DataFrame, vectors: PooledVectors, transform: Transform, folds: Ints
) -> dict[int, NDArray[np.float32]]:
    """Return (n, d) unit vectors of the samples for the queries of each fold.

    What is projected is fitted on all samples but those of the fold and of its images.
    """
    rows = _locate(samples)
    if not transform.is_fitted:
        one = _fill(samples.height, vectors, rows, None)
        return dict.fromkeys(_FOLDS, one)
    first = samples.with_row_index("row").group_by("content_key").agg(pl.col("row").first())
    fold_of = {key: int(folds[row]) for key, row in first.iter_rows()}
    parts: dict[int, Moments] = {}
    for keys, block in vectors.iterate():
        own = np.array([fold_of.get(key, -1) for key in keys])
        for fold in (0, *_FOLDS):
            mask: Mask = own == fold
            if mask.any():
                moments = Moments.gather([block[mask].reshape(-1, block.shape[2])])
                parts[fold] = parts[fold].add(moments) if fold in parts else moments
    whole = {}
    for fold in _FOLDS:
        others = [part for other, part in sorted(parts.items()) if other != fold]
        if not others:
            raise ConfigError("--whiten: no samples are left to fit it to; ask for fewer --queries")
        total = others[0] if len(others) == 1 else others[0].add(others[1])
        projection = fit_projection(total, dim=transform.dim, whiten=transform.whiten)
        whole[fold] = _fill(samples.height, vectors, rows, projection)
    return whole


def _locate(samples: pl.DataFrame) -> dict[str, Ints]:
    """Return the rows of each content key."""
    grouped = samples.with_row_index("row").group_by("content_key").agg("row")
    return {key: np.array(rows, dtype=np.int64) for key, rows in grouped.iter_rows()}


def _fill(
    count: int, vectors: PooledVectors, rows: dict[str, Ints], projection: Projection | None
) -> NDArray[np.float32]:
    filled: NDArray[np.float32] | None = None
    for keys, block in vectors.iterate():
        projected = block if projection is None else projection.project(block)
        summed = sum_regions(projected)
        if filled is None:
            filled = np.zeros((count, summed.shape[1]), np.float32)
        for key, vector in zip(keys, summed, strict=True):
            if key in rows:
                filled[rows[key]] = vector
    if filled is None:
        raise ConfigError("no sample could be embedded; `weakspot export` has the rejects")
    return filled

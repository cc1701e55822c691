"""Slices that wrong labels dilute so much that no search of the labels finds them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from pipeline.arrays import Floats
from pipeline.exceptions import TableError
from pipeline.slices.audit_rows import number_clusters
from pipeline.slices.counting.slice_score import score_slices
from pipeline.slices.label_noise.confusion import FEWEST_CHECKS, expect_inverse
from pipeline.slices.label_noise.correction import Predicates, correct_slices, read_errors
from pipeline.slices.label_noise.noise_rows import AttributeRows, read_noise_rows
from pipeline.slices.label_noise.slice_cells import count_cells, level_errors
from pipeline.slices.options import count_support
from pipeline.tables import CORRECTIONS, empty

_CORRECTED = 40  # candidates for which intervals are drawn


def find_diluted(
    table: pl.DataFrame, errors: ArrayLike, *, truth: pl.DataFrame,
    inclusion: pl.DataFrame | None = None, cluster_ids: ArrayLike | pl.Series | None = None,
    orders: Mapping[str, Sequence[str]] | None = None, already: Sequence[Predicates] = (),
    exclusive: Sequence[Sequence[str]] = (), max_level: int = 2, min_support: float = 30,
    alpha: float = 0.95, top: int = 10, seed: int = 0,
) -> pl.DataFrame:  # fmt: skip
    """Return slices worth checking: weak once corrected, though no finding as labelled.

    Arguments and errors as for `correct_slices`. All conjunctions of up to `max_level` (1 or 2)
    true values are estimated from the expected confusion matrices; the best by the score of the
    search are corrected, and those remain whose corrected difference is above 0 with its interval.
    already: slices that are findings. exclusive: groups of attributes of which a slice holds one.
    min_support: a share below 1, else a count, of rows that they truly have. alpha: see
    `score_slices`. Returns at most `top` rows of CORRECTIONS, best corrected score first.
    """
    if max_level not in (1, 2):
        raise TableError(f"max_level = {max_level}: expected 1 or 2 for slices worth checking")
    values = read_errors(errors, rows=table.height)
    names = [name for name in sorted(table.columns) if name in truth.columns]
    levelled = level_errors(values)
    attributes = read_noise_rows(
        table, values, names, truth=truth, inclusion=inclusion, levels=levelled.levels,
        cluster_ids=number_clusters(cluster_ids, rows=table.height),
    )  # fmt: skip
    chosen = [rows for rows in attributes.values() if rows.weights.sum() >= FEWEST_CHECKS]
    min_support = count_support(min_support, len(values))
    known = {_name(one) for one in already}
    inverses = {rows.name: expect_inverse(rows) for rows in chosen}
    candidates = [
        (score, predicates)
        for group in _list_groups(chosen, exclusive, max_level)
        for score, predicates in _score_group(group, values, inverses, min_support, alpha)
        if _name(predicates) not in known
    ]
    candidates.sort(key=lambda one: (-one[0], sorted(_name(one[1]))))
    best = [predicates for _, predicates in candidates[:_CORRECTED]]
    if not best:
        return empty(CORRECTIONS)
    corrected = correct_slices(
        table, values, best, truth=truth, inclusion=inclusion, cluster_ids=cluster_ids,
        orders=orders, seed=seed,
    )  # fmt: skip
    weak = corrected.filter(
        (pl.col("corrected_difference_low") > 0) & (pl.col("corrected_n") >= min_support)
    )
    score = score_slices(
        weak["corrected_n"].to_numpy(), (weak["corrected_n"] * weak["corrected_error"]).to_numpy(),
        all_weight=float(len(values)), all_total=float(values.sum()), alpha=alpha,
    )  # fmt: skip
    return weak[np.argsort(-score, kind="stable")].head(top)


def _name(predicates: Predicates) -> frozenset[tuple[str, str]]:
    return frozenset((one["attribute"], one["value"]) for one in predicates)


def _list_groups(
    attributes: Sequence[AttributeRows], exclusive: Sequence[Sequence[str]], max_level: int
) -> Iterator[tuple[AttributeRows, ...]]:
    apart = [set(group) for group in exclusive]
    for level in range(1, max_level + 1):
        for group in combinations(attributes, level):
            names = {rows.name for rows in group}
            if not any(len(names & one) > 1 for one in apart):
                yield group


def _score_group(
    group: Sequence[AttributeRows], errors: Floats, inverses: Mapping[str, Floats],
    min_support: float, alpha: float,
) -> Iterator[tuple[float, list[dict[str, str]]]]:  # fmt: skip
    """Score the conjunctions of the true values of some attributes that do worse than all rows."""
    cells = count_cells(group, level_errors(errors))
    tables = []
    for table in (cells.n.sum(axis=-1), cells.total.sum(axis=-1)):
        for axis, rows in enumerate(group):
            table = np.moveaxis(np.tensordot(inverses[rows.name], table, ([1], [axis])), 0, axis)
        tables.append(table)
    n, total = tables[0], np.clip(tables[1], 0.0, tables[0] * errors.max(initial=0.0))
    mean = errors.mean()
    for at in np.argwhere((n >= min_support) & (total > n * mean)):
        i = tuple(at)
        score = score_slices(
            n[i][None], total[i][None], all_weight=float(len(errors)),
            all_total=float(errors.sum()), alpha=alpha,
        )  # fmt: skip
        yield (
            float(score[0]),
            [
                {"attribute": r.name, "value": r.values[int(v)]}
                for r, v in zip(group, i, strict=True)
            ],
        )

"""Slices that wrong labels hide from the search: worth checking."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from scipy.special import ndtr

from pipeline.arrays import Mask
from pipeline.predicates import select_rows
from pipeline.slices.corrected_findings import correct_predicates
from pipeline.slices.known_labels import NOT_GIVEN, KnownLabels, Predicates
from pipeline.slices.label_noise.diluted import find_diluted
from pipeline.slices.options import count_support
from pipeline.statistics.p_values import adjust_bh
from pipeline.tables import CORRECTIONS, empty
from pipeline.vocabulary import LEVEL

MOST_LEVELS = 2  # attributes of such a slice
_CANDIDATES = 40  # diluted slices among which those to list are chosen
_Z = 1.959964  # of the end of a 95 % interval
_DILUTED = 0.8  # of the corrected difference, at most, is left as labelled


def find_hidden_slices(
    known: KnownLabels,
    findings: pl.DataFrame,
    *,
    counted: int,
    exclusive: Sequence[Sequence[str]] = (),
    max_level: int = MOST_LEVELS,
    min_support: float = 30,
    alpha: float = 0.95,
    top: int = 10,
    seed: int = 0,
) -> pl.DataFrame:
    """Return CORRECTIONS of at most `top` slices that do worse once corrected, best first.

    findings: WEAKNESSES, all of which the search named. counted: slices that it counted. Further
    arguments as for the search; min_support: a share below 1, else a count. As in the search, what
    the findings explain is set aside: candidates are slices of the rows, as labelled, that no
    finding holds, with labels of a model, neither inside nor around a finding, nor inside another.
    Their corrected differences among these rows, divided by the standard error that the lower end
    of the interval implies, must have q < 0.05 (Benjamini and Hochberg 1995, over `counted`).
    Labels must hide a fifth of them or more, else the search has judged the slice already, and the
    corrected interval among all rows must be above 0.
    """
    found: list[Predicates] = findings["predicates"].to_list()
    left = known.select(_find_left(known, found))
    support = count_support(min_support, len(known.errors))
    if not known.has_truth or len(left.errors) <= support or not left.errors.any():
        return empty(CORRECTIONS)
    diluted = find_diluted(
        left.labels,
        left.errors,
        truth=left.truth,
        inclusion=left.inclusion,
        cluster_ids=left.cluster_ids,
        orders=left.orders,
        already=[*found, *_list_exact(left)],
        exclusive=exclusive,
        max_level=min(max_level, MOST_LEVELS),
        min_support=max(support, 1.0),
        alpha=alpha,
        top=_CANDIDATES,
        seed=seed,
    )
    evident = diluted.filter(_compute_q(diluted, counted=counted) < LEVEL)
    given = [
        row["predicates"]
        for row in evident.iter_rows(named=True)
        if all(one["value"] != NOT_GIVEN for one in row["predicates"])
        and _measure_difference(left, row["predicates"]) <= _DILUTED * row["corrected_difference"]
    ]
    chosen = _drop_related(given, found)
    corrected = correct_predicates(known, chosen, seed=seed)
    return corrected.filter(pl.col("corrected_difference_low") > 0).head(top)


def _find_left(known: KnownLabels, found: Sequence[Predicates]) -> Mask:
    """Return (n,) which rows are in no finding as labelled."""
    left = np.ones(len(known.errors), np.bool_)
    for predicates in found:
        named = known.name_here(predicates)
        left &= ~select_rows(known.labels, named, orders=known.orders).to_numpy()
    return left


def _measure_difference(known: KnownLabels, predicates: Predicates) -> float:
    """Return the difference in mean error to the other rows as labelled, 0 without either."""
    inside = select_rows(known.labels, predicates, orders=known.orders).to_numpy()
    if not inside.any() or inside.all():
        return 0.0
    return float(known.errors[inside].mean() - known.errors[~inside].mean())


def _compute_q(diluted: pl.DataFrame, *, counted: int) -> pl.Series:
    """Return q of corrected differences; slices that are not listed count with a p of 1."""
    difference = diluted["corrected_difference"].to_numpy()
    low = diluted["corrected_difference_low"].to_numpy()
    error = np.maximum(difference - low, 1e-12) / _Z
    p = np.ones(max(counted, diluted.height))
    p[: diluted.height] = ndtr(-difference / error)
    return pl.Series("q", adjust_bh(p)[: diluted.height])


def _list_exact(known: KnownLabels) -> list[list[dict[str, str]]]:
    """List the slices of up to two attributes of which no model made the labels."""
    singles = [
        {"attribute": column.name, "value": value}
        for column in known.labels.iter_columns()
        if column.name not in known.modelled
        for value in column.unique().sort()
    ]
    pairs = [[*pair] for pair in combinations(singles, 2)]
    return [*([one] for one in singles), *pairs]


def _drop_related(slices: Sequence[Predicates], found: Sequence[Predicates]) -> list[Predicates]:
    """Return the slices that are neither inside nor around a finding, nor inside another of them.

    As in the search a more general slice stands for those inside it.
    """
    findings = [_name(predicates) for predicates in found]
    names = [_name(predicates) for predicates in slices]
    return [
        predicates
        for predicates, own in zip(slices, names, strict=True)
        if not any(own <= other or other <= own for other in findings)
        and not any(other < own for other in names)
    ]


def _name(predicates: Predicates) -> frozenset[tuple[str, str]]:
    return frozenset((one["attribute"], one["value"]) for one in predicates)

"""Slices that do worse by the probabilities of their values, though labels do not show it."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.predicates import select_rows
from pipeline.slices.audit_rows import number_clusters
from pipeline.slices.known_labels import NOT_GIVEN, KnownLabels, Predicates
from pipeline.slices.label_noise.confusion import FEWEST_CHECKS
from pipeline.slices.soft_labels.membership import SoftLabels, multiply
from pipeline.slices.soft_labels.slope_test import measure_slopes
from pipeline.slices.soft_labels.stepwise import (
    NARROWER,
    ProbableSlice,
    choose_slices,
    list_slices,
    name_slice,
)

_MOST_ROWS = 200_000  # regressed; more say little more
_MOST_VALUES = 20  # of an attribute that no model labels, in rows enough


def find_probable_slices(
    known: KnownLabels,
    findings: Sequence[Predicates],
    *,
    exclusive: Sequence[Sequence[str]] = (),
    max_level: int = 2,
    min_support: float = 30,
    top: int = 10,
    seed: int = 0,
) -> list[ProbableSlice]:
    """Return at most `top` slices with labels of a model that are no findings, best first.

    Slices inside a finding are last where their errors are not higher than its (p >= 0.01 given the
    finding): they say little that is new.
    min_support: rows that belong to a slice by the sum of their probabilities. Findings are
    candidates as well, and taken where they explain the errors best: by poor labels a finding may
    stand for the slice that is truly worse. Others than conjunctions of up to max_level (1 or 2)
    values are covariates from the start. At least one attribute of a slice must be unknown in most
    rows: elsewhere the search has judged it. See `choose_slices`.
    """
    soft = soften(known, min_support=min_support)
    names = [name for name in soft if name in known.modelled]
    rows = _draw_rows(len(known.errors), seed=seed)
    soft = {name: one.select(rows) for name, one in soft.items()}
    support = min_support * len(rows) / len(known.errors)
    values = {name: one.values for name, one in soft.items()}
    candidates = [
        one
        for one in list_slices(values, exclusive=exclusive, max_level=min(max_level, 2))
        if any(predicate["attribute"] in names for predicate in one)
        and multiply(soft, one).sum() >= support
    ]
    if not candidates:
        return []
    listed = {name_slice(one) for one in candidates}
    found = {name_slice(one) for one in findings}
    clusters = number_clusters(known.cluster_ids, rows=len(known.errors))
    chosen = choose_slices(
        soft,
        np.asarray(known.errors, np.float64)[rows],
        candidates,
        given=_set_aside(known, [one for one in findings if name_slice(one) not in listed])[rows],
        clusters=None if clusters is None else clusters[rows],
        most=top + len(found),
    )
    named = [
        one
        for one in chosen
        if name_slice(one.predicates) not in found
        and any(_is_open(known, predicate["attribute"]) for predicate in one.predicates)
    ]
    errors = np.asarray(known.errors, np.float64)[rows]
    around = [one for one in findings if name_slice(one) in listed]
    named.sort(key=lambda one: is_explained(one.predicates, around, soft, errors))
    return named[:top]


def is_explained(
    predicates: Predicates,
    findings: Sequence[Predicates],
    soft: Mapping[str, SoftLabels],
    errors: Floats,
) -> bool:
    """Return whether a slice lies in findings, and errors do not rise with it given these."""
    own = name_slice(predicates)
    outer = [multiply(soft, one) for one in findings if name_slice(one) < own]
    if not outer:
        return False
    covariates = np.column_stack([np.ones(len(errors)), *outer])
    membership = multiply(soft, predicates)[:, None]
    return bool(measure_slopes(membership, errors, covariates, clusters=None).p[0] >= NARROWER)


def _is_open(known: KnownLabels, name: str) -> bool:
    """Return whether the labels of an attribute may hide a slice: most of its truth is unknown."""
    return name in known.modelled and 2 * known.truth[name].null_count() > len(known.truth)


def soften(known: KnownLabels, *, min_support: float) -> dict[str, SoftLabels]:
    """Return probabilities of the true values of attributes of which enough is known.

    The known value where a row was checked; else the probability by a probe, where there is one;
    else the share of the value among checked rows of the same label. Values in fewer than
    min_support rows of attributes that no model labels are left out, and attributes of more than
    20 values.
    """
    soft = {}
    for name in sorted(known.labels.columns):
        if name not in known.modelled:
            exact = _list_exact(known.labels[name], min_support=min_support)
            if exact:
                soft[name] = _mark(known.labels[name], exact)
        elif known.truth[name].count() >= FEWEST_CHECKS:
            soft[name] = _weigh(known, name)
    return soft


def _draw_rows(n: int, *, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if n <= _MOST_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, _MOST_ROWS, replace=False))


def _list_exact(labels: pl.Series, *, min_support: float) -> tuple[str, ...]:
    counts = labels.value_counts().filter(pl.col("count") >= min_support)
    values = sorted(value for value in counts[labels.name] if value != NOT_GIVEN)
    return tuple(values) if len(values) <= _MOST_VALUES else ()


def _mark(labels: pl.Series, values: Sequence[str]) -> SoftLabels:
    """Return probabilities of 0 and 1."""
    columns = [(labels == value).fill_null(value=False).to_numpy() for value in values]
    return SoftLabels(tuple(values), np.stack(columns, axis=1).astype(np.float64))


def _weigh(known: KnownLabels, name: str) -> SoftLabels:
    """Return the probabilities of the values of an attribute that a model labels."""
    truth = known.truth[name]
    values = sorted(truth.drop_nulls().unique())
    found = weigh_by_label(known.labels[name], truth, known.inclusion[name], values)
    probed = known.probabilities.get(name)
    if probed is not None:
        there = ~np.isnan(probed.probabilities).any(axis=1)
        places = [probed.values.index(value) if value in probed.values else -1 for value in values]
        padded = np.column_stack([probed.probabilities, np.zeros(len(truth))])
        found[there] = padded[there][:, places]
    checked = truth.is_not_null().to_numpy()
    found[checked] = _mark(truth, values).probabilities[checked]
    return SoftLabels(tuple(values), found)


def weigh_by_label(
    labels: pl.Series, truth: pl.Series, inclusion: pl.Series, values: Sequence[str]
) -> Floats:
    """Return (n, k) shares of the true values among the checked rows of each label.

    Checks count by 1 / inclusion, on average 1 within a label; to those of a label one is added,
    shared out as values are among all.
    """
    weights = 1 / pl.col("inclusion").fill_null(pl.col("inclusion").mean()).fill_null(1.0)
    rows = pl.DataFrame({"label": labels, "truth": truth, "inclusion": inclusion})
    checked = rows.drop_nulls("truth").with_columns(all=weights)
    checked = checked.with_columns(own=pl.col("all") / pl.col("all").mean().over("label"))
    shares = np.array([checked.filter(truth=value)["all"].sum() for value in values])
    shares = shares / shares.sum()
    of_label: Mapping[str, Floats] = {
        label: np.array([own.filter(truth=value)["own"].sum() for value in values]) + shares
        for (label,), own in checked.group_by("label")
    }
    table = {label: counts / counts.sum() for label, counts in of_label.items()}
    return np.array([table.get(label, shares) for label in labels])


def _set_aside(known: KnownLabels, findings: Sequence[Predicates]) -> Floats:
    """Return (n, m) which rows are in findings that are no candidates."""
    columns = [
        select_rows(known.labels, known.name_here(one), orders=known.orders).to_numpy()
        for one in findings
    ]
    return np.array(columns, np.float64).reshape(len(columns), len(known.errors)).T

"""Correct what is said of slices for wrong labels, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from pipeline.arrays import Floats, Ints
from pipeline.exceptions import TableError
from pipeline.predicates import read_predicate
from pipeline.slices.audit_rows import number_clusters
from pipeline.slices.label_noise.check_evidence import count_joint, weigh_checks
from pipeline.slices.label_noise.confusion import FEWEST_CHECKS, Confusion, draw_confusion
from pipeline.slices.label_noise.error_bounds import Bounds, bound_slice
from pipeline.slices.label_noise.further_checks import plan_checks, plan_clearer_labels
from pipeline.slices.label_noise.noise_rows import AttributeRows, read_noise_rows
from pipeline.slices.label_noise.pooled_point import pool_point
from pipeline.slices.label_noise.slice_cells import (
    RowErrors,
    count_cells,
    draw_cells,
    level_errors,
    measure_cluster_effect,
)
from pipeline.slices.label_noise.slice_draws import Membership, combine, measure_signal
from pipeline.slices.label_noise.slice_posterior import (
    FEWEST_JOINT,
    SlicePosterior,
    draw_posterior,
    widen_errors,
)
from pipeline.tables import CORRECTIONS, check, empty

Predicates = Sequence[Mapping[str, str]]
Row = dict[str, object]

_DRAWS = 1000
_SIGNAL = 0.1  # see `measure_signal`; below, noise grows tenfold
_LEVEL = 0.5  # of the posterior probability of independence of the system's errors
_TOGETHER = 0.5  # of that of label errors of several attributes; below, bounds
_ESTABLISHED = 0.7  # of the same; below, wider intervals
_POSSIBLE = 0.05  # share of draws that must be possible


def correct_slices(
    table: pl.DataFrame, errors: ArrayLike, slices: Sequence[Predicates], *, truth: pl.DataFrame,
    inclusion: pl.DataFrame | None = None, cluster_ids: ArrayLike | pl.Series | None = None,
    orders: Mapping[str, Sequence[str]] | None = None, joint: bool | None = None, seed: int = 0,
) -> pl.DataFrame:  # fmt: skip
    """Return the CORRECTIONS table, one row per slice in the given order.

    table: n rows, one text column per attribute: the labels, "unknown" included. errors: n losses
    >= 0. slices: lists of {"attribute", "value"}; a value may name a run of adjacent ones. truth: n
    rows with columns of the same names, the true value where it is known, else null. inclusion:
    n rows, the probability with which each known row was drawn, null where that is not known.
    cluster_ids: n ids, equal for rows that are not independent. orders: the values of ordered
    attributes, lowest first. joint: whether label errors may depend on the system's errors and on
    each other; decided by tests of the checked rows where it is None. Intervals hold 95 %. Raises
    TableError for what does not fit.

    >>> table = pl.DataFrame({"hat": ["yes"] * 200 + ["no"] * 800})
    >>> truth = pl.DataFrame({"hat": (["yes"] * 3 + ["no"]) * 50 + ["no"] * 800})
    >>> errors = ([1.0, 0.0, 1.0, 0.0]) * 50 + [0.0] * 800
    >>> slices = [[{"attribute": "hat", "value": "yes"}]]
    >>> row = correct_slices(table, errors, slices, truth=truth).row(0, named=True)
    >>> round(row["label_precision"], 2), row["correction"]
    (0.75, 'product')
    """
    values = read_errors(errors, rows=table.height)
    names = sorted({one["attribute"] for predicates in slices for one in predicates})
    clusters = number_clusters(cluster_ids, rows=table.height)
    levelled = level_errors(values)
    attributes = read_noise_rows(
        table, values, names, truth=truth, inclusion=inclusion, levels=levelled.levels,
        cluster_ids=clusters,
    )  # fmt: skip
    corrector = Corrector(
        attributes, levelled, orders or {}, cluster_ids=clusters, joint=joint, seed=seed
    )
    rows = [corrector.correct(predicates) for predicates in slices]
    if not rows:
        return empty(CORRECTIONS)
    schema = {name: CORRECTIONS[name] for name in CORRECTIONS}
    return check(pl.DataFrame(rows, schema=schema), CORRECTIONS, table="corrections")


def read_errors(errors: ArrayLike, *, rows: int) -> Floats:
    """Return the errors as (n,) floats; raise TableError for others than n finite ones >= 0."""
    values = np.asarray(errors, np.float64)
    if values.shape != (rows,) or not np.isfinite(values).all() or (values < 0).any():
        raise TableError(
            f"errors of shape {values.shape}: expected {rows} finite numbers >= 0, one per row"
        )
    return values


class Corrector:
    """Corrects slices one after the other, drawing each attribute's confusion matrix once."""

    def __init__(
        self, attributes: Mapping[str, AttributeRows], errors: RowErrors,
        orders: Mapping[str, Sequence[str]], *, cluster_ids: Ints | None, joint: bool | None,
        seed: int,
    ) -> None:  # fmt: skip
        self.attributes = attributes
        self.errors = errors
        self.orders = orders
        self.cluster_ids = cluster_ids
        self.joint = joint
        self.seed = seed
        self._confusions: dict[str, Confusion] = {}

    def correct(self, predicates: Predicates) -> Row:
        """Return the row of CORRECTIONS of one slice."""
        row: Row = dict.fromkeys(CORRECTIONS) | {"predicates": list(predicates)}
        rows = [self.attributes[one["attribute"]] for one in predicates]
        unchecked = [part.name for part in rows if part.weights.sum() < FEWEST_CHECKS]
        if unchecked:
            note = f"fewer than {FEWEST_CHECKS} checked labels of {', '.join(unchecked)}"
            return row | {"correction": "none", "correction_note": note}
        inside = [
            self._find_inside(part, one["value"])
            for part, one in zip(rows, predicates, strict=True)
        ]
        never = [part.name for part, one in zip(rows, inside, strict=True) if not one.true.any()]
        if never:
            note = f"no true value of {', '.join(never)} belongs to the slice"
            return row | {"correction": "none", "correction_note": note}
        confusions = [self._draw_confusion(part) for part in rows]
        rng = np.random.default_rng([self.seed, 2])
        reason = _find_weak_labels(confusions, inside)
        if reason is not None:
            row["checks_needed"] = plan_clearer_labels(confusions, inside, signal=_SIGNAL)
        else:
            found = self._estimate(confusions, inside, rng)
            if not isinstance(found, str):
                return row | found
            reason = found
        bounds = bound_slice(rows, inside, self.errors.errors, draws=_DRAWS, rng=rng)
        return row | describe_bounds(bounds) | {"correction": "bounds", "correction_note": reason}

    def _estimate(
        self, confusions: Sequence[Confusion], inside: Sequence[Membership],
        rng: np.random.Generator,
    ) -> Row | str:  # fmt: skip
        """Return the columns of a slice's posterior, or why there is none."""
        cells = count_cells([one.rows for one in confusions], self.errors)
        errors = replace(self.errors, deff=self._measure_effect(confusions, inside))
        drawn = draw_cells(cells, errors, draws=_DRAWS, rng=rng)
        draws = combine(drawn, self.errors.most, confusions, inside)
        if draws.possible.mean() < _POSSIBLE:
            return "the checks contradict the errors as labelled"
        evidence = weigh_checks(drawn[0], confusions, inside, self.errors)
        joint = count_joint(confusions, inside, self.errors) if len(inside) > 1 else None
        if joint is not None and joint.n.sum() < FEWEST_JOINT:
            joint = None
            if evidence.independent < _TOGETHER:
                names = " and ".join(one.rows.name for one in confusions)
                return f"the labels of {names} are wrong together, and no rows are checked for all"
        posterior = draw_posterior(draws, evidence, joint, rng=rng)
        dependent = [one.rows.name for one in confusions if one.independent < _LEVEL]
        if dependent or evidence.independent < _ESTABLISHED:
            posterior = widen_errors(posterior, most=self.errors.most)
        notes = [f"the labels of {name} are wrong where the system is" for name in dependent]
        known = any(one.known for one in confusions) if joint is None else joint.known
        if posterior.joint > _LEVEL and not known:
            notes.append("label errors of the attributes depend on each other or on the system's")
        scale = None if known else float(self.errors.errors.std())
        return describe_posterior(posterior, n=len(self.errors.errors), scale=scale) | {
            "correction": "joint" if notes or known else "product",
            "correction_note": "; ".join(notes) or None,
            "checks_needed": plan_checks(posterior, confusions),
        }

    def _measure_effect(
        self, confusions: Sequence[Confusion], inside: Sequence[Membership]
    ) -> float:
        """Return the larger cluster effect of the errors and of the labels of a slice."""
        if self.cluster_ids is None:
            return 1.0
        labelled = np.logical_and.reduce(
            [one.shown[part.rows.labels] for part, one in zip(confusions, inside, strict=True)]
        )
        return max(
            measure_cluster_effect(values, self.cluster_ids)
            for values in (self.errors.errors, labelled.astype(np.float64))
        )

    def _find_inside(self, rows: AttributeRows, value: str) -> Membership:
        allowed = read_predicate(value, self.orders.get(rows.name, ()))
        return Membership(np.isin(rows.shown, allowed), np.isin(rows.values, allowed))

    def _draw_confusion(self, rows: AttributeRows) -> Confusion:
        if rows.name not in self._confusions:
            rng = np.random.default_rng([self.seed, 1, *seed_by_content(rows)])
            self._confusions[rows.name] = draw_confusion(
                rows, self.errors, draws=_DRAWS, rng=rng, dependent=self.joint
            )
        return self._confusions[rows.name]


def seed_by_content(rows: AttributeRows) -> list[int]:
    """Return numbers that are the same whatever the attribute and its values are called."""
    checks = np.round(rows.count_checks() * 1000).astype(np.int64)
    return [*rows.count_labels().astype(np.int64).tolist(), *checks.ravel().tolist()]


def _find_weak_labels(confusions: Sequence[Confusion], inside: Sequence[Membership]) -> str | None:
    for confusion, one in zip(confusions, inside, strict=True):
        if np.quantile(measure_signal(confusion, one.true), 0.025) < _SIGNAL:
            return (
                f"the labels of {confusion.rows.name} say too little of the truth to be corrected "
                f"(signal under {_SIGNAL})"
            )
    return None


def describe_posterior(posterior: SlicePosterior, *, n: int, scale: float | None) -> Row:
    """Return medians and 95 % intervals of the draws, as columns of CORRECTIONS.

    scale: standard deviation of the errors, by which their point estimates are drawn towards the
    labelled ones, see `pool_point`; None where they are not.
    """
    row: Row = {}
    for name, low, high, values in (
        ("label_precision", "label_precision_low", "label_precision_high", posterior.precision),
        ("corrected_n", "corrected_n_low", "corrected_n_high", posterior.share * n),
        ("corrected_error", "corrected_low", "corrected_high", posterior.error),
        ("corrected_difference", "corrected_difference_low", "corrected_difference_high",
         posterior.error - posterior.rest_error),
    ):  # fmt: skip
        row[low], row[name], row[high] = (
            float(q) for q in np.quantile(values, [0.025, 0.5, 0.975])
        )
    error, rest = (
        float(np.median(mean)) if scale is None else pool_point(mean, labelled, scale=scale)
        for mean, labelled in ((posterior.error, posterior.labelled),
                               (posterior.rest_error, posterior.rest_labelled))
    )  # fmt: skip
    return row | {
        "corrected_error": error,
        "corrected_difference": error - rest,
        "corrected_rest_error": rest,
        "corrected_lift": error / rest if rest > 0 else None,
    }


def describe_bounds(bounds: Bounds) -> Row:
    """Return the bounds as intervals: 2.5 % of the draws of the least, 97.5 % of the most."""
    (n_low, n_high), (low, high) = bounds.n, bounds.error
    rest_low, rest_high = bounds.rest_error
    row: Row = {}
    for name, least, most in (
        ("label_precision", *bounds.precision),
        ("corrected_n", n_low, n_high),
        ("corrected", low, high),
        ("corrected_difference", low - rest_high, high - rest_low),
    ):
        row[f"{name}_low"] = float(np.quantile(least, 0.025))
        row[f"{name}_high"] = float(np.quantile(most, 0.975))
    return row

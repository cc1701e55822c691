"""What checked rows say beyond their own label and error: by the labels of other attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.confusion import (
    CONCENTRATIONS,
    MOSTLY_KNOWN,
    PRIORS,
    Confusion,
)
from pipeline.slices.label_noise.slice_cells import RowErrors
from pipeline.slices.label_noise.slice_draws import Membership, SliceDraws

_LEAST = 1e-9


@dataclass(frozen=True)
class Evidence:
    """log_weight: (d,) log likelihood of checks given other labels, less that without them.

    independent: posterior probability that label errors of attributes do not depend on each other.
    """

    log_weight: Floats
    independent: float


def weigh_checks(
    n: Floats, confusions: Sequence[Confusion], inside: Sequence[Membership], errors: RowErrors
) -> Evidence:
    """Weigh draws by the checks of each attribute given the labels of the others.

    n: (d, o, ..., l) drawn rows by label of each attribute and level. If labels do not depend on
    each other given the truth, P(truth | label, other labels, level) follows from the tables of a
    draw; its ratio to P(truth | label, level) is the weight. Without independence it has a
    Dirichlet distribution around that, so that checks are Dirichlet-multinomial.
    """
    log_weight = np.zeros(len(n))
    independent = 1.0
    if len(inside) == 1:
        return Evidence(log_weight, independent)
    for j, (confusion, one) in enumerate(zip(confusions, inside, strict=True)):
        checks = _count_checks(confusions, inside, j, errors)  # (o, 2, g, l)
        drawn = _sum_others(n, inside, j)  # (d, o, g, l)
        true = np.maximum(np.einsum("dlto,dogl->dtgl", confusion.inverse, drawn), _LEAST)
        both = np.einsum("dlot,dtgl->dotgl", confusion.spread, true)
        hit = both[:, :, one.true].sum(axis=2) / np.maximum(both.sum(axis=2), 1e-300)
        hit = np.clip(hit, _LEAST, 1 - _LEAST)  # (d, o, g, l)
        plain = np.clip(confusion.purity[..., one.true].sum(axis=3), _LEAST, 1 - _LEAST)
        gain = _count_likelihood(checks, hit)
        gain -= _count_likelihood(checks, plain.transpose(0, 2, 1)[:, :, None])
        log_weight += gain
        independent = min(independent, _judge(checks, hit, gain))
    return Evidence(log_weight, independent)


def _count_likelihood(checks: Floats, hit: Floats) -> Floats:
    """Sum the log likelihood of checks, (o, 2, g, l), if P(predicate fulfilled) is hit."""
    return np.asarray(
        (checks[:, 1] * np.log(hit) + checks[:, 0] * np.log1p(-hit)).sum(axis=(1, 2, 3))
    )


def _sum_others(n: Floats, inside: Sequence[Membership], j: int) -> Floats:
    """Sum drawn cells to the labels of attribute j and the pattern of the others: (d, o, g, l)."""
    cells = np.moveaxis(n, j + 1, 1)
    others = [one for k, one in enumerate(inside) if k != j]
    for axis, one in enumerate(others):
        parts = one.list_parts(alone=False)
        cells = np.moveaxis(np.tensordot(parts, cells, ([1], [axis + 2])), 0, axis + 2)
    return np.asarray(cells.reshape(*cells.shape[:2], -1, cells.shape[-1]))


def _count_checks(
    confusions: Sequence[Confusion], inside: Sequence[Membership], j: int, errors: RowErrors
) -> Floats:
    rows, one = confusions[j].rows, inside[j]
    known = np.flatnonzero(rows.truth >= 0)
    number: Ints = np.zeros(len(known), np.int64)
    for k, (confusion, other) in enumerate(zip(confusions, inside, strict=True)):
        if k != j:
            number = number * 2 + other.shown[confusion.rows.labels[known]]
    shape = (len(rows.shown), 2, 1 << (len(inside) - 1), errors.count)
    hits = one.true[rows.truth[known]].astype(np.int64)
    key = np.ravel_multi_index((rows.labels[known], hits, number, errors.levels[known]), shape)
    counts = np.bincount(key, rows.own_weights[known], int(np.prod(shape)))
    return np.asarray(counts, np.float64).reshape(shape)


def _judge(checks: Floats, hit: Floats, gain: Floats) -> float:
    """Return the posterior probability of independence against the other concentrations.

    checks: (o, 2, g, l). hit: (d, o, g, l). Levels are added up: what depends on them is judged by
    each attribute alone, and fewer cells show more. Labels whose checks all agree show nothing.
    """
    n = checks.sum(axis=1)  # (o, g, l)
    mixed = (checks.sum(axis=(2, 3)) > 0).all(axis=1)
    checked = (n.sum(axis=2) > 0) & mixed[:, None]
    share = n[checked] / n[checked].sum(axis=1, keepdims=True)  # (k, l)
    p = np.clip((hit[:, checked] * share).sum(axis=2), 1e-6, 1 - 1e-6)  # (d, k)
    k, miss = checks[:, 1].sum(axis=2)[checked], checks[:, 0].sum(axis=2)[checked]
    logs = [
        _average(gain + compare_binomial(k, miss, p, s)) + np.log(prior)
        for s, prior in zip(CONCENTRATIONS, PRIORS, strict=True)
    ]
    return float(np.exp(logs[0] - special.logsumexp(logs)))


def compare_binomial(k: Floats, miss: Floats, p: Floats, s: float) -> Floats:
    """Return (d,) log likelihood ratios of a beta-binomial of concentration s to a binomial.

    k, miss: hits and misses, of any shape. p: (d, same shape).
    """
    if not np.isfinite(s):
        return np.zeros(len(p))
    ratio = special.betaln(s * p + k, s * (1 - p) + miss) - special.betaln(s * p, s * (1 - p))
    ratio -= k * np.log(p) + miss * np.log1p(-p)
    return np.asarray(ratio.reshape(len(p), -1).sum(axis=1))


def _average(log_values: Floats) -> float:
    return float(special.logsumexp(log_values) - np.log(len(log_values)))


@dataclass(frozen=True)
class JointChecks:
    """Rows of which the truth is known for all attributes of a slice: (g, l) inside, and all.

    known: whether they are most of the rows, so that no model is used.
    """

    hits: Floats
    n: Floats
    known: bool


def count_joint(
    confusions: Sequence[Confusion], inside: Sequence[Membership], errors: RowErrors
) -> JointChecks:
    """Count rows checked for every attribute by pattern of labels and error level."""
    rows = [confusion.rows for confusion in confusions]
    weights = np.minimum.reduce([one.own_weights for one in rows])
    known = np.flatnonzero(weights > 0)
    hit = np.logical_and.reduce(
        [one.true[part.truth[known]] for part, one in zip(rows, inside, strict=True)]
    )
    number = np.zeros(len(known), np.int64)
    for part, one in zip(rows, inside, strict=True):
        number = number * 2 + one.shown[part.labels[known]]
    shape = (1 << len(inside), errors.count)
    key = np.ravel_multi_index((number, errors.levels[known]), shape)
    hits, n = (
        np.bincount(key, part, shape[0] * shape[1]).astype(np.float64).reshape(shape)
        for part in (weights[known] * hit, weights[known])
    )
    return JointChecks(hits, n, bool(n.sum() >= MOSTLY_KNOWN * len(errors.errors)))


def expect_membership(draws: SliceDraws) -> Floats:
    """Return (d, g, l) P(in the slice | pattern, level) as independence makes it."""
    share = draws.mass / np.maximum(draws.shown, _LEAST)
    return np.asarray(np.clip(share, 1e-4, 1 - 1e-4))

"""The posterior of a slice: draws chosen by what the checks say, as sizes, errors and precision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.check_evidence import CONCENTRATIONS, Evidence, log_priors
from pipeline.slices.label_noise.slice_draws import Membership, SliceDraws

_LEAST_EFFECTIVE = 100.0  # draws that weights must leave; else they are flattened
_ROUNDS = 30  # of iterative proportional fitting


@dataclass(frozen=True)
class SlicePosterior:
    """(d,) equally likely draws of a slice. source: which draw of the confusion each comes from.

    independent: the share of draws in which label errors are independent.
    """

    share: Floats
    error: Floats
    rest_error: Floats
    precision: Floats
    source: Ints
    independent: float


def draw_posterior(
    draws: SliceDraws, evidence: Sequence[Evidence], inside: Sequence[Membership],
    *, rng: np.random.Generator,
) -> SlicePosterior:  # fmt: skip
    """Resample the possible draws by their weights, some of them with dependent label errors."""
    priors = log_priors()
    kinds = [np.hstack([np.zeros((len(one.gain), 1)), one.departures]) + priors for one in evidence]
    log_weight = sum((one.gain for one in evidence), np.zeros(len(draws.total)))
    log_weight = log_weight + sum(special.logsumexp(kind, axis=1) for kind in kinds)
    source = _resample(np.where(draws.possible, log_weight, -np.inf), rng)
    chosen = [_pick(kind[source], rng) for kind in kinds]  # 0 for independence
    n, total = draws.mass[source].sum(axis=(1, 2)), draws.total[source]
    mass = draws.mass[source].sum(axis=2)  # (d, g)
    changed = np.flatnonzero(np.any([one > 0 for one in chosen], axis=0))
    if len(changed):
        at = source[changed]
        margins = [
            _draw_margin(one, part, at, kind[changed], alone=len(inside) == 1, rng=rng)
            for one, part, kind in zip(evidence, inside, chosen, strict=True)
        ]
        member = _fit_table(draws.table[at], margins)  # (k, g, l)
        n[changed] = (member * draws.shown[at]).sum(axis=(1, 2))
        total[changed] = (member * draws.shown_total[at]).sum(axis=(1, 2))
        mass[changed] = (member * draws.shown[at]).sum(axis=2)
    return _tabulate(draws, source, (n, total, mass), 1.0 - len(changed) / len(source))


def _tabulate(
    draws: SliceDraws, source: Ints, own: tuple[Floats, Floats, Floats], independent: float
) -> SlicePosterior:
    n, total, mass = own
    shown, all_total = draws.shown[source].sum(axis=2), draws.shown_total[source].sum(axis=(1, 2))
    all_n = shown.sum(axis=1)
    precision = mass[:, draws.inner].sum(axis=1) / np.maximum(
        shown[:, draws.inner].sum(axis=1), 1e-9
    )
    rest = np.maximum(all_total - total, 0.0) / np.maximum(all_n - n, 1e-9)
    return SlicePosterior(
        n / all_n, np.maximum(total / np.maximum(n, 1e-9), 0.0), rest,
        np.clip(precision, 0.0, 1.0), source, independent,
    )  # fmt: skip


def _draw_margin(
    one: Evidence, inside: Membership, at: Ints, kind: Ints, *, alone: bool,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Draw (k, r, g, l) P(predicate truly fulfilled | part of its labels, other labels, level)."""
    p = np.clip(one.member[at], 1e-4, 1 - 1e-4)  # (k, o, g, l)
    for number, s in enumerate(CONCENTRATIONS, start=1):
        rows = np.flatnonzero(kind == number)
        own = p[rows]
        p[rows] = rng.beta(s * own + one.hits, s * (1 - own) + one.checks - one.hits)
    parts = inside.list_parts(alone=alone)
    n = np.maximum(one.n[at], 1e-9)
    inner, whole = (np.einsum("ro,kogl->krgl", parts, part) for part in (p * n, n))
    return np.asarray(inner / whole)


def _fit_table(table: Floats, margins: Sequence[Floats]) -> Floats:
    """Fit each pattern's table to the margins; return (k, g, l) P(every predicate fulfilled).

    table: (k, g, l, 2, ..., 2). margins: for each attribute (k, r, rest, l), the patterns of its
    own labels first. The association of the predicates stays that of the table. Source: iterative
    proportional fitting, Deming and Stephan, Annals of Mathematical Statistics 11, 1940.
    """
    m = len(margins)
    if m == 1:
        return margins[0][:, :, 0]
    fitted = np.maximum(table, 1e-6)
    fitted /= fitted.sum(axis=tuple(range(3, 3 + m)), keepdims=True)
    shape = (len(table), *(2,) * m, table.shape[2])
    wanted = []
    for j, margin in enumerate(margins):
        patterns = margin.reshape(len(table), 2, *(2,) * (m - 1), table.shape[2])
        wanted.append(
            np.moveaxis(patterns, 1, j + 1).reshape(shape).reshape(len(table), -1, table.shape[2])
        )
    for _ in range(_ROUNDS):
        for j, inner in enumerate(wanted):
            others = tuple(3 + k for k in range(m) if k != j)
            now = fitted.sum(axis=others)  # (k, g, l, 2)
            goal = np.stack([1 - inner, inner], axis=-1)
            factor = goal / np.maximum(now, 1e-12)
            fitted = fitted * np.expand_dims(factor, others)
    return fitted[(..., *((1,) * m))]


def _pick(log_weight: Floats, rng: np.random.Generator) -> Ints:
    """Draw a column of each row of (d, k) by its weight."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    steps = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    chosen = (rng.random((len(steps), 1)) > steps).sum(axis=1)
    return np.asarray(np.minimum(chosen, log_weight.shape[1] - 1), np.int64)


def _resample(log_weight: Floats, rng: np.random.Generator) -> Ints:
    """Draw as many numbers of draws as there are by their weights, evenly spaced.

    Weights that would leave too few effective draws are raised to the largest power below 1 that
    leaves enough.
    """
    low, high = 0.0, 1.0
    if _count_effective(log_weight, 1.0) >= _LEAST_EFFECTIVE:
        low = 1.0
    else:
        for _ in range(30):
            power = (low + high) / 2
            if _count_effective(log_weight, power) >= _LEAST_EFFECTIVE:
                low = power
            else:
                high = power
    weight = _flatten(log_weight, low)
    steps = (np.arange(len(weight)) + rng.random()) / len(weight)
    return np.minimum(np.searchsorted(np.cumsum(weight / weight.sum()), steps), len(weight) - 1)


def _flatten(log_weight: Floats, power: float) -> Floats:
    top = log_weight.max()
    return np.where(np.isfinite(log_weight), np.exp(power * (log_weight - top)), 0.0)


def _count_effective(log_weight: Floats, power: float) -> float:
    weight = _flatten(log_weight, power)
    return float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300))

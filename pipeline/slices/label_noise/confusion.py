"""How labels of one attribute mix up its true values: draws from what the checks say."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.noise_rows import AttributeRows
from pipeline.slices.label_noise.resampling import pick_columns, resample
from pipeline.slices.label_noise.slice_cells import RowErrors

_PRIOR = 1.0  # checks that the prior of one label is worth, spread over the true values
_RIDGE = 1e-9  # keeps a singular draw finite
_LEAST = 1e-9
_PROPOSALS = 3  # draws proposed for each that is kept
FEWEST_CHECKS = 10  # of one attribute, without which nothing is corrected

# How far P(truth | label, error) may be from what independence makes of it: the concentration of a
# Dirichlet distribution around that; the first is independence. And the prior of each.
CONCENTRATIONS = (np.inf, 16.0, 4.0, 1.5)
PRIORS = (0.6, 0.4 / 3, 0.4 / 3, 0.4 / 3)


@dataclass(frozen=True)
class Confusion:
    """d draws of one attribute's confusion matrix at each of l error levels.

    purity: (d, l, o, t) P(truth | label, level). spread: (d, l, o, t) P(label | truth, level), the
    same for every level where label errors do not depend on the system's. inverse: (d, l, t, o)
    what turns the rows of each label into the rows of each true value. pooled: (d, o, t) P(truth |
    label). checks: (o, t) checked rows. kinds: (d,) which concentration each draw has.
    """

    rows: AttributeRows
    purity: Floats
    spread: Floats
    inverse: Floats
    pooled: Floats
    checks: Floats
    kinds: Ints

    @property
    def independent(self) -> float:
        """Posterior probability that label errors do not depend on the system's errors."""
        return float((self.kinds == 0).mean())


def draw_confusion(
    rows: AttributeRows, errors: RowErrors, *, draws: int, rng: np.random.Generator,
    dependent: bool | None = None,
) -> Confusion:  # fmt: skip
    """Draw confusion matrices from their posterior given the labels, errors and checks.

    P(truth | label) is proposed from its Dirichlet posterior, whose prior is worth one check of
    each label (Perks's prior: Berger, Bernardo and Sun, Bayesian Analysis 10, 2015, section 4).
    With independence P(truth | label, level) follows from it; without, it is Dirichlet around that.
    The proposals are resampled by the likelihood of the checks given their levels (sampling
    importance resampling: Rubin, 1988). dependent: True or False to decide, None to leave it to
    the checks.
    """
    checks = count_by_level(rows, errors)  # (l, o, t)
    n = count_labels_by_level(rows, errors)  # (l, o)
    shape = checks.sum(axis=0) + _PRIOR / checks.shape[2]
    gamma = rng.standard_gamma(np.broadcast_to(shape, (_PROPOSALS * draws, *shape.shape)))
    pooled = np.maximum(gamma / np.maximum(gamma.sum(axis=2, keepdims=True), 1e-300), 1e-12)
    share = n.sum(axis=0) / n.sum()
    spread, inverse = invert(pooled, share)
    expected = _expect_purity(spread, inverse, n)  # (d, l, o, t)
    straight = (checks * np.log(expected)).sum(axis=(1, 2, 3))
    straight -= (checks.sum(axis=0) * np.log(pooled)).sum(axis=(1, 2))
    logs = np.stack([_compare(checks, expected, s) for s in CONCENTRATIONS], axis=1)
    logs += straight[:, None] + np.log(PRIORS)
    if dependent is not None:
        logs[:, 0 if dependent else slice(1, None)] = -np.inf
    source = resample(special.logsumexp(logs, axis=1), draws, rng)
    kinds = pick_columns(logs[source], rng)
    purity = _depart(expected[source], checks, kinds, rng)
    spread, inverse = (_repeat(part[source], len(n)) for part in (spread, inverse))
    for level in range(len(n)):
        changed = np.flatnonzero(kinds > 0)
        if len(changed) and n[level].sum() > 0:
            spread[changed, level], inverse[changed, level] = invert(
                purity[changed, level], n[level] / n[level].sum()
            )
    return Confusion(rows, purity, spread, inverse, pooled[source], checks.sum(axis=0), kinds)


def expect_inverse(rows: AttributeRows) -> Floats:
    """Return the (t, o) inverse of the expected confusion matrix, the same at every error level."""
    shape = rows.count_checks() + _PRIOR / len(rows.values)
    pooled = (shape / shape.sum(axis=1, keepdims=True))[None]
    return np.asarray(invert(pooled, rows.count_labels() / len(rows.labels))[1][0])


def invert(purity: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Return P(label | truth), (d, o, t), and its left inverse, (d, t, o).

    purity: (d, o, t) P(truth | label). share: (o,) of the rows that have each label. With more
    labels than true values ("unknown" is one) the inverse is that of least squares weighted by
    1 / share, the first step of maximum likelihood.
    """
    joint = purity * share[:, None]  # (d, o, t)
    spread = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
    weighted = spread.transpose(0, 2, 1) / np.maximum(share, 1e-9)  # (d, t, o)
    normal = weighted @ spread
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / normal.shape[1]
    return spread, np.linalg.solve(normal + _RIDGE * size * np.eye(normal.shape[1]), weighted)


def count_by_level(rows: AttributeRows, errors: RowErrors) -> Floats:
    """Return (l, o, t) checked rows by weight."""
    known = np.flatnonzero(rows.truth >= 0)
    shape = (errors.count, len(rows.shown), len(rows.values))
    key = np.ravel_multi_index((errors.levels[known], rows.labels[known], rows.truth[known]), shape)
    counts = np.bincount(key, rows.weights[known], int(np.prod(shape)))
    return np.asarray(counts, np.float64).reshape(shape)


def count_labels_by_level(rows: AttributeRows, errors: RowErrors) -> Floats:
    """Return (l, o) rows."""
    shape = (errors.count, len(rows.shown))
    key = np.ravel_multi_index((errors.levels, rows.labels), shape)
    return np.bincount(key, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)


def _expect_purity(spread: Floats, inverse: Floats, n: Floats) -> Floats:
    """Return (d, l, o, t) P(truth | label, level) if labels do not depend on levels."""
    true = np.maximum(np.einsum("dto,lo->dlt", inverse, n), _LEAST * n.sum())
    chance = spread[:, None] * true[:, :, None]
    chance /= np.maximum(chance.sum(axis=3, keepdims=True), 1e-300)
    return np.maximum(chance, _LEAST)


def _compare(checks: Floats, expected: Floats, s: float) -> Floats:
    """Return the (d,) log likelihood ratio of concentration s to independence."""
    if not np.isfinite(s):
        return np.zeros(len(expected))
    checked = checks.sum(axis=2) > 0
    counts, some = checks[checked], expected[:, checked]  # (k, t), (d, k, t)
    ratio = special.gammaln(s * some + counts) - special.gammaln(s * some) - counts * np.log(some)
    total = counts.sum(axis=1)
    return np.asarray(
        ratio.sum(axis=(1, 2)) + (special.gammaln(s) - special.gammaln(s + total)).sum()
    )


def _depart(expected: Floats, checks: Floats, kinds: Ints, rng: np.random.Generator) -> Floats:
    """Draw P(truth | label, level) around what independence makes of it, given the checks."""
    purity = expected.copy()
    for kind, s in enumerate(CONCENTRATIONS):
        rows = np.flatnonzero(kinds == kind)
        if kind and len(rows):
            gamma = rng.standard_gamma(s * expected[rows] + checks)
            gamma = np.maximum(gamma, 1e-12)
            purity[rows] = gamma / gamma.sum(axis=3, keepdims=True)
    return purity


def _repeat(part: Floats, levels: int) -> Floats:
    return np.repeat(part[:, None], levels, axis=1)

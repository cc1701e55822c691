"""How labels of one attribute mix up its true values: draws from what the checks say."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.label_noise.noise_rows import AttributeRows
from pipeline.slices.label_noise.posterior_resampling import pick_columns, resample
from pipeline.slices.label_noise.slice_cells import RowErrors

_PRIOR = 1.0  # checks that the prior of one label is worth, spread over the true values
_RIDGE = 1e-9  # keeps a singular draw finite
_LEAST = 1e-9
_PROPOSALS = 3  # draws proposed for each that is kept
FEWEST_CHECKS = 10  # of one attribute, without which nothing is corrected

# What label errors may have to do with the system's: nothing; each wrong label is so many times
# likelier at the highest error level than at the lowest; P(truth | label, level) has a Dirichlet
# distribution of some concentration around that of the first. And the prior of each.
CONCENTRATIONS = (np.inf, 16.0, 4.0, 1.5)
PRIORS = (0.6, 0.4 / 3, 0.4 / 3, 0.4 / 3)
_TILTED = 2  # the kinds up to this have a model; kinds after it are departures
_KIND_PRIORS = (0.58, 0.25, 0.14, 0.01, 0.01, 0.01)
MOSTLY_KNOWN = 0.5  # share of rows of known truth from which nothing is left to a model
_TILT = 1.0  # standard deviation of the factor's logarithm


@dataclass(frozen=True)
class Confusion:
    """d draws of one attribute's confusion matrix at each of l error levels.

    purity: (d, l, o, t) P(truth | label, level). spread: (d, l, o, t) P(label | truth, level), the
    same for every level where label errors do not depend on the system's. inverse: (d, l, t, o)
    what turns the rows of each label into the rows of each true value. pooled: (d, o, t) P(truth |
    label). checks: (o, t) checked rows. kinds: (d,) 0 where label errors are independent of
    the system's, 1 with one factor, more where they depart from independence in any way.
    known: whether the truth of most rows is known, so that no model is used.
    """

    rows: AttributeRows
    purity: Floats
    spread: Floats
    inverse: Floats
    pooled: Floats
    checks: Floats
    kinds: Ints
    known: bool = False

    @property
    def departed(self) -> Ints:
        """The draws whose P(truth | label, level) follows no model."""
        return np.flatnonzero(self.kinds > _TILTED)

    @property
    def independent(self) -> float:
        """Posterior probability that label errors do not depend on the system's errors."""
        return 1.0 if self.known else float((self.kinds == 0).mean())


def draw_confusion(
    rows: AttributeRows, errors: RowErrors, *, draws: int, rng: np.random.Generator,
    dependent: bool | None = None,
) -> Confusion:  # fmt: skip
    """Draw confusion matrices from their posterior given the labels, errors and checks.

    P(truth | label) is proposed from its Dirichlet posterior by the weighted checks, whose prior is
    worth one check of each label (Perks's prior: Berger, Bernardo and Sun, Bayesian Analysis 10,
    2015, section 4).
    With independence P(truth | label, level) follows from it; CONCENTRATIONS says what else it may
    be.
    The proposals are resampled by the likelihood of the checks given their levels (sampling
    importance resampling: Rubin, 1988). dependent: True or False to decide, None to leave it to
    the checks.
    """
    checks = count_by_level(rows, errors)  # (l, o, t)
    n = count_labels_by_level(rows, errors)  # (l, o)
    pooled_checks = rows.count_checks()  # (o, t)
    shape = pooled_checks + _PRIOR / checks.shape[2]
    gamma = rng.standard_gamma(np.broadcast_to(shape, (_PROPOSALS * draws, *shape.shape)))
    pooled = np.maximum(gamma / np.maximum(gamma.sum(axis=2, keepdims=True), 1e-300), 1e-12)
    share = n.sum(axis=0) / n.sum()
    spread, inverse = (np.repeat(p[:, None], len(n), axis=1) for p in invert(pooled, share))
    models = [(spread, inverse), _tilt(spread, n, _draw_factors(rows, len(spread), rng)),
              _tilt(spread, n, _draw_factors(rows, len(spread), rng, free=True))]  # fmt: skip
    expected = [_expect_purity(*model, n) for model in models]  # (d, l, o, t) each
    plain = (pooled_checks * np.log(pooled)).sum(axis=(1, 2))
    first, *tilted = ((checks * np.log(p)).sum(axis=(1, 2, 3)) - plain for p in expected)
    departed = [first + _compare(checks, expected[0], s) for s in CONCENTRATIONS[1:]]
    logs = np.stack([first, *tilted, *departed], axis=1) + np.log(_KIND_PRIORS)
    known = bool(checks.sum() >= MOSTLY_KNOWN * n.sum())
    if known:
        logs[:, :-1] = -np.inf  # the checks leave nothing to a model
    elif dependent is not None:
        logs[:, slice(0, 1) if dependent else slice(1, None)] = -np.inf
    elif not (checks.sum(axis=0) * find_wrong(rows)).any():
        logs[:, _TILTED + 1 :] = -np.inf  # no wrong label, nothing that it could depend on
    source = resample(special.logsumexp(logs, axis=1), draws, rng)
    kinds = pick_columns(logs[source], rng)
    model = np.where(kinds <= _TILTED, kinds, 0)
    purity, spread, inverse = (
        np.stack(parts)[model, source]
        for parts in (expected, [m[0] for m in models], [m[1] for m in models])
    )
    purity = _depart(purity, checks, kinds, rng)
    changed = np.flatnonzero(kinds > _TILTED)
    for level in range(len(n) if len(changed) else 0):
        spread[changed, level], inverse[changed, level] = invert(
            purity[changed, level], n[level] / max(n[level].sum(), 1.0)
        )
    return Confusion(
        rows, purity, spread, inverse, pooled[source], checks.sum(axis=0), kinds, known=known
    )


def find_wrong(rows: AttributeRows) -> Mask:
    """Return (o, t) which labels are wrong for which true values, "unknown" for all."""
    return np.array([[o != t for t in rows.values] for o in rows.shown])


def _draw_factors(
    rows: AttributeRows, draws: int, rng: np.random.Generator, *, free: bool = False
) -> Floats:
    """Draw (d, o, t) log factors: 0 for right labels, one for all wrong ones, or one for each."""
    wrong = find_wrong(rows)
    shape = wrong.shape if free else (1, 1)
    return np.asarray(rng.normal(0.0, _TILT, (draws, *shape)) * wrong)


def _tilt(spread: Floats, n: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """Multiply wrong labels by their factors from the lowest error level to the highest."""
    rank = np.linspace(-0.5, 0.5, len(n)) if len(n) > 1 else np.zeros(1)
    tilted = spread * np.exp(factors[:, None] * rank[:, None, None])
    tilted /= tilted.sum(axis=2, keepdims=True)
    inverses = [
        _invert_spread(tilted[:, level], n[level] / max(n[level].sum(), 1.0))
        for level in range(len(n))
    ]
    return tilted, np.stack(inverses, axis=1)


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
    return spread, _invert_spread(spread, share)


def _invert_spread(spread: Floats, share: Floats) -> Floats:
    weighted = spread.transpose(0, 2, 1) / np.maximum(share, 1e-9)  # (d, t, o)
    normal = weighted @ spread
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / normal.shape[1]
    return np.asarray(np.linalg.solve(normal + _RIDGE * size * np.eye(len(normal[0])), weighted))


def count_by_level(rows: AttributeRows, errors: RowErrors) -> Floats:
    """Return (l, o, t) checked rows by weight."""
    known = np.flatnonzero(rows.truth >= 0)
    shape = (errors.count, len(rows.shown), len(rows.values))
    key = np.ravel_multi_index((errors.levels[known], rows.labels[known], rows.truth[known]), shape)
    counts = np.bincount(key, rows.own_weights[known], int(np.prod(shape)))
    return np.asarray(counts, np.float64).reshape(shape)


def count_labels_by_level(rows: AttributeRows, errors: RowErrors) -> Floats:
    """Return (l, o) rows."""
    shape = (errors.count, len(rows.shown))
    key = np.ravel_multi_index((errors.levels, rows.labels), shape)
    return np.bincount(key, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)


def _expect_purity(spread: Floats, inverse: Floats, n: Floats) -> Floats:
    """Return (d, l, o, t) P(truth | label, level) from the confusion matrices."""
    true = np.maximum(np.einsum("dlto,lo->dlt", inverse, n), _LEAST * n.sum())
    chance = spread * true[:, :, None]
    chance /= np.maximum(chance.sum(axis=3, keepdims=True), 1e-300)
    return np.asarray(np.maximum(chance, _LEAST))


def _compare(checks: Floats, expected: Floats, s: float) -> Floats:
    """Return the (d,) log likelihood ratio of concentration s to independence.

    Labels whose checks all agree show nothing of a dependence and are left out.
    """
    mixed = (checks.sum(axis=0) > 0).sum(axis=1) > 1  # (o,)
    checked = (checks.sum(axis=2) > 0) & mixed
    counts, some = checks[checked], expected[:, checked]  # (k, t), (d, k, t)
    ratio = special.gammaln(s * some + counts) - special.gammaln(s * some) - counts * np.log(some)
    total = counts.sum(axis=1)
    whole = special.gammaln(s) - special.gammaln(s + total)
    return np.asarray(ratio.sum(axis=(1, 2)) + whole.sum())


def _depart(expected: Floats, checks: Floats, kinds: Ints, rng: np.random.Generator) -> Floats:
    """Draw P(truth | label, level) around what independence makes of it, given the checks."""
    purity = expected.copy()
    for kind, s in enumerate(CONCENTRATIONS[1:], start=_TILTED + 1):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            gamma = rng.standard_gamma(s * expected[rows] + checks)
            gamma = np.maximum(gamma, 1e-12)
            purity[rows] = gamma / gamma.sum(axis=3, keepdims=True)
    return purity

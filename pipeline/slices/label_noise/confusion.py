"""How labels of one attribute mix up its true values: draws from what the checks say."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats
from pipeline.slices.label_noise.noise_rows import AttributeRows

_PRIOR = 1.0  # checks that the prior of one label is worth, spread over the true values
_RIDGE = 1e-9  # keeps a singular draw finite
FEWEST_CHECKS = 10  # of one attribute, without which nothing is corrected


@dataclass(frozen=True)
class Confusion:
    """Draws of one attribute's confusion matrix.

    purity: (d, o, t) P(truth | label). spread: (d, o, t) P(label | truth), which does not change
    with the share of the true values in a slice. inverse: (d, t, o) what turns the rows of each
    label into the rows of each true value. checks: (o, t) checked rows.
    """

    rows: AttributeRows
    purity: Floats
    spread: Floats
    inverse: Floats
    checks: Floats


def draw_confusion(rows: AttributeRows, *, draws: int, rng: np.random.Generator) -> Confusion:
    """Draw P(truth | label) from its Dirichlet posterior, and what follows from it.

    The prior of a label is worth one check, spread evenly over the true values (Perks's prior:
    Berger, Bernardo and Sun, Bayesian Analysis 10, 2015, section 4).
    """
    checks = rows.count_checks()
    shape = checks + _PRIOR / checks.shape[1]
    gamma = rng.standard_gamma(np.broadcast_to(shape, (draws, *shape.shape)))
    purity = gamma / np.maximum(gamma.sum(axis=2, keepdims=True), 1e-300)
    share = rows.count_labels() / len(rows.labels)
    return Confusion(rows, purity, *invert(purity, share), checks)


def expect_confusion(rows: AttributeRows) -> Confusion:
    """Return the posterior mean in place of draws: d is 1."""
    checks = rows.count_checks()
    shape = checks + _PRIOR / checks.shape[1]
    purity = (shape / shape.sum(axis=1, keepdims=True))[None]
    return Confusion(rows, purity, *invert(purity, rows.count_labels() / len(rows.labels)), checks)


def invert(purity: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Return P(label | truth), (d, o, t), and its left inverse, (d, t, o).

    purity: (d, o, t) P(truth | label). share: (o,) of the rows that have each label. With more
    labels than true values ("unknown" is one) the inverse is that of least squares weighted by
    1 / share, the first step of maximum likelihood.
    """
    joint = purity * share[:, None]  # (d, o, t)
    spread = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
    weighted = spread.transpose(0, 2, 1) / np.maximum(share, 1e-300)  # (d, t, o)
    normal = weighted @ spread
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / normal.shape[1]
    return spread, np.linalg.solve(normal + _RIDGE * size * np.eye(normal.shape[1]), weighted)

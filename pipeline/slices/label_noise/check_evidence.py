"""What checked rows say of the draws beyond their own labels: by error and by other labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.confusion import Confusion
from pipeline.slices.label_noise.slice_cells import RowErrors
from pipeline.slices.label_noise.slice_draws import Membership

# How far P(truth | label, error, other labels) may be from what independence makes of it: the
# concentration of a Dirichlet distribution around that.
CONCENTRATIONS = (16.0, 4.0, 1.5)
PRIOR_INDEPENDENT = 0.6
_LEAST = 1e-9


@dataclass(frozen=True)
class Evidence:
    """What the checks of one attribute say of d draws, g patterns of the other labels, l levels.

    gain: (d,) log likelihood of the checks given error and other labels, less that given the label
    alone. departures: (d, s) log likelihood ratio of each concentration to independence. member:
    (d, o, g, l) P(predicate truly fulfilled) with independence. hits, checks: (o, g, l) checked
    rows, of which hits fulfil it. n: (d, o, g, l) rows.
    """

    gain: Floats
    departures: Floats
    member: Floats
    hits: Floats
    checks: Floats
    n: Floats


def weigh_checks(
    n: Floats, confusions: Sequence[Confusion], inside: Sequence[Membership], j: int,
    errors: RowErrors,
) -> Evidence:  # fmt: skip
    """Weigh draws by the checks of attribute j given their errors and the labels of the others.

    n: (d, o, ..., l) drawn rows by label of each attribute and level. The draws come from P(truth |
    label) alone; with independence P(truth | label, error, other labels) follows from the tables of
    a draw, and the ratio of the two is its weight (sampling importance resampling: Rubin, 1988).
    With a concentration s the checks of a label, pattern and level are Dirichlet-multinomial.
    """
    confusion, one = confusions[j], inside[j]
    checks = _count_checks(confusions, inside, j, errors)  # (o, t, g, l)
    drawn = _sum_others(n, inside, j)  # (d, o, g, l)
    true = np.maximum(np.einsum("dto,dogl->dtgl", confusion.inverse, drawn), _LEAST)
    chance = confusion.spread[..., None, None] * true[:, None]  # (d, o, t, g, l)
    chance /= np.maximum(chance.sum(axis=2, keepdims=True), 1e-300)
    chance = np.maximum(chance, _LEAST)
    gain = np.einsum("otgl,dotgl->d", checks, np.log(chance))
    purity = np.log(np.maximum(confusion.purity, _LEAST))
    gain -= np.einsum("ot,dot->d", checks.sum(axis=(2, 3)), purity)
    return Evidence(
        gain, _compare(checks, chance), chance[:, :, one.true].sum(axis=2),
        checks[:, one.true].sum(axis=1), checks.sum(axis=1), drawn,
    )  # fmt: skip


def _sum_others(n: Floats, inside: Sequence[Membership], j: int) -> Floats:
    """Sum drawn cells to the labels of attribute j and the pattern of the others: (d, o, g, l)."""
    cells = np.moveaxis(n, j + 1, 1)
    others = [one for k, one in enumerate(inside) if k != j]
    for axis, one in enumerate(others):
        parts = one.list_parts(alone=False)
        cells = np.moveaxis(np.tensordot(parts, cells, ([1], [axis + 2])), 0, axis + 2)
    return cells.reshape(*cells.shape[:2], -1, cells.shape[-1])


def _count_checks(
    confusions: Sequence[Confusion], inside: Sequence[Membership], j: int, errors: RowErrors
) -> Floats:
    rows = confusions[j].rows
    known = np.flatnonzero(rows.truth >= 0)
    number: Ints = np.zeros(len(known), np.int64)
    for k, (confusion, one) in enumerate(zip(confusions, inside, strict=True)):
        if k != j:
            number = number * 2 + one.shown[confusion.rows.labels[known]]
    shape = (len(rows.shown), len(rows.values), 1 << (len(inside) - 1), errors.count)
    key = np.ravel_multi_index(
        (rows.labels[known], rows.truth[known], number, errors.levels[known]), shape
    )
    counts = np.bincount(key, rows.weights[known], int(np.prod(shape)))
    return np.asarray(counts, np.float64).reshape(shape)


def _compare(checks: Floats, chance: Floats) -> Floats:
    """Return (d, s) log likelihood ratios. checks: (o, t, g, l). chance: (d, o, t, g, l)."""
    checked = checks.sum(axis=1) > 0  # (o, g, l)
    some = np.moveaxis(chance, 2, -1)[:, checked]  # (d, k, t)
    counts = np.moveaxis(checks, 1, -1)[checked]  # (k, t)
    straight = (counts * np.log(some)).sum(axis=(1, 2))
    ratios = []
    for s in CONCENTRATIONS:
        alpha = s * some
        spread = (special.gammaln(alpha + counts) - special.gammaln(alpha)).sum(axis=(1, 2))
        spread += (special.gammaln(s) - special.gammaln(s + counts.sum(axis=1))).sum()
        ratios.append(spread - straight)
    return np.stack(ratios, axis=1)


def log_priors() -> Floats:
    """Return (1 + s,) log prior probabilities of independence and of each concentration."""
    rest = (1 - PRIOR_INDEPENDENT) / len(CONCENTRATIONS)
    return np.log(np.array([PRIOR_INDEPENDENT, *[rest] * len(CONCENTRATIONS)]))

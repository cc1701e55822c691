"""The posterior of a slice: draws chosen by what the checks say, as sizes, errors and precision."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.check_evidence import (
    Evidence,
    JointChecks,
    compare_binomial,
    expect_membership,
)
from pipeline.slices.label_noise.confusion import CONCENTRATIONS, PRIORS
from pipeline.slices.label_noise.posterior_resampling import pick_columns, resample
from pipeline.slices.label_noise.slice_draws import SliceDraws

WIDER = 1.3  # times as wide are intervals of errors where independence is not established
FEWEST_JOINT = 30.0  # rows checked for all attributes, from which departures are estimated


@dataclass(frozen=True)
class SlicePosterior:
    """(d,) equally likely draws of a slice. source: which draw of the confusion each comes from.

    labelled, rest_labelled: mean errors of the rows labelled as the slice, and of the others; NaN
    where there are none.
    joint: the share of draws that take P(in the slice | labels, level) from rows checked for all
    its attributes.
    """

    share: Floats
    error: Floats
    rest_error: Floats
    precision: Floats
    labelled: Floats
    rest_labelled: Floats
    source: Ints
    joint: float


def widen_errors(posterior: SlicePosterior, *, most: float) -> SlicePosterior:
    """Spread the draws of errors about their medians, for slices whose labels may be dependent.

    most: the largest error. What form a dependence has is less sure than the models of it in
    `draw_confusion` say. Of generated tables with one 87 to 92 % of the intervals held the truth
    without this, see docs/label_noise.md.
    """

    def spread(draws: Floats) -> Floats:
        middle = float(np.median(draws))
        return np.clip(middle + WIDER * (draws - middle), 0.0, most)

    return replace(
        posterior, error=spread(posterior.error), rest_error=spread(posterior.rest_error)
    )


def draw_posterior(
    draws: SliceDraws, evidence: Evidence, joint: JointChecks | None, *, rng: np.random.Generator
) -> SlicePosterior:
    """Resample the possible draws by their weights.

    joint: the rows checked for all of several attributes, where they are many enough. With them
    P(in the slice | pattern, level) may depart from what independence makes of it, as
    P(truth | label, level) may, see `draw_confusion`.
    """
    log_weight = np.where(draws.possible, evidence.log_weight, -np.inf)
    count = len(log_weight)
    logs = np.zeros((count, 1))
    member = expect_membership(draws)
    if joint is not None:
        k, miss = joint.hits, joint.n - joint.hits
        logs = np.stack([compare_binomial(k, miss, member, s) for s in CONCENTRATIONS], axis=1)
        logs = logs + np.log(PRIORS)
        if joint.known:
            logs[:, :-1] = -np.inf
    source = resample(log_weight + special.logsumexp(logs, axis=1), count, rng)
    kinds = pick_columns(logs[source], rng)
    mass, total = draws.mass[source], draws.total[source]
    for kind, s in enumerate(CONCENTRATIONS):
        rows = np.flatnonzero(kinds == kind)
        if kind and joint is not None and len(rows):
            at = source[rows]
            share = rng.beta(s * member[at] + k, s * (1 - member[at]) + miss)
            mass[rows] = share * draws.shown[at]
            total[rows] = (share * draws.shown_total[at]).sum(axis=(1, 2))
    return _tabulate(draws, source, mass, total, float((kinds > 0).mean()))


def _tabulate(
    draws: SliceDraws, source: Ints, mass: Floats, total: Floats, joint: float
) -> SlicePosterior:
    shown, all_total = draws.shown[source].sum(axis=2), draws.shown_total[source].sum(axis=(1, 2))
    n, all_n = mass.sum(axis=(1, 2)), shown.sum(axis=1)
    labelled = np.maximum(shown[:, draws.inner].sum(axis=1), 1e-9)
    precision = mass[:, draws.inner].sum(axis=(1, 2)) / labelled
    own_total = draws.shown_total[source][:, draws.inner].sum(axis=(1, 2))
    own = np.where(shown[:, draws.inner].sum(axis=1) > 0, own_total / labelled, np.nan)
    others = all_n - shown[:, draws.inner].sum(axis=1)
    rest_labelled = np.where(others > 0, (all_total - own_total) / np.maximum(others, 1e-9), np.nan)
    rest = np.maximum(all_total - total, 0.0) / np.maximum(all_n - n, 1e-9)
    return SlicePosterior(
        n / all_n, np.maximum(total / np.maximum(n, 1e-9), 0.0), rest,
        np.clip(precision, 0.0, 1.0), own, rest_labelled, source, joint,
    )  # fmt: skip

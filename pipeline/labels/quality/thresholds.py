"""From which margin labels are as right as is wanted, with a bound that holds for new samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special

from pipeline.arrays import Floats, Mask
from pipeline.tables import LABEL_THRESHOLDS, check
from pipeline.vocabulary import LEVEL

MOST_MARGINS = 20  # that are tried of a value
_SAMPLES_A_MARGIN = 25
_DECIMALS = 6  # of a margin, so that a sum of another order gives the same label_id


@dataclass(frozen=True, eq=False)
class MarginedLabels:
    """The labels of one value on n samples whose truth is known, and how sure each of them is.

    margins: (n,). right: (n,). weights: (n,) 1 / inclusion. cluster_ids: (n,) the images.
    """

    margins: Floats
    right: Mask
    weights: Floats
    cluster_ids: pl.Series


@dataclass(frozen=True)
class Threshold:
    """The least margin of one value that gives the wanted precision.

    margin: None where none is shown to. precision, precision_low: of labels of that margin or more,
    else of the margin whose bound is best; low holds with 95 % confidence for all margins tried.
    kept: share of the value's labels that reach the margin.
    """

    value: str
    wanted: float
    margin: float | None
    precision: float | None
    precision_low: float | None
    kept: float


def choose_margin(labels: MarginedLabels, *, value: str, wanted: float) -> Threshold:
    """Choose the least margin from which the precision is at least `wanted` with 95 % confidence.

    The margins tried are quantiles of the labels' margins, one for 25 effective samples and at most
    20. Each gets Clopper and Pearson's lower limit (Biometrika 26, 1934) at 5 % over their number
    (Bonferroni), so that the chosen one's limit holds although it was chosen by the same samples
    (compare Angelopoulos et al., Learn then Test, 2021). Weighted samples count as Kish's effective
    number of them, those of one image as one.
    """
    if not len(labels.margins):
        return Threshold(value, wanted, None, None, None, 0.0)
    everything = np.ones(len(labels.margins), np.bool_)
    tried = int(np.clip(_count_effective(labels, everything) // _SAMPLES_A_MARGIN, 1, MOST_MARGINS))
    quantiles = np.quantile(labels.margins, np.arange(tried) / tried, method="lower")
    margins = np.unique(np.floor(quantiles * 10**_DECIMALS) / 10**_DECIMALS)
    margins[0] = 0.0
    bounds = [_bound_precision(labels, labels.margins >= m, level=LEVEL / tried) for m in margins]
    good = [number for number, (_, low) in enumerate(bounds) if low >= wanted]
    best = good[0] if good else int(np.argmax([low for _, low in bounds]))
    kept = labels.weights[labels.margins >= margins[best]].sum() / labels.weights.sum()
    return Threshold(
        value,
        wanted,
        margin=float(margins[best]) if good else None,
        precision=bounds[best][0],
        precision_low=bounds[best][1],
        kept=float(kept) if good else 0.0,
    )


def list_thresholds(
    thresholds: Sequence[Threshold], *, attribute: str, origin: str
) -> pl.DataFrame:
    """Return LABEL_THRESHOLDS of one attribute. origin: truth or checks."""
    rows = [
        {
            "attribute": attribute,
            "value": one.value,
            "origin": origin,
            "wanted": one.wanted,
            "margin": one.margin,
            "precision": one.precision,
            "precision_low": one.precision_low,
            "kept": one.kept,
            "separation": None,
            "note": None if one.margin is not None else explain_absence(one),
        }
        for one in thresholds
    ]
    frame = pl.DataFrame(rows, schema=dict(LABEL_THRESHOLDS))
    return check(frame, LABEL_THRESHOLDS, table="label_thresholds")


def explain_absence(threshold: Threshold) -> str:
    """Say why a value has no margin that gives the wanted precision."""
    if threshold.precision_low is None:
        return "no label of it is judged"
    return (
        f"no margin is shown to give {_write_percent(threshold.wanted)}; the best one gives at "
        f"least {_write_percent(threshold.precision_low)}"
    )


def list_never_given(thresholds: Sequence[Threshold], *, attribute: str) -> tuple[str, ...]:
    """Return a sentence for each value that no margin makes right enough to be given."""
    return tuple(
        f"{attribute}: no sample is labelled {one.value!r}: {explain_absence(one)}; give a lower "
        "`precision`, or check more labels"
        for one in thresholds
        if one.margin is None
    )


def list_margins(thresholds: Sequence[Threshold]) -> tuple[float, ...]:
    """Return the margin of each value, infinite where it is never given."""
    return tuple(np.inf if one.margin is None else one.margin for one in thresholds)


def _write_percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _count_effective(labels: MarginedLabels, rows: Mask) -> float:
    weights = labels.weights[rows]
    images = labels.cluster_ids.filter(pl.Series(rows)).n_unique()
    return float(weights.sum() ** 2 / (weights**2).sum() * images / len(weights))


def _bound_precision(labels: MarginedLabels, rows: Mask, *, level: float) -> tuple[float, float]:
    """Return the precision of some labels and its lower limit at `level`."""
    share = float(np.average(labels.right[rows], weights=labels.weights[rows]))
    size = _count_effective(labels, rows)
    right = share * size
    low = float(special.betaincinv(right, size - right + 1, level)) if right > 0 else 0.0
    return share, low

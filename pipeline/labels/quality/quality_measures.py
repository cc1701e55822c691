"""Accuracy, precision, recall, F1, abstention and confusion of labels, each with its interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from pipeline.labels.quality.judged_labels import JudgedLabels, Share
from pipeline.tables import LABEL_CONFUSION, LABEL_QUALITY, check
from pipeline.vocabulary import UNKNOWN

METRICS = ("accuracy", "precision", "recall", "f1", "abstention")


def measure_quality(
    judged: JudgedLabels, *, attribute: str, method: str, judged_by: str
) -> pl.DataFrame:
    """Measure how good the labels are, as a whole and by value.

    judged_by: "truth" or "checks". Returns LABEL_QUALITY: first the row of all values, then one for
    each value that is true or labelled anywhere; nothing without samples. A sample labelled
    "unknown" counts against recall and F1, not against precision and accuracy. F1 is 2 J / (1 + J)
    of the share J = right / (labelled or true), and so is its interval (Hand, Christen and
    Kirielle, Machine Learning 110, 2021). Means over the values have the interval of independent
    shares (Zou and Donner, Statistics in Medicine 27, 2008), that of F1, whose parts are not
    independent, the mean of the ends.
    """
    if not len(judged.true):
        return pl.DataFrame(schema=dict(LABEL_QUALITY))
    values = [v for v in judged.values[:-1] if judged.counts[_mark(judged, v)].any()]
    by_value = {value: _measure_value(judged, value) for value in values}
    keys = {
        "attribute": attribute,
        "method": method,
        "judged_by": judged_by,
        "n": len(judged.true),
        "effective_n": judged.effective_n,
    }
    rows = [_spread(keys | _count(judged, None), _measure_all(judged, list(by_value.values())))]
    rows[0]["kappa"] = _measure_kappa(judged)
    rows += [_spread(keys | _count(judged, value), own) for value, own in by_value.items()]
    frame = pl.DataFrame(
        [{name: row.get(name) for name in LABEL_QUALITY} for row in rows],
        schema=dict(LABEL_QUALITY),
    )
    return check(frame, LABEL_QUALITY, table="label_quality")


def count_confusion(judged: JudgedLabels, *, attribute: str, method: str) -> pl.DataFrame:
    """Count which label the samples of each true value get.

    Returns LABEL_CONFUSION, in the order of the values; values that are never true are left out.
    """
    rows = []
    for row, true in enumerate(judged.values[:-1]):
        if not judged.counts[row].any():
            continue
        among = judged.mark_cells(true=[true])
        for column, given in enumerate(judged.values):
            share = judged.estimate(judged.mark_cells(given=[given]), among)
            count = int(judged.counts[row, column])
            rows.append((attribute, method, true, given, count, share.value, share.low, share.high))
    frame = pl.DataFrame(rows, schema=dict(LABEL_CONFUSION), orient="row")
    return check(frame, LABEL_CONFUSION, table="label_confusion")


def _mark(judged: JudgedLabels, value: str) -> Any:  # noqa: ANN401 - a mask to index with
    return judged.mark_cells(true=[value]) | judged.mark_cells(given=[value])


def _measure_value(judged: JudgedLabels, value: str) -> dict[str, Share]:
    others = [name for name in judged.values[:-1] if name != value]
    true, given = judged.mark_cells(true=[value]), judged.mark_cells(given=[value])
    right = (true & given) | judged.mark_cells(true=others, given=others)
    return {
        "accuracy": judged.estimate(right, judged.mark_cells(given=judged.values[:-1])),
        "precision": judged.estimate(true, given),
        "recall": judged.estimate(given, true),
        "f1": _turn_to_f1(judged.estimate(true & given, true | given)),
        "abstention": judged.estimate(judged.mark_cells(given=[UNKNOWN]), true),
    }


def _measure_all(judged: JudgedLabels, by_value: Sequence[dict[str, Share]]) -> dict[str, Share]:
    labelled = judged.mark_cells(given=judged.values[:-1])
    means = {
        name: _average([own[name] for own in by_value], independent=name != "f1")
        for name in ("precision", "recall", "f1")
    }
    everything = judged.mark_cells()
    return {
        "accuracy": judged.estimate(np.eye(len(judged.values), dtype=np.bool_), labelled),
        **means,
        "abstention": judged.estimate(judged.mark_cells(given=[UNKNOWN]), everything),
    }


def _turn_to_f1(share: Share) -> Share:
    return Share(*(2 * end / (1 + end) for end in (share.value, share.low, share.high)))


def _average(shares: Sequence[Share], *, independent: bool) -> Share:
    """Return the mean of those shares that there are; without an interval if one has none."""
    there = [share for share in shares if not np.isnan(share.value)]
    if not there:
        return Share()
    mean = float(np.mean([share.value for share in there]))
    down = np.array([share.value - share.low for share in there])
    up = np.array([share.high - share.value for share in there])
    power = 2 if independent else 1
    below, above = ((ends**power).sum() ** (1 / power) / len(there) for ends in (down, up))
    return Share(mean, float(np.maximum(mean - below, 0.0)), float(np.minimum(mean + above, 1.0)))


def _measure_kappa(judged: JudgedLabels) -> float | None:
    """Return Cohen's kappa (1960) of those labelled; None where chance alone agrees, or none is."""
    labelled = judged.joint[:-1, :-1]
    if labelled.sum() <= 0:
        return None
    labelled = labelled / labelled.sum()
    chance = float(labelled.sum(axis=0) @ labelled.sum(axis=1))
    return None if chance > 1 - 1e-12 else (float(np.trace(labelled)) - chance) / (1 - chance)


def _count(judged: JudgedLabels, value: str | None) -> dict[str, Any]:
    counts = judged.counts
    if value is None:
        return {"value": None, "support": int(counts.sum()), "labelled": int(counts[:, :-1].sum())}
    code = judged.values.index(value)
    return {
        "value": value,
        "support": int(counts[code].sum()),
        "labelled": int(counts[:, code].sum()),
    }


def _spread(keys: dict[str, Any], shares: dict[str, Share]) -> dict[str, Any]:
    row = dict(keys)
    for name, share in shares.items():
        ends = {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
        row |= {key: None if np.isnan(end) else end for key, end in ends.items()}
    return row

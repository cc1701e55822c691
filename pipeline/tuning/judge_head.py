"""What tuning gained and lost: numbers that can fall, beside the one that proves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Array, Floats, Ints
from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.tables.tuning_tables import TUNING
from pipeline.tuning.head_training import Target

NO_PROOF = (
    "mean cosine of images and their own captions: it can rise while accuracy falls, since all "
    "cosines may rise together, so it proves nothing"
)


@dataclass(frozen=True)
class Change:
    """A mean difference of paired rows, and its 95 % interval."""

    value: float
    low: float
    high: float


def judge_values(vectors: Array, target: Target) -> Ints:
    """Return (n,) the value whose mean caption each of (n, d) unit vectors is most like."""
    count = int(target.owners.max()) + 1
    means = np.stack(
        [target.captions[target.owners == value].mean(axis=0) for value in range(count)]
    )
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    best: Ints = (vectors.astype(np.float64) @ means.T).round(9).argmax(axis=1)
    return best


def weigh_hits(values: Ints, classes: Ints) -> Floats:
    """Return (m,) of the images with a known value numbers whose mean is the balanced accuracy.

    values, classes: (n,) judged and true, -1 where not known.
    """
    known = classes >= 0
    true, hit = classes[known], (values == classes)[known]
    present, sizes = np.unique(true, return_counts=True)
    weight = len(true) / (len(present) * sizes[np.searchsorted(present, true)])
    hits: Floats = hit * weight
    return hits


def compare_hits(before: Floats, after: Floats, groups: pl.Series) -> Change:
    """Return the mean of after - before with its interval; rows of one group hang together."""
    values = number_clusters(after - before, groups)
    rows = np.arange(len(before))
    own = estimate_mean(values, rows)
    half = 1.959964 * max(own.variance, 0.0) ** 0.5
    return Change(own.value, own.value - half, own.value + half)


def join_hits(parts: Sequence[tuple[Floats, pl.Series]]) -> tuple[Floats, pl.Series]:
    """Return the hits of several attributes as one: their mean is the mean of all.

    parts: hits and groups of each.
    """
    total = sum(len(hits) for hits, _ in parts)
    scaled = [hits * (total / len(parts) / max(len(hits), 1)) for hits, _ in parts]
    return np.concatenate(scaled), pl.concat([groups for _, groups in parts])


def describe_target(name: str, way: str, vectors: Array, target: Target) -> pl.DataFrame:
    """Return TUNING of one attribute: one row. vectors: (n, d) unit vectors of its images."""
    known = target.classes >= 0
    own, classes = vectors[known].astype(np.float64), target.classes[known]
    cosines = own @ target.captions.T  # (m, k)
    match = classes[:, None] == target.owners
    hits = weigh_hits(judge_values(vectors, target), target.classes)
    best = match[
        cosines.argmax(axis=0), np.arange(match.shape[1])
    ]  # the best image of each caption
    matched, others = float(cosines[match].mean()), float(cosines[~match].mean())
    row = {
        "attribute": name,
        "way": way,
        "n": int(known.sum()),
        "accuracy": float(hits.mean()),
        "recall_image": float(match[np.arange(len(own)), cosines.argmax(axis=1)].mean()),
        "recall_text": float(best.mean()),
        "precision": _measure_precision(judge_values(vectors, target)[known], classes),
        "matched_less_others": matched - others,
        "matched": matched,
    }
    return pl.DataFrame([row], schema=dict(TUNING))


def describe_probe(name: str, values: Ints, classes: Ints) -> pl.DataFrame:
    """Return TUNING of a linear probe; it knows no captions, so what needs these is null."""
    hits = weigh_hits(values, classes)
    row = dict.fromkeys(TUNING) | {
        "attribute": name,
        "way": "linear probe",
        "n": len(hits),
        "accuracy": float(hits.mean()),
        "precision": _measure_precision(values[classes >= 0], classes[classes >= 0]),
    }
    return pl.DataFrame([row], schema=dict(TUNING))


def _measure_precision(values: Ints, classes: Ints) -> float:
    """Return the mean precision of the labels that are given at all."""
    given = np.unique(values)
    return float(np.mean([(classes[values == one] == one).mean() for one in given]))

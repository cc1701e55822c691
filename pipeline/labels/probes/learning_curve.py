"""How right a probe's labels are by the number of examples a value, and what more would bring."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask, Vectors
from pipeline.labels.probes.examples import Examples, assign_folds, split_values
from pipeline.labels.probes.linear_probe import Probe, fit_probe
from pipeline.statistics.estimates import estimate_from_spread, sum_weights
from pipeline.statistics.intervals import Z
from pipeline.tables import LEARNING_CURVE, check

SIZES = (5, 10, 20, 50, 100)  # examples a value
_FOLDS = 5
_REPEATS = 3  # draws of the examples in each fold
_SMALL_GAIN = 0.02  # of the share right; less is "little"


def measure_learning_curve(
    examples: Examples,
    probe: Probe,
    *,
    values: Sequence[str],
    anchors: Floats | None = None,
    min_margin: float = 0.0,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
) -> pl.DataFrame:
    """Train on fewer of the examples and label the others.

    examples, values, anchors: as `fit_probe` got them to make `probe`, whose strength is used.
    min_margin: as the attribute's. A size is measured where at least two values have it in every
    training part. Each sample is labelled by probes that were not trained on its cluster; the
    intervals are of these samples, not of the draws of examples, over which is averaged. Returns
    LEARNING_CURVE.
    """
    kept, _ = split_values(examples, values)
    own = examples.select(examples.values.is_in(kept).to_numpy())
    codes = own.values.replace_strict(list(kept), range(len(kept)), return_dtype=pl.Int64)
    classes: Ints = codes.to_numpy()
    folds = assign_folds(classes, own.cluster_ids, seed=seed, folds=_FOLDS)
    rows: list[dict[str, object]] = []
    before: Floats | None = None
    for size in sizes:
        smallest = min(_second(np.bincount(classes[folds != f])) for f in range(_FOLDS))
        if smallest < size:
            break
        right, count = _measure_size(own, classes, folds, probe, values, anchors, min_margin,
                                     size=size, seed=seed)  # fmt: skip
        row = {"attribute": probe.attribute, "size": size, "examples": count}
        rows.append(row | _estimate(right, before, own))
        before = right
    frame = pl.DataFrame(rows, schema=dict(LEARNING_CURVE))
    return check(frame, LEARNING_CURVE, table="learning curve")


def describe_gain(curve: pl.DataFrame) -> str:
    """Say in one sentence how much further checks would help; nothing of an empty curve.

    curve: LEARNING_CURVE of one attribute.
    """
    if curve.is_empty():
        return ""
    last: Mapping[str, float] = curve.row(-1, named=True)
    has = f"{last['size']} checks a value make {100 * last['right']:.0f} % of the labels right"
    if curve.height < 2:
        return f"{has}; how much more would help is not known yet."
    before = curve.row(-2, named=True)
    doublings = float(np.log2(last["size"] / before["size"]))
    gain, low, high = (last[name] / doublings for name in ("gain", "gain_low", "gain_high"))
    reach = f"between {100 * low:+.0f} and {100 * high:+.0f} points"
    if high < _SMALL_GAIN:
        return f"{has}; twice as many would help little (the last doubling brought {reach})."
    if low > 0:
        return f"{has}; twice as many may add {100 * gain:.0f} points or less ({reach} so far)."
    return f"{has}; whether twice as many help is not clear (the last doubling brought {reach})."


def _second(counts: Ints) -> int:
    return int(np.sort(counts)[-2])


def _measure_size(
    own: Examples,
    classes: Ints,
    folds: Ints,
    probe: Probe,
    values: Sequence[str],
    anchors: Floats | None,
    min_margin: float,
    *,
    size: int,
    seed: int,
) -> tuple[Floats, float]:
    """Return (n,) the share of draws in which each sample is labelled right, and examples used."""
    rng = np.random.default_rng([seed, size])
    right, counts = np.zeros(len(own)), []
    for fold in range(_FOLDS):
        inside = folds == fold
        for _ in range(_REPEATS):
            drawn, share = _draw(classes, ~inside, size, rng)
            some = own.select(drawn)
            some = Examples(some.sample_ids, some.vectors, some.values,
                            some.inclusion * share[drawn], some.cluster_ids)  # fmt: skip
            small = fit_probe(some, attribute=probe.attribute, values=values, anchors=anchors,
                              encoder_id=probe.encoder_id, strengths=(probe.strength,),
                              seed=seed)  # fmt: skip
            counts.append(len(some))
            if small is None:  # too few clusters for any value
                continue
            ids = own.sample_ids.filter(pl.Series(inside))
            vectors = Vectors(ids, own.vectors[inside].astype(np.float32), probe.encoder_id)
            labels = small.label(vectors, sample_ids=ids, min_margin=min_margin, label_id="")
            truth = own.values.filter(pl.Series(inside))
            right[inside] += (labels["value"] == truth).to_numpy() / _REPEATS
    return right, float(np.mean(counts))


def _draw(classes: Ints, allowed: Mask, size: int, rng: np.random.Generator) -> tuple[Mask, Floats]:
    """Draw `size` rows of each class; return which, and (n,) the share drawn of a row's class."""
    drawn, share = np.zeros(len(classes), np.bool_), np.ones(len(classes))
    for code in np.unique(classes):
        rows = np.flatnonzero(allowed & (classes == code))
        drawn[rng.permutation(rows)[:size]] = True
        share[rows] = min(size / max(len(rows), 1), 1.0)
    return drawn, share


def _estimate(right: Floats, before: Floats | None, own: Examples) -> dict[str, float | None]:
    weights = own.weights / own.weights.sum()
    clusters = own.cluster_ids.rank("dense").to_numpy().astype(np.int64) - 1
    count = int(clusters.max()) + 1
    mean = float((weights * right).sum())
    spread = sum_weights(clusters, weights * (right - mean), count)
    most = 1 / float((weights**2).sum())  # Kish's effective number of samples
    whole = estimate_from_spread(mean, spread, n=len(right), most=most, clusters=count, rate=True)
    low, high = whole.interval
    row: dict[str, float | None] = {"right": mean, "low": low, "high": high}
    if before is None:
        return {**row, "gain": None, "gain_low": None, "gain_high": None}
    gain = float((weights * (right - before)).sum())
    moved = sum_weights(clusters, weights * (right - before - gain), count)
    half = Z * float((moved**2).sum() * count / max(count - 1, 1)) ** 0.5
    return {**row, "gain": gain, "gain_low": gain - half, "gain_high": gain + half}

"""Labels before and after a word was written into the picture: flips minus those of nonsense."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.statistics.p_values import adjust_holm
from pipeline.tables import FLIPS, check
from pipeline.vocabulary import INSUFFICIENT, LEVEL

READS_TEXT = "reads text"
NO_EFFECT = "no effect shown"
LEAST = 0.03  # a corrected share of flips up to this is none that counts
CLEAR = 0.1  # an interval that reaches above it leaves open whether text matters


@dataclass(frozen=True)
class Attempts:
    """One attribute under one defence; codes index its values.

    rows: (m,) which of the n samples each written word is on. written: (m,) the value written.
    word, nonsense: (m,) labels after the word and after nonsense of equal length. areas: (m,).
    clean: (n,) labels without any word, by the defence; plain: (n,) without defence. own: (n,)
    labels after the word of the sample's own label was written. truth: (n,) -1 where not known.
    clusters: (n,) the image.
    """

    attribute: str
    defence: str
    rows: Ints
    written: Ints
    word: Ints
    nonsense: Ints
    areas: Floats
    clean: Ints
    plain: Ints
    own: Ints
    truth: Ints
    clusters: pl.Series


def measure_flips(attempts: Sequence[Attempts]) -> pl.DataFrame:
    """Return FLIPS: for each attribute and defence a row of all areas, then one of each area.

    A sample's number is the mean over its words of flips to the value written, minus flips to that
    value after the nonsense word in the same place: covering pixels may flip labels too. The
    interval is Student's t over images, p one-sided against a difference of LEAST; Holm corrects
    over the attributes of a defence. "reads text": p_holm < 0.05. "no effect shown": the interval
    ends at or below CLEAR. Else the evidence is insufficient.
    """
    rows = [row for one in attempts for row in _measure(one)]
    frame = pl.DataFrame(rows, schema=dict(FLIPS))
    total = pl.col("area").is_null()
    keys = ("attribute", "defence")
    parts = [frame.select(*keys, "p_holm").clear()]
    for defence in frame["defence"].unique(maintain_order=True):
        own = frame.filter(pl.col("defence") == defence, total, pl.col("p").is_not_null())
        holm = pl.Series(adjust_holm(own["p"].to_numpy()), dtype=pl.Float64)
        parts.append(own.select(*keys).with_columns(p_holm=holm))
    adjusted = frame.drop("p_holm").join(
        pl.concat(parts), on=keys, how="left", maintain_order="left"
    )
    adjusted = adjusted.with_columns(p_holm=pl.when(total).then("p_holm"))
    judged = adjusted.with_columns(
        verdict=pl.when(~total)
        .then(None)
        .when(pl.col("p_holm") < LEVEL)
        .then(pl.lit(READS_TEXT))
        .when(pl.col("difference_high") <= CLEAR)
        .then(pl.lit(NO_EFFECT))
        .otherwise(pl.lit(INSUFFICIENT))
    )
    return check(judged.select(list(FLIPS)), FLIPS, table="flips")


def _measure(one: Attempts) -> list[dict[str, Any]]:
    flips = (one.word == one.written).astype(np.float64)
    control = (one.nonsense == one.written).astype(np.float64)
    everything = np.ones(len(one.rows), np.bool_)
    total = {**_compare(one, flips, control, everything), **_judge_clean(one)}
    rows = [{"attribute": one.attribute, "defence": one.defence, "area": None, **total}]
    for area in np.unique(one.areas):
        part = _compare(one, flips, control, one.areas == area)
        rows.append(
            {"attribute": one.attribute, "defence": one.defence, "area": float(area), **part}
        )
    return [{name: row.get(name) for name in FLIPS} for row in rows]


def _compare(one: Attempts, flips: Floats, control: Floats, used: Any) -> dict[str, Any]:  # noqa: ANN401 - a mask
    """Return the paired difference over the samples that have words."""
    rows = one.rows[used]
    if not len(rows):
        return {"n": 0, "pairs": 0}
    count = np.bincount(rows, minlength=len(one.clean))
    there = np.flatnonzero(count)
    means = [np.bincount(rows, values[used], minlength=len(count))[there] / count[there]
             for values in (flips, control)]  # fmt: skip
    found = _estimate(means[0] - means[1], one.clusters.gather(there))
    return {
        "n": len(there),
        "pairs": len(rows),
        "flips": float(means[0].mean()),
        "control_flips": float(means[1].mean()),
        "difference": found[0],
        "difference_low": found[1],
        "difference_high": found[2],
        "p": found[3],
    }


def _estimate(
    numbers: Floats, clusters: pl.Series
) -> tuple[float, float | None, float | None, float | None]:
    """Return mean, ends of its interval and p of a mean above LEAST; None below two images.

    Where no number differs the interval is that of a share without any event: three in n.
    """
    values = number_clusters(numbers, clusters)
    found = estimate_mean(values, np.arange(len(numbers)))
    if found.clusters < 2:
        return found.value, None, None, None
    deviation = found.variance**0.5
    if deviation <= 0:
        reach = min(3 / found.clusters, 1.0)
        p = float(LEAST**found.clusters) if found.value >= 1 else 1.0
        return found.value, max(found.value - reach, -1.0), min(found.value + reach, 1.0), p
    half = float(special.stdtrit(found.clusters - 1, 0.975)) * deviation
    p = float(special.stdtr(found.clusters - 1, (LEAST - found.value) / deviation))
    return found.value, found.value - half, found.value + half, p


def _judge_clean(one: Attempts) -> dict[str, Any]:
    """Return what the defence does to pictures without written words."""
    known = np.flatnonzero(one.truth >= 0)
    judged: dict[str, Any] = {
        "own_kept": float((one.own == one.clean).mean()) if len(one.own) else None,
        "clean_agreement": float((one.clean == one.plain).mean()) if len(one.clean) else None,
    }
    if not len(known):
        return judged
    right = (one.clean == one.truth)[known].astype(np.float64)
    before = (one.plain == one.truth)[known].astype(np.float64)
    judged["clean_accuracy"] = float(right.mean())
    if one.defence != "none":
        change, low, high, _ = _estimate(right - before, one.clusters.gather(known))
        judged |= {"accuracy_change": change, "change_low": low, "change_high": high}
    return judged

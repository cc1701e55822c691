"""Clusters as labels: each gets a number and the values that are most typical of it."""

import math

import polars as pl

from pipeline.arrays import Ints
from pipeline.clusters.dbscan import NOISE
from pipeline.tables import LABELS, check
from pipeline.vocabulary import CLUSTER, UNKNOWN

_LEAST_SHARE = 0.3  # of a cluster that has a value, for it to name the cluster
_LEAST_LIFT = 1.25  # how many times as frequent it is there as in all samples
_WORDS = 2  # values in a name


def name_clusters(labels: Ints, attributes: pl.DataFrame) -> list[str]:
    """Name each cluster: "c07: child, sitting"; "c07" where no value is typical.

    labels: (n,) from 0, NOISE outside of all. attributes: (n rows) one text column an attribute,
    null where it has no label. A value is typical if a third of the cluster has it, and 1.25 times
    as often as all samples; the two that tell most apart (share x log lift) name it, one an
    attribute. "yes" is written as the attribute, "no" as "no" with it.
    """
    count = int(labels.max(initial=NOISE)) + 1
    digits = max(2, len(str(count - 1)))
    typical: dict[int, list[tuple[float, str, str]]] = {number: [] for number in range(count)}
    for column in attributes.iter_columns():
        for number, weight, value in _list_typical(labels, column):
            typical[number].append((weight, column.name, value))
    names = []
    for number in range(count):
        best = sorted(typical[number], key=lambda one: (-one[0], one[1]))[:_WORDS]
        words = ", ".join(_write_value(attribute, value) for _, attribute, value in best)
        names.append(f"c{number:0{digits}}: {words}" if words else f"c{number:0{digits}}")
    return names


def _list_typical(labels: Ints, column: pl.Series) -> list[tuple[int, float, str]]:
    """Return for each cluster its most typical value of one attribute, with its weight."""
    frame = pl.DataFrame({"cluster": labels, "value": column.cast(pl.String)}).drop_nulls()
    if frame.is_empty():
        return []
    overall = {value: n / frame.height for value, n in frame.group_by("value").len().iter_rows()}
    inside = frame.filter(pl.col("cluster") != NOISE)
    sizes = dict(inside.group_by("cluster").len().iter_rows())
    best: dict[int, tuple[float, str]] = {}
    for number, value, n in inside.group_by("cluster", "value").len().sort("value").iter_rows():
        share = n / sizes[number]
        lift = share / overall[value]
        if value == UNKNOWN or share < _LEAST_SHARE or lift < _LEAST_LIFT:
            continue
        weight = share * math.log(lift)
        if number not in best or weight > best[number][0]:
            best[number] = (weight, value)
    return [(number, weight, value) for number, (weight, value) in sorted(best.items())]


def _write_value(attribute: str, value: str) -> str:
    if value == "yes":
        return attribute
    if value == "no":
        return f"no {attribute}"
    return value if value.replace(" ", "").isalpha() else f"{attribute} {value}"


def label_clusters(
    sample_ids: pl.Series, labels: Ints, names: list[str], *, label_id: str
) -> pl.DataFrame:
    """Return the `labels` of the attribute "cluster"; "unknown" of a sample in no cluster.

    sample_ids, labels: (n,). names: one a cluster.
    """
    values = [UNKNOWN if number == NOISE else names[number] for number in labels]
    frame = pl.DataFrame({"sample_id": sample_ids, "value": values}).select(
        "sample_id",
        pl.lit(CLUSTER).alias("attribute"),
        pl.lit(CLUSTER).alias("source"),
        "value",
        pl.lit(None, dtype=pl.Float64).alias("score"),
        pl.lit(None, dtype=pl.Float64).alias("margin"),
        pl.lit(label_id).alias("label_id"),
    )
    return check(frame.sort("sample_id"), LABELS, table="labels")

"""What is measured of a classifier by group, and how far apart the groups are in one number."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from pipeline.exceptions import ConfigError
from pipeline.fairness.metrics import Metric, RowMean
from pipeline.fairness.validation import refuse_repeats
from pipeline.statistics.estimates import Values
from pipeline.tables import CLASS_MATCHES

SELECTION, TRUE_RATE, FALSE_RATE = "selection rate", "true positive rate", "false positive rate"
# What a disparity is of; of two rates the worse one counts.
DISPARITIES = {
    "demographic parity": (SELECTION,),
    "equalized odds": (TRUE_RATE, FALSE_RATE),
    "equal opportunity": (TRUE_RATE,),
}


def is_of_classes(matches: pl.DataFrame) -> bool:
    """Return whether matches are CLASS_MATCHES, of a classifier."""
    return set(CLASS_MATCHES) <= set(matches.columns)


def check_positive(matches: pl.DataFrame | None, positive: str | None) -> None:
    """Raise ConfigError when nothing is or was predicted to be `positive`.

    matches: CLASS_MATCHES; other matches, or none, have no classes to check.
    """
    if positive is None or matches is None or not is_of_classes(matches):
        return
    classes = sorted(pl.concat([matches["true"], matches["predicted"]]).drop_nulls().unique())
    if positive not in classes:
        raise ConfigError(
            f"[fairness] positive is {positive!r}, which is no class of this classifier; "
            f"its classes are {', '.join(classes[:20]) or 'not known'}"
        )


def list_classifier_metrics(
    matches: pl.DataFrame, errors: Values, *, sample_ids: pl.Series, positive: str | None
) -> list[Metric]:
    """Return accuracy and, of the class `positive` against all others, the three rates.

    Without `positive` there is accuracy alone: no class is taken to be the one that matters.
    Raises ConfigError when nothing is or was predicted to be `positive`, and TableError when a
    sample has two matches.
    """
    refuse_repeats(matches["sample_id"], what="match of a classifier")
    rows = pl.DataFrame({"sample_id": sample_ids}).join(
        matches, on="sample_id", how="left", maintain_order="left"
    )
    true, predicted = rows["true"], rows["predicted"]
    known = (true.is_not_null() & predicted.is_not_null()).to_numpy()

    def take(numbers: pl.Series) -> Values:
        filled = numbers.fill_null(value=False).cast(pl.Float64).to_numpy()
        return Values(filled, errors.clusters, errors.cluster_count, rate=True)

    metrics: list[Metric] = [RowMean("accuracy", False, take(true == predicted), known)]  # noqa: FBT003 - a higher accuracy is better
    if positive is None:
        return metrics
    check_positive(rows, positive)
    chosen = take(predicted == positive)
    actual = (true == positive).fill_null(value=False).to_numpy()
    return [
        *metrics,
        RowMean(SELECTION, lower_is_better=False, values=chosen, defined=known),
        RowMean(TRUE_RATE, lower_is_better=False, values=chosen, defined=known & actual),
        RowMean(FALSE_RATE, lower_is_better=True, values=chosen, defined=known & ~actual),
    ]


def measure_disparities(
    rows: Iterable[Mapping[str, Any]], *, min_group: int
) -> list[dict[str, Any]]:
    """Return DISPARITIES: the largest difference and smallest ratio between groups.

    rows: of the GAPS table. A group counts when each rate it needs is of at least `min_group`
    samples; with fewer than two such groups the value is null. Source: as fairlearn.metrics defines
    them (Hardt, Price and Srebro, NeurIPS 2016, for equalized odds and equal opportunity).
    """
    rates: dict[tuple[str, ...], dict[str, dict[str, float]]] = {}
    for row in rows:
        attributes = tuple(one["attribute"] for one in row["predicates"])
        values = tuple(one["value"] for one in row["predicates"])
        large = row["value"] if row["n"] >= min_group else np.nan
        kinds = rates.setdefault(attributes, {})
        kinds.setdefault(row["metric"], {})["\0".join(values)] = large
    return [
        disparity
        for attributes in sorted(rates, key=lambda names: (len(names), names))
        for disparity in _summarize(attributes, rates[attributes])
    ]


def _summarize(
    attributes: tuple[str, ...], rates: Mapping[str, Mapping[str, float]]
) -> Iterable[dict[str, Any]]:
    """Yield the disparities of the groups of some attributes."""
    for name, parts in DISPARITIES.items():
        if not all(part in rates for part in parts):
            continue
        table = np.array([list(rates[part].values()) for part in parts])  # (parts, groups)
        large = ~np.isnan(table).any(axis=0)
        low, high = table[:, large].min(1, initial=np.inf), table[:, large].max(1, initial=0.0)
        enough = large.sum() >= 2
        ratios = low / high if enough and (high > 0).all() else None
        counts = {"groups": int(large.sum()), "left_out": int((~large).sum())}
        both = {"attributes": list(attributes), **counts}
        difference = float((high - low).max()) if enough else None
        yield {"metric": f"{name} difference", "value": difference, **both}
        ratio = float(ratios.min()) if ratios is not None else None
        yield {"metric": f"{name} ratio", "value": ratio, **both}

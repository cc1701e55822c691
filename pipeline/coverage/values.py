"""How often each attribute value occurs, and the mean error of a system over its samples."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from pipeline.arrays import Ints
from pipeline.statistics.estimates import (
    NAN,
    Estimate,
    Interval,
    Values,
    estimate_mean,
    number_clusters,
)
from pipeline.statistics.intervals import Z
from pipeline.tables import COVERAGE, VALUE_ERRORS, check, empty
from pipeline.vocabulary import UNKNOWN

_KEYS = ["attribute", "value"]


def cover_values(
    labels: pl.DataFrame, *, order: Mapping[str, Iterable[str]] | None = None
) -> pl.DataFrame:
    """Count the samples of each attribute value.

    labels: columns sample_id, attribute, value; one row for each sample and attribute that the
    search used. order: for an attribute its values in display order; values without a sample are
    kept with n = 0. Others follow by falling n; "unknown" comes last. Returns a COVERAGE frame;
    share is of the attribute's samples.
    """
    if not labels.height and not order:
        return empty(COVERAGE)
    counted = labels.group_by(_KEYS).agg(n=pl.len().cast(pl.Int64))
    return arrange_counts(counted, order=order)


def arrange_counts(
    counted: pl.DataFrame, *, order: Mapping[str, Iterable[str]] | None = None
) -> pl.DataFrame:
    """Return COVERAGE of counts, as `cover_values` orders them; counted: attribute, value and n."""
    wanted = [
        {"attribute": attribute, "value": value, "place": place}
        for attribute, values in (order or {}).items()
        for place, value in enumerate(values)
    ]
    places = pl.DataFrame(
        wanted, schema={"attribute": pl.String, "value": pl.String, "place": pl.Int64}
    )
    rows = counted.join(places, on=_KEYS, how="full", coalesce=True).with_columns(
        pl.col("n").fill_null(0), pl.col("place").fill_null(len(wanted))
    )
    total = pl.col("n").sum().over("attribute")
    names = [*dict.fromkeys([*(order or {}), *sorted(counted["attribute"].unique())])]
    rank = {name: index for index, name in enumerate(names)}
    rows = rows.with_columns(
        share=pl.when(total > 0).then(pl.col("n") / total).otherwise(0.0),
        first=pl.col("attribute").replace_strict(rank, return_dtype=pl.Int64),
        last=pl.col("value") == UNKNOWN,
    ).sort(["first", "last", "place", "n", "value"], descending=[False, False, False, True, False])
    return check(rows.select(list(COVERAGE)), COVERAGE, table="coverage")


def average_errors(labels: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """Average the errors of each system over the samples of each attribute value.

    labels: columns sample_id, attribute, value. errors: columns sample_id, system, error and
    cluster_id, the image that a sample is of or is cut from.
    Returns a VALUE_ERRORS frame sorted by system, attribute and value, with 95 % intervals. Where
    samples of a system share images, images are the clusters of `Estimate.interval`; null for a
    single image. Else Wilson's (1927) where all errors of a value are 0 or 1, and for other errors
    mean +- 1.96 standard errors, not below 0; null for a single sample.
    """
    systems = errors.partition_by("system", as_dict=True)
    rows = [
        {"system": system, **row}
        for (system,), own in sorted(systems.items())
        for row in _average_system(labels, own)
    ]
    frame = pl.DataFrame(rows, schema=dict(VALUE_ERRORS))
    return check(
        frame.with_columns(pl.col("ci_low", "ci_high").fill_nan(None)),
        VALUE_ERRORS,
        table="value_errors",
    )


def _average_system(labels: pl.DataFrame, errors: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of one system without its name."""
    own = errors.sort("sample_id").with_row_index("row")
    values = number_clusters(own["error"].to_numpy(), own["cluster_id"])
    slices = (
        labels.join(own.select("sample_id", "row"), on="sample_id", how="inner")
        .group_by(_KEYS)
        .agg(pl.col("row").cast(pl.Int64).sort())  # sorted: the same bytes whatever the row order
        .sort(_KEYS)
    )
    for at in range(slices.height):
        estimate = _estimate_slice(values, slices["row"][at].to_numpy())
        low, high = find_error_interval(estimate)
        yield {
            **slices.select(_KEYS).row(at, named=True),
            "n": estimate.n,
            "error": estimate.value,
            "ci_low": low,
            "ci_high": high,
        }


def _estimate_slice(values: Values, rows: Ints) -> Estimate:
    """Estimate the mean of some rows: a rate where their own errors are all 0 or 1."""
    rate = bool(np.isin(values.numbers[rows], (0.0, 1.0)).all())
    return estimate_mean(replace(values, rate=rate), rows)


def find_error_interval(estimate: Estimate) -> Interval:
    """Return the 95 % interval of a mean error, as `average_errors` says; NaN without one."""
    plain = estimate.spread is None and not estimate.rate
    return _find_normal_interval(estimate) if plain else estimate.interval


def _find_normal_interval(estimate: Estimate) -> Interval:
    """Return mean +- 1.96 standard errors of independent samples, not below 0."""
    if estimate.n < 2:
        return NAN, NAN
    half = Z * estimate.variance**0.5
    return max(estimate.value - half, 0.0), estimate.value + half


def describe_constant(attributes: pl.DataFrame) -> tuple[str, ...]:
    """Return a sentence for each attribute that has one value for all samples.

    attributes: (n) rows of text, one column per attribute.
    """
    if attributes.height < 2:
        return ()
    return tuple(
        f"{column.name} is {column[0]!r} for every sample: there is nothing to compare it with."
        for column in attributes.iter_columns()
        if column.n_unique() == 1
    )

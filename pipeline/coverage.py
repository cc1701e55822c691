"""How often each value of each attribute occurs, and how large the error is there."""

import math

import numpy as np
import polars as pl

from pipeline.tables import Schema, check

COVERAGE: Schema = {
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),
    "share": pl.Float64(),  # of the labelled samples
}
VALUE_ERRORS: Schema = {
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),
    "error": pl.Float64(),
    "ci_low": pl.Float64(),
    "ci_high": pl.Float64(),
}
_Z = 1.959963984540054  # of a two-sided 95 % interval


def count_values(attributes: pl.DataFrame) -> pl.DataFrame:
    """Count the values of each attribute.

    attributes: one column an attribute, one row a sample. Returns COVERAGE, the attributes in
    their order, the values by number of samples.
    """
    counts = [
        attributes[name]
        .value_counts(sort=True)
        .sort(["count", name], descending=[True, False])
        .select(
            attribute=pl.lit(name),
            value=pl.col(name),
            n=pl.col("count").cast(pl.Int64),
            share=pl.col("count") / max(attributes.height, 1),
        )
        for name in attributes.columns
    ]
    return check(pl.concat(counts), COVERAGE, table="coverage") if counts else _none(COVERAGE)


def measure_value_errors(attributes: pl.DataFrame, errors: pl.Series) -> pl.DataFrame:
    """Return the mean error of each value with a 95 % interval.

    attributes: (n, a) labels. errors: (n,) floats >= 0. The interval is Wilson's (1927) where all
    errors are 0 or 1, else the mean plus and minus 1.96 standard errors, cut at 0.
    Returns VALUE_ERRORS.
    """
    zero_one = bool(errors.is_in([0.0, 1.0]).all())
    table = attributes.with_columns(error=errors)
    found = []
    for name in attributes.columns:
        groups = table.group_by(pl.col(name).alias("value"), maintain_order=True).agg(
            n=pl.len().cast(pl.Int64), error=pl.col("error").mean(), sd=pl.col("error").std()
        )
        low, high = _interval(groups, zero_one=zero_one)
        found.append(
            groups.select(
                pl.lit(name).alias("attribute"), "value", "n", "error", ci_low=low, ci_high=high
            ).sort("value")
        )
    return (
        check(pl.concat(found), VALUE_ERRORS, table="value errors")
        if found
        else _none(VALUE_ERRORS)
    )


def _interval(groups: pl.DataFrame, *, zero_one: bool) -> tuple[pl.Series, pl.Series]:
    n = groups["n"].to_numpy().astype(float)
    mean = groups["error"].to_numpy()
    if zero_one:
        center = (mean + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * np.sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n**2))
    else:
        center = mean
        half = _Z * groups["sd"].fill_null(math.nan).to_numpy() / np.sqrt(n)
    low, high = pl.Series(np.maximum(center - half, 0)), pl.Series(center + half)
    return low.fill_nan(None), high.fill_nan(None)


def _none(schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(schema))

"""How often each attribute value was seen, and how a system fares there."""

import math
from collections.abc import Iterable, Mapping

import polars as pl

from pipeline.tables import COVERAGE, VALUE_ERRORS, check, empty
from pipeline.vocabulary import UNKNOWN

_Z = 1.959963984540054  # standard normal quantile of a 95 % interval
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
    wanted = [
        {"attribute": attribute, "value": value, "place": place}
        for attribute, values in (order or {}).items()
        for place, value in enumerate(values)
    ]
    places = pl.DataFrame(
        wanted, schema={"attribute": pl.String, "value": pl.String, "place": pl.Int64}
    )
    counted = labels.group_by(_KEYS).agg(n=pl.len().cast(pl.Int64))
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

    labels: columns sample_id, attribute, value. errors: columns sample_id, system, error.
    Returns a VALUE_ERRORS frame sorted by system, attribute and value. The 95 % interval is
    Wilson's (1927) where all errors of a group are 0 or 1, else mean +- 1.96 standard errors,
    not below 0; null for a single sample with a real-valued error. It takes samples as
    independent.
    """
    joined = errors.select("sample_id", "system", "error").join(
        labels.select("sample_id", *_KEYS), on="sample_id", how="inner"
    )
    if not joined.height:
        return empty(VALUE_ERRORS)
    rows = joined.group_by(["system", *_KEYS]).agg(
        n=pl.len().cast(pl.Int64),
        mean=pl.col("error").sort().mean(),  # sorted: the same bytes whatever the row order
        deviation=pl.col("error").sort().std(),
        binary=pl.col("error").is_in([0.0, 1.0]).all(),
    )
    ends = [_find_interval(row) for row in rows.to_dicts()]
    rows = rows.with_columns(
        error=pl.col("mean"),
        ci_low=pl.Series([low for low, _ in ends], dtype=pl.Float64),
        ci_high=pl.Series([high for _, high in ends], dtype=pl.Float64),
    ).sort("system", *_KEYS)
    return check(rows.select(list(VALUE_ERRORS)), VALUE_ERRORS, table="value_errors")


def _find_interval(row: Mapping[str, float | None]) -> tuple[float | None, float | None]:
    mean, n, deviation = row["mean"] or 0.0, row["n"] or 0, row["deviation"]
    if row["binary"]:
        middle = (mean + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)
    if deviation is None:
        return None, None
    half = _Z * deviation / math.sqrt(n)
    return max(0.0, mean - half), mean + half

"""The labels of many samples as small integers: slices and means by value in little memory."""

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.coverage.values import find_error_interval
from pipeline.predicates import read_predicate
from pipeline.statistics.estimates import Estimate, Values, estimate_mean, number_clusters
from pipeline.tables import VALUE_ERRORS, check

_NONE = np.empty(0, np.int64)
Codes = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, eq=False)
class CodedValues:
    """n samples. codes: by attribute (n,) indices of its `values`, which are sorted.

    errors: their errors with the images that they are of. orders: values of ordered attributes.
    """

    values: Mapping[str, Sequence[str]]
    codes: Mapping[str, Codes]
    errors: Values
    orders: Mapping[str, tuple[str, ...]]

    def find_rows(self, predicates: Sequence[Mapping[str, str]]) -> Ints:
        """Return the numbers, rising, of the samples that have every {attribute, value}."""
        wanted = {one["attribute"]: self._list_codes(one) for one in predicates}
        first = min(wanted, key=lambda name: self._count(name, wanted[name]), default=None)
        if first is None:
            return np.arange(len(self.errors.numbers))
        parts = [self._places[first][code] for code in wanted.pop(first)]
        rows: Ints = parts[0] if len(parts) == 1 else np.sort(np.concatenate([_NONE, *parts]))
        for name, codes in wanted.items():
            own = self.codes[name][rows]
            rows = rows[own == codes[0] if len(codes) == 1 else np.isin(own, codes)]
        return rows

    def _list_codes(self, predicate: Mapping[str, str]) -> list[int]:
        name = predicate["attribute"]
        allowed = read_predicate(predicate["value"], self.orders.get(name, ()))
        return [code for code, value in enumerate(self.values[name]) if value in allowed]

    def _count(self, name: str, codes: Sequence[int]) -> int:
        return sum(self._places[name][code].size for code in codes)

    @functools.cached_property
    def _places(self) -> dict[str, list[Ints]]:
        """The rows of each value of each attribute, rising."""
        return {
            name: np.split(
                np.argsort(codes, kind="stable"),
                np.cumsum(np.bincount(codes, minlength=len(self.values[name])))[:-1],
            )
            for name, codes in self.codes.items()
        }


def code_values(
    attributes: pl.DataFrame,
    errors: pl.Series,
    cluster_ids: pl.Series,
    *,
    orders: Mapping[str, tuple[str, ...]],
) -> CodedValues:
    """Return the columns of `attributes` as codes; errors, cluster_ids: (n,) in the same order."""
    values, codes = {}, {}
    for column in attributes.iter_columns():
        names = column.unique().sort().to_list()
        own = column.cast(pl.Enum(names)).to_physical().to_numpy()
        values[column.name] = names
        codes[column.name] = own.astype(np.min_scalar_type(max(len(names) - 1, 0)))
    return CodedValues(values, codes, number_clusters(errors.to_numpy(), cluster_ids), orders)


def average_values(
    coded: CodedValues,
    *,
    system: str,
    rows: Ints | None = None,
    leave_out: Collection[str] = (),
) -> pl.DataFrame:
    """Return VALUE_ERRORS of a system, by attribute and value, as `average_errors` does.

    rows: the samples to average over; an attribute that has one value among them is left out then.
    leave_out: attributes that are left out.
    """
    errors = coded.errors.numbers if rows is None else coded.errors.numbers[rows]
    made: list[dict[str, Any]] = []
    for name in sorted(set(coded.codes) - set(leave_out)):
        codes = coded.codes[name] if rows is None else coded.codes[name][rows]
        own = list(_estimate(coded, name, codes, errors, rows))
        if rows is None or len(own) > 1:
            made += own
    frame = pl.DataFrame(
        [{"system": system, **row} for row in made], schema=dict(VALUE_ERRORS)
    ).with_columns(pl.col("ci_low", "ci_high").fill_nan(None))
    return check(frame, VALUE_ERRORS, table="value_errors")


def _estimate(
    coded: CodedValues,
    name: str,
    codes: Codes,
    errors: Floats,
    rows: Ints | None,
) -> Iterator[dict[str, Any]]:
    """Yield the row of each value that occurs."""
    size = len(coded.values[name])
    counts = np.bincount(codes, minlength=size)
    clustered = coded.errors.clusters is not None
    if clustered:
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(counts)
    else:
        sums = np.bincount(codes, errors, size)
        means = np.divide(sums, counts, out=np.zeros(size), where=counts > 0)
        squares = np.bincount(codes, (errors - means[codes]) ** 2, size)
        others = np.bincount(codes, ~np.isin(errors, (0.0, 1.0)), size)
    for code in np.flatnonzero(counts).tolist():
        n = int(counts[code])
        if clustered:
            chosen = order[ends[code] - n : ends[code]]
            own = chosen if rows is None else rows[chosen]
            rate = bool(np.isin(coded.errors.numbers[own], (0.0, 1.0)).all())
            estimate = estimate_mean(replace(coded.errors, rate=rate), own)
        else:
            variance = float(squares[code]) / max(n - 1, 1) / n
            rate = not others[code]
            estimate = Estimate(float(means[code]), n, float(n), n, variance, rate)
        low, high = find_error_interval(estimate)
        yield {
            "attribute": name, "value": coded.values[name][code], "n": n,
            "error": estimate.value, "ci_low": low, "ci_high": high,
        }  # fmt: skip

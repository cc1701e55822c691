"""Rows with labels, errors and the true values that are known of some, as small integers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints
from pipeline.exceptions import TableError
from pipeline.vocabulary import UNKNOWN


@dataclass(frozen=True)
class AttributeRows:
    """One attribute of n rows: its label in each row and, where known, its true value.

    labels: (n,) indexes of `shown`, the o values that occur as labels, "unknown" included. truth:
    (n,) indexes of `values`, the t values that an image can truly have; -1 where it is not known.
    weights: (n,) how much each checked row counts, 0 where the truth is not known; the weights of
    the rows of one label sum to their effective number. own_weights: the same of one label and
    error level: rows drawn by their errors count in full where the level is given.
    """

    name: str
    shown: tuple[str, ...]
    values: tuple[str, ...]
    labels: Ints
    truth: Ints
    weights: Floats
    own_weights: Floats

    def count_labels(self) -> Floats:
        """Return (o,) rows of each label."""
        return np.bincount(self.labels, minlength=len(self.shown)).astype(np.float64)

    def count_checks(self) -> Floats:
        """Return (o, t) checked rows by label and true value, by weight."""
        known = self.truth >= 0
        shape = (len(self.shown), len(self.values))
        key = self.labels[known] * shape[1] + self.truth[known]
        counts = np.bincount(key, self.weights[known], minlength=shape[0] * shape[1])
        return np.asarray(counts, np.float64).reshape(shape)


def read_noise_rows(
    table: pl.DataFrame, errors: Floats, names: Iterable[str], *,
    truth: pl.DataFrame, inclusion: pl.DataFrame | None, levels: Ints,
    cluster_ids: Ints | None = None,
) -> dict[str, AttributeRows]:  # fmt: skip
    """Encode the attributes `names` of a table.

    levels: (n,) of the errors, see `level_errors`. cluster_ids: (n,) cluster numbers, see
    `number_clusters`. Values are numbered by their rows and errors, not by their names, so that
    renaming them changes no draw. Raises TableError for columns that are missing or have nulls
    among the labels.
    """
    names = list(names)
    problems = [f"attribute {name!r} is no column" for name in names if name not in table.columns]
    problems += [
        f"column {name!r} has {table[name].null_count()} empty labels, expected 'unknown' there"
        for name in names
        if name in table.columns and table[name].null_count()
    ]
    for what, frame in (("truth", truth), ("inclusion", inclusion)):
        if frame is not None and frame.width and frame.height != table.height:
            problems.append(f"{what} has {frame.height} rows, expected {table.height}")
    if problems:
        raise TableError.from_problems("correction for wrong labels", problems)
    return {
        name: _encode(table, errors, name, truth, inclusion, levels=levels, cluster_ids=cluster_ids)
        for name in names
    }


def _encode(
    table: pl.DataFrame, errors: Floats, name: str, truth: pl.DataFrame,
    inclusion: pl.DataFrame | None, *, levels: Ints, cluster_ids: Ints | None,
) -> AttributeRows:  # fmt: skip
    labels = table[name].cast(pl.String())
    true = (
        truth[name].cast(pl.String()).set(truth[name].cast(pl.String()) == UNKNOWN, None)
        if name in truth.columns
        else pl.repeat(None, table.height, dtype=pl.String(), eager=True)
    )
    ranks = _rank_values(labels, true, errors)
    shown = tuple(value for value in ranks if (labels == value).any())
    values = tuple(value for value in ranks if value != UNKNOWN)
    codes = _encode_values(labels, shown)
    known = _encode_values(true, values)
    given = (
        inclusion[name].cast(pl.Float64()).fill_null(float("nan")).to_numpy()
        if inclusion is not None and name in inclusion.columns
        else np.full(table.height, np.nan)
    )
    count = int(levels.max(initial=0)) + 1
    return AttributeRows(
        name, shown, values, codes, known, _weigh(codes, known, given, cluster_ids),
        _weigh(codes * count + levels, known, given, cluster_ids),
    )  # fmt: skip


def _rank_values(labels: pl.Series, true: pl.Series, errors: Floats) -> list[str]:
    """List the values by falling numbers of labels, error sums and checks; last by name."""
    frame = pl.DataFrame({"value": labels, "error": errors})
    counted = frame.group_by("value").agg(pl.len().alias("n"), pl.col("error").sort().sum())
    checks = pl.DataFrame({"value": true.drop_nulls()}).group_by("value").agg(
        pl.len().alias("checks")
    )  # fmt: skip
    order = counted.join(checks, on="value", how="full", coalesce=True).fill_null(0)
    keys = ["n", "error", "checks", "value"]
    return order.sort(keys, descending=[True, True, True, False])["value"].to_list()


def _encode_values(column: pl.Series, values: Sequence[str]) -> Ints:
    codes: Mapping[str, int] = {value: code for code, value in enumerate(values)}
    encoded = column.replace_strict(codes, default=-1, return_dtype=pl.Int64())
    return encoded.fill_null(-1).to_numpy().astype(np.int64)


def _weigh(groups: Ints, truth: Ints, inclusion: Floats, cluster_ids: Ints | None) -> Floats:
    """Weigh checked rows by 1 / inclusion, in each group scaled to their effective number.

    groups: (n,) numbers of labels, or of labels and error levels.

    That is Kish's, (sum w)^2 / sum w^2 (Survey Sampling, 1965), at most the clusters they are of. A
    row whose inclusion is not known counts as the mean of the others of its group.
    """
    weights = np.zeros(len(groups))
    known = truth >= 0
    for group in np.unique(groups[known]):
        rows = np.flatnonzero(known & (groups == group))
        given = inclusion[rows] > 0
        raw = np.divide(1.0, inclusion[rows], out=np.ones(len(rows)), where=given)
        if given.any():
            raw[~given] = raw[given].mean()
        effective = raw.sum() ** 2 / (raw**2).sum()
        if cluster_ids is not None:
            effective = min(effective, float(len(np.unique(cluster_ids[rows]))))
        weights[rows] = raw / raw.sum() * effective
    return weights

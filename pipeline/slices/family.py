"""Counted slices -> the `slices` table: predicates in words, errors, scores, p and q."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from pipeline.arrays import Array, Floats, Ints, Mask
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.cube import Counts
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.counting.slice_score import score_slices
from pipeline.slices.evidence.significance import compute_p, subtract_sums
from pipeline.slices.layout import Layout
from pipeline.slices.options import Direction
from pipeline.slices.slice_ids import Ids, SliceIds
from pipeline.statistics.p_values import adjust_bh
from pipeline.tables import FAMILY, check

Test = Callable[[SliceIds, Sums], Floats]


@dataclass(frozen=True)
class Family:
    """k counted slices, best score first, as arrays."""

    layout: Layout
    slices: SliceIds  # (k, level) predicate ids, -1 where there are fewer
    sums: Sums
    total: Sums  # of all rows
    score: Floats
    p: Floats
    q: Floats

    def __len__(self) -> int:
        return len(self.slices)

    @property
    def level(self) -> Ints:
        """(k,) how many predicates."""
        level: Ints = (self.slices >= 0).sum(axis=1)
        return level

    def ids(self, position: int) -> Ids:
        """Return the predicate ids of the slice at a position."""
        return tuple(int(i) for i in self.slices[position] if i >= 0)

    def hold(self, ids: Ids) -> Mask:
        """Return which slices lie inside the slice of these predicates, itself included."""
        return self.layout.find_inside(self.slices, ids)

    def find(self, ids: Ids) -> int | None:
        """Return the row of the slice with these ids, None where it is not counted."""
        wanted = np.full((1, self.slices.shape[1]), -1, np.int32)
        wanted[0, : len(ids)] = ids
        rows = np.flatnonzero((self.slices == wanted).all(axis=1))
        return int(rows[0]) if len(rows) else None

    def take(self, index: Array | slice) -> "Family":
        """Return the slices that `index` selects, with the q they have here."""
        return Family(
            self.layout, self.slices[index], self.sums.take(index), self.total,
            self.score[index], self.p[index], self.q[index],
        )  # fmt: skip


def build_family(
    cells: Cells,
    counts: Counts,
    *,
    alpha: float,
    direction: Direction,
    test: Test | None = None,
) -> Family:
    """Score and test counted slices and sort them: score, rows, level, predicate text.

    test: gives (k,) p-values of (k, level) slices where rows are not independent.
    """
    sums = cells.losses.finish(counts.sums)
    total = cells.total
    score = score_slices(
        sums.weight, sums.total,
        all_weight=float(total.weight[0]), all_total=float(total.total[0]),
        alpha=alpha, direction=direction,
    )  # fmt: skip
    if test is None:
        p = compute_p(total, sums, cells.losses, direction=direction)
    else:
        p = test(counts.slices, sums)
    order = sort_slices(cells.layout, counts.slices, sums.n, score)
    family = Family(cells.layout, counts.slices, sums, total, score, p, adjust_bh(p))
    return family.take(order)


def sort_slices(layout: Layout, slices: SliceIds, n: Ints, score: Floats) -> Ints:
    """Order by score, then more rows, lower level, and predicate text, attribute by attribute."""
    rank = np.append(layout.text_rank, -1)[slices]  # id -1 takes the appended rank: before all
    keys = [rank[:, j] for j in range(slices.shape[1] - 1, -1, -1)]
    return np.lexsort([*keys, (slices >= 0).sum(axis=1), -n, -score])


def name_slices(layout: Layout, slices: SliceIds) -> pl.Series:
    """Return the predicates of (k, level) ids as a list column of {attribute, value}."""
    used = slices >= 0
    offsets = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int32)
    ids = pa.array(slices[used])  # row by row, so in attribute order
    pairs = [("", "") if pair is None else pair for pair in layout.predicates]
    attribute = pa.array([pair[0] for pair in pairs], pa.large_string()).take(ids)
    value = pa.array([pair[1] for pair in pairs], pa.large_string()).take(ids)
    struct = pa.StructArray.from_arrays([attribute, value], names=["attribute", "value"])
    column = pl.from_arrow(pa.ListArray.from_arrays(pa.array(offsets), struct))
    return pl.Series("predicates", column, dtype=FAMILY["predicates"])


def tabulate(family: Family) -> pl.DataFrame:
    """Return the FAMILY frame; what an empty complement leaves undefined is null."""
    sums = family.sums
    error = sums.total / sums.weight
    complement = complement_error(family.total, sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = error / complement
    frame = pl.DataFrame(
        {
            "predicates": name_slices(family.layout, family.slices),
            "level": family.level,
            "n": sums.n,
            "weight": sums.weight,
            "sum_error": sums.total,
            "sum_error2": sums.total2,
            "max_error": sums.largest,
            "error": error,
            "rest_error": pl.Series(complement, nan_to_null=True),
            "lift": pl.Series(np.where(np.isfinite(lift), lift, np.nan), nan_to_null=True),
            "score": family.score,
            "p": family.p,
            "q": family.q,
        }
    )
    return check(frame, FAMILY, table="slices")


def complement_error(total: Sums, part: Sums) -> Floats:
    """Return the mean error of each slice's complement, NaN where that is empty."""
    complement = subtract_sums(total, part)
    mean: Floats = np.divide(
        complement.total,
        complement.weight,
        out=np.full(len(part.n), np.nan),
        where=complement.weight > 0,
    )
    return mean

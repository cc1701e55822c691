"""All pairs of vectors that are nearly equal, exactly, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.ranking.region_pooling import to_unit

_BLOCK = 4096  # vectors of a side of one product: 64 MB of scores
_SAMPLE = 2000  # vectors that the short forms are chosen by
_LENGTHS = (16, 32, 64, 128)
_CHECK_COST = 8.0  # of comparing one pair in full, in products of one number
_PART = 8_192  # vectors that are shortened at a time
_SLACK = 1e-5  # of the bound, for rounding in float32
_CHECKED = 65_536  # pairs compared in full at a time


@dataclass(frozen=True)
class ShortForm:
    """Vectors cut short so that their products are upper bounds of the cosines.

    basis: (d, k) orthonormal; None where vectors are compared in full at once.
    """

    basis: NDArray[np.float32] | None

    def shorten(self, vectors: NDArray[Any]) -> NDArray[np.float32]:
        """Return (n, k + 1) of (n, d): the coordinates in the basis and the length of the rest.

        x.y = Px.Py + Rx.Ry is at most Px.Py + |Rx||Ry| by Cauchy and Schwarz.
        """
        parts = [
            self._shorten(to_unit(vectors[start : start + _PART].astype(np.float32)))
            for start in range(0, len(vectors), _PART)
        ]
        return np.concatenate(parts)

    def _shorten(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.basis is None:
            return unit
        coordinates = np.matmul(unit, self.basis, dtype=np.float32)
        rest = 1 - np.minimum(np.einsum("ij,ij->i", coordinates, coordinates), 1)
        short: NDArray[np.float32] = np.column_stack([coordinates, np.sqrt(rest)])
        return short


def find_pairs(
    vectors: NDArray[Any], *, least: float, block: int = _BLOCK
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs of rows (i, j), i < j, whose cosine is at least `least`, block by block.

    vectors: (n, d), of any float type, also mapped from a file. block: rows of a side of one
    product. Memory beside them is that of their short forms and of one block of scores, whatever n.
    A pair is compared in full only where the bound of its short form allows it, so that none is
    missed: the result is that of all products. Cosines are rounded to six decimals, so that it
    depends on no order of summation.
    """
    if len(vectors) < 2:
        return
    form = choose_short_form(vectors, least=least)
    short = form.shorten(vectors)
    bound = np.float32(least - _SLACK)
    for start in range(0, len(vectors), block):
        one = short[start : start + block]
        for other in range(start, len(vectors), block):
            hits = np.flatnonzero((one @ short[other : other + block].T) >= bound)
            rows, columns = np.divmod(hits, min(block, len(vectors) - other))
            rows, columns = rows + start, columns + other
            above = rows < columns
            yield from _compare(vectors, rows[above], columns[above], least=least)


def choose_short_form(vectors: NDArray[Any], *, least: float) -> ShortForm:
    """Return the short form that makes the search cheapest, judged on a sample of rows.

    The basis holds the first principal directions, about the origin, of the sample.
    """
    step = max(len(vectors) // _SAMPLE, 1)
    sample = to_unit(vectors[::step][:_SAMPLE].astype(np.float32))
    width = sample.shape[1]
    _, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    best, best_cost = ShortForm(None), float(width)
    for length in _LENGTHS:
        if length >= width:
            break
        basis = np.ascontiguousarray(directions[:, ::-1][:, :length].astype(np.float32))
        form = ShortForm(basis)
        short = form.shorten(sample)
        share = float((short @ short.T >= least - _SLACK).mean()) - 1 / len(sample)
        cost = length + 1 + _CHECK_COST * width * max(share, 0.0)
        if cost < best_cost:
            best, best_cost = form, cost
    return best


def measure_cosines(vectors: NDArray[Any], one: Ints, other: Ints) -> Floats:
    """Return (m,) cosines of rows of (n, d) vectors, in float64, rounded to six decimals."""
    left, right = vectors[one].astype(np.float64), vectors[other].astype(np.float64)
    square = np.einsum("ij,ij->i", left, left) * np.einsum("ij,ij->i", right, right)
    products = np.einsum("ij,ij->i", left, right) / np.sqrt(np.where(square > 0, square, 1))
    rounded: Floats = np.round(products, 6)
    return rounded


def _compare(
    vectors: NDArray[Any], one: Ints, other: Ints, *, least: float
) -> Iterator[tuple[Ints, Ints]]:
    for start in range(0, len(one), _CHECKED):
        left, right = one[start : start + _CHECKED], other[start : start + _CHECKED]
        near = measure_cosines(vectors, left, right) >= least
        if near.any():
            yield left[near], right[near]

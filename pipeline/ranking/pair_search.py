"""All pairs of vectors that are nearly equal, exactly, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Ints

_BLOCK = 4096  # vectors of a side of one product: 64 MB of scores
_SAMPLE = 2000  # vectors that the short forms are chosen by
_LENGTHS = (16, 32, 64, 128)
_CHECK_COST = 8.0  # of comparing one pair in full, in products of one number
_SLACK = 1e-5  # of the bound, for rounding in float32
_CHECKED = 65_536  # pairs compared in full at a time


@dataclass(frozen=True)
class ShortForm:
    """Vectors cut short so that their products are upper bounds of the cosines.

    basis: (d, k) orthonormal; None where vectors are compared in full at once.
    """

    basis: NDArray[np.float32] | None

    def shorten(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, k + 1): the coordinates in the basis and the length of the rest.

        x.y = Px.Py + Rx.Ry is at most Px.Py + |Rx||Ry| by Cauchy and Schwarz.
        """
        if self.basis is None:
            return vectors
        coordinates = np.matmul(vectors, self.basis, dtype=np.float32)
        rest = 1 - np.minimum(np.einsum("ij,ij->i", coordinates, coordinates), 1)
        short: NDArray[np.float32] = np.column_stack([coordinates, np.sqrt(rest)])
        return short


def find_pairs(
    vectors: NDArray[np.float32], *, least: float, block: int = _BLOCK
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs of rows (i, j), i < j, whose cosine is at least `least`, block by block.

    vectors: (n, d) of unit length. block: rows of a side of one product. Memory beside them is that
    of their short forms and of one block of scores, whatever n. A pair is compared in full only
    where the bound of its short form allows it, so that none is missed: the result is that of all
    products. Cosines are rounded to six decimals, so that it depends on no order of summation.
    """
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


def choose_short_form(vectors: NDArray[np.float32], *, least: float) -> ShortForm:
    """Return the short form that makes the search cheapest, judged on a sample of rows.

    The basis holds the first principal directions, about the origin, of the sample.
    """
    step = max(len(vectors) // _SAMPLE, 1)
    sample = vectors[::step][:_SAMPLE].astype(np.float32, copy=False)
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


def measure_cosines(vectors: NDArray[np.float32], one: Ints, other: Ints) -> NDArray[np.float64]:
    """Return (m,) cosines of rows of unit vectors, in float64, rounded to six decimals."""
    left, right = vectors[one].astype(np.float64), vectors[other].astype(np.float64)
    products: NDArray[np.float64] = np.round(np.einsum("ij,ij->i", left, right), 6)
    return products


def _compare(
    vectors: NDArray[np.float32], one: Ints, other: Ints, *, least: float
) -> Iterator[tuple[Ints, Ints]]:
    for start in range(0, len(one), _CHECKED):
        left, right = one[start : start + _CHECKED], other[start : start + _CHECKED]
        near = measure_cosines(vectors, left, right) >= least
        if near.any():
            yield left[near], right[near]

"""Real-valued errors as one integer each: the error in the low bits, its square in the high ones.

A sum of such integers holds both sums, so one pass over the rows adds twice as many permutations.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.counting.fixed_point import Losses

_LOW_BITS, _HIGH_BITS = 30, 33  # that the sums over all rows fill at most
_LEAST, _LEAST_SQUARE = 16.0, 64.0  # steps of the grids in the mean error, and in its square


@dataclass(frozen=True)
class PackedErrors:
    """(n,) packed errors, and the errors and squared errors that one step of each grid is worth."""

    values: Ints
    step: float
    step2: float

    def unpack(self, sums: Ints) -> tuple[Floats, Floats]:
        """Return sums of errors and of squared errors, from sums of `values` of any shape."""
        errors: Floats = (sums & ((1 << _LOW_BITS) - 1)) * np.float64(self.step)
        squares: Floats = (sums >> _LOW_BITS) * np.float64(self.step2)
        return errors, squares


def pack_errors(losses: Losses) -> PackedErrors | None:
    """Round errors and their squares to grids on which the sums of all rows still fit.

    losses: of n rows, not two-valued, without weights. The steps are powers of two. Returns None
    where a grid would be coarse, the mean error being under 16 steps or its square under 64: with
    very many rows or very skewed errors. Rounding is then at most a thirtieth of the mean error and
    hardly moves a sum of many rows.
    """
    scaled = losses.errors / losses.unit  # 0..1, the largest at least 0.5
    n = len(scaled)
    square = scaled * scaled
    if n >= 1 << (_LOW_BITS - 1):
        return None
    scale = 2.0 ** np.floor(np.log2(((1 << _LOW_BITS) - n) / scaled.sum()))
    scale2 = 2.0 ** np.floor(np.log2(((1 << _HIGH_BITS) - n) / square.sum()))
    mean = scaled.mean()
    if mean * scale < _LEAST or mean * mean * scale2 < _LEAST_SQUARE:
        return None
    low = np.rint(scaled * scale).astype(np.int64)
    high = np.rint(square * scale2).astype(np.int64)
    return PackedErrors(
        low + (high << _LOW_BITS), losses.unit / scale, losses.unit * losses.unit / scale2
    )

"""Array types that rooms annotate with, and vectors with their keys.

Shapes are given where a type is used.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]  # codes of at most 256 values, or bits
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Vectors:
    """Unit-length vectors of one encoder: values (n, d) float32, keys (n,) what they belong to."""

    keys: pl.Series
    values: NDArray[np.float32]
    encoder_id: str

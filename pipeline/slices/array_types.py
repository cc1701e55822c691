"""Names for the arrays of this room: what they hold; shapes are said where they are used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]  # codes of at most 256 values, or bits
Mask = NDArray[np.bool_]
SliceIds = NDArray[np.int32]  # (k, level) predicate ids of k slices, -1 where there are fewer
Ids = tuple[int, ...]  # predicate ids of one slice

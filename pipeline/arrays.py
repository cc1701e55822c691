"""Names of the array types that rooms annotate with; shapes are given where they are used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]  # codes of at most 256 values, or bits
Mask = NDArray[np.bool_]

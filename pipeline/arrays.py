"""Short names for the array types that several rooms annotate with."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Pixels = npt.NDArray[Any]  # prepared images, (n, ...) or (...), in the type that a model takes
Float32s = npt.NDArray[np.float32]  # vectors of an encoder

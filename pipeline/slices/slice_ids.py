"""Ids of slices: which predicates they are made of."""

import numpy as np
from numpy.typing import NDArray

SliceIds = NDArray[np.int32]  # (k, level) predicate ids of k slices, -1 where there are fewer
Ids = tuple[int, ...]  # predicate ids of one slice

"""The kernels that count many permutations at a time: compiled by numba, or plain NumPy."""

from typing import Protocol, cast

from pipeline.arrays import Array
from pipeline.slices.counting.kernels import load_kernels
from pipeline.slices.options import Backend


class JointKernels(Protocol):
    """The functions that `joint_numba` and `joint_numpy` both have."""

    def number_cells(self, codes: Array, dims: Array, attributes: Array) -> Array:
        """Return the cell of each row in the joint histogram of some attributes."""

    def take_distinct(self, stream: Array, n: int, out: Array) -> int:
        """Fill `out` with the first distinct numbers of a stream; return how many it had."""

    def count_drawn(self, key: Array, drawn: Array, cells: int) -> Array:
        """Count drawn rows in every cell."""

    def add_lanes(self, key: Array, values: Array, cells: int) -> Array:
        """Add rows of eight integers by cell."""

    def sum_axis(self, hist: Array, outer: int, size: int, inner: int) -> Array:
        """Sum cells over the middle axis."""

    def shuffle_pairs(
        self, pairs: Array, bucket: Array, stream: Array, out: Array, lane: int
    ) -> None:
        """Write pairs in random order into two lanes."""

    def shuffle_lanes(
        self, values: Array, bucket: Array, stream: Array, step: int, out: Array
    ) -> None:
        """Write values in one random order into eight lanes, each starting at another place."""


def load_joint_kernels(backend: Backend = "auto") -> JointKernels:
    """Return the compiled kernels, or NumPy's where `load_kernels` would. Raises SearchError."""
    if load_kernels(backend).__name__.endswith("numba"):  # type: ignore[attr-defined]  # a module
        from pipeline.slices.counting import joint_numba

        return cast(JointKernels, joint_numba)
    from pipeline.slices.counting import joint_numpy

    return cast(JointKernels, joint_numpy)

"""The choice of counting kernels: compiled by numba, or plain NumPy with the same numbers."""

import os
from typing import Protocol, cast

from pipeline.arrays import Array
from pipeline.exceptions import SearchError
from pipeline.slices.options import Backend


class Kernels(Protocol):
    """The functions that `kernels_numba` and `kernels_numpy` both have."""

    def count_values(self, codes: Array, size: int) -> Array:
        """Count how often each code occurs."""

    def count_bits(
        self, codes: Array, bits: Array, dims: Array, prefixes: Array,
        first: Array, stop: Array, starts: Array, cells: int,
    ) -> Array:  # fmt: skip
        """Count rows and rows with bit 1 in every cell."""

    def count_channels(
        self, codes: Array, rows: Array, dims: Array, prefixes: Array,
        first: Array, stop: Array, starts: Array, cells: int,
    ) -> Array:  # fmt: skip
        """Add up integer channels in every cell."""

    def marginalize(self, hist: Array, shape: Array, kept: Array, out: Array, sums: int) -> None:
        """Sum a set's cells over some of its attributes."""

    def extract(
        self, hist: Array, sets: Array, begins: Array, dims: Array,
        kept: Array, ids: Array, channel: int, least: int,
    ) -> tuple[Array, Array]:  # fmt: skip
        """List the cells that are large enough."""

    def count_children(
        self, codes: Array, members: Array, rows: Array, first: int, ids: Array
    ) -> Array:
        """Add up the channels of some rows for every value of later attributes."""

    def count_clusters(
        self, codes: Array, values: Array, weights: Array, cluster_starts: Array,
        cluster_totals: Array, cluster_sizes: Array, dims: Array, attributes: Array, cells: int,
    ) -> Array:  # fmt: skip
        """Sum, in each cell of one attribute set, what each cluster of rows adds to it."""


def load_kernels(backend: Backend = "auto") -> Kernels:
    """Return the compiled kernels, or NumPy's where numba cannot be imported or is switched off.

    WEAKSPOT_NUMBA=0 in the environment switches numba off for `auto`.
    Raises SearchError when `numba` is demanded and cannot be imported.
    """
    if backend == "numpy" or (backend == "auto" and os.environ.get("WEAKSPOT_NUMBA") == "0"):
        from pipeline.slices.counting import kernels_numpy

        return cast(Kernels, kernels_numpy)
    try:
        from pipeline.slices.counting import kernels_numba
    except (ImportError, OSError) as error:  # no wheel for this platform, or a broken llvmlite
        if backend == "numba":
            raise SearchError(
                f"numba cannot be loaded ({error}); install it or use the backend 'numpy'"
            ) from error
        from pipeline.slices.counting import kernels_numpy

        return cast(Kernels, kernels_numpy)
    return cast(Kernels, kernels_numba)

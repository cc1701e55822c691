"""The choice of counting kernels: compiled by numba, or plain NumPy with the same numbers."""

import os
from typing import Any, Literal, Protocol, cast

from pipeline.exceptions import SearchError

Backend = Literal["auto", "numba", "numpy"]


class Kernels(Protocol):
    """The functions that `counting_numba` and `counting_numpy` both have."""

    def count_values(self, codes: Any, size: int) -> Any:
        """Count how often each code occurs."""

    def count_bits(
        self, codes: Any, bits: Any, dims: Any, prefixes: Any,
        first: Any, stop: Any, starts: Any, cells: int,
    ) -> Any:  # fmt: skip
        """Count rows and rows with bit 1 in every cell."""

    def count_channels(
        self, codes: Any, rows: Any, dims: Any, prefixes: Any,
        first: Any, stop: Any, starts: Any, cells: int,
    ) -> Any:  # fmt: skip
        """Add up integer channels in every cell."""

    def marginalize(self, hist: Any, shape: Any, kept: Any, out: Any, largest: bool) -> None:  # noqa: FBT001 - kernels take positions only
        """Sum a set's cells over some of its attributes."""

    def extract(
        self, hist: Any, sets: Any, begins: Any, dims: Any,
        kept: Any, ids: Any, channel: int, least: int,
    ) -> Any:  # fmt: skip
        """List the cells that are large enough."""

    def count_children(
        self, codes: Any, members: Any, rows: Any, dims: Any, first: int, ids: Any
    ) -> Any:
        """Add up the channels of some rows for every value of later attributes."""

    def count_clusters(
        self, codes: Any, values: Any, group_starts: Any, group_totals: Any,
        dims: Any, attributes: Any, cells: int,
    ) -> Any:  # fmt: skip
        """Sum, in each cell of one attribute set, what each group of rows adds to it."""


def load_kernels(backend: Backend = "auto") -> Kernels:
    """Return the compiled kernels, or NumPy's where numba cannot be imported or is switched off.

    WEAKSPOT_NUMBA=0 in the environment switches numba off for `auto`.
    Raises SearchError when `numba` is demanded and cannot be imported.
    """
    if backend == "numpy" or (backend == "auto" and os.environ.get("WEAKSPOT_NUMBA") == "0"):
        from pipeline.slices import counting_numpy

        return cast(Kernels, counting_numpy)
    try:
        from pipeline.slices import counting_numba
    except (ImportError, OSError) as error:  # no wheel for this platform, or a broken llvmlite
        if backend == "numba":
            raise SearchError(
                f"numba cannot be loaded ({error}); install it or use the backend 'numpy'"
            ) from error
        from pipeline.slices import counting_numpy

        return cast(Kernels, counting_numpy)
    return cast(Kernels, counting_numba)

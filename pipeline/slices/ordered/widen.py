"""Histograms of attribute sets, widened by the runs of their ordered attributes.

A histogram has one cell a value on each axis. Widened, an axis has one a run too: each is the sum
of a shorter run and one more value, so that no row is counted again.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Protocol, cast

import numpy as np
from scipy import sparse

from pipeline.arrays import Array, Ints
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.ordered.runs import Runs


class RunKernels(Protocol):
    """The functions that `runs_numba` and `runs_numpy` both have."""

    def add_runs(
        self, hist: Array, outer: int, size: int, inner: int, kept: int,
        base: Array, added: Array, sums: int,
    ) -> Array:  # fmt: skip
        """Widen the middle axis of cells by runs."""

    def count_cluster_runs(
        self, key: Array, values: Array, weights: Array, cluster_starts: Array,
        cluster_totals: Array, cluster_sizes: Array, starts: Array, holders: Array, slices: int,
    ) -> Array:  # fmt: skip
        """Sum, for some slices of one attribute set, what each cluster of rows adds to each."""


def pick_run_kernels(kernels: Kernels) -> RunKernels:
    """Return the kernels for runs that go with the counting kernels: compiled, or NumPy's."""
    from pipeline.slices.counting import kernels_numpy

    if kernels is cast(Kernels, kernels_numpy):
        from pipeline.slices.ordered import runs_numpy

        return cast(RunKernels, runs_numpy)
    from pipeline.slices.ordered import runs_numba

    return cast(RunKernels, runs_numba)


def widen_histogram(
    hist: Array, shape: Sequence[int], kept: Sequence[int], runs: Sequence[Runs],
    kernels: RunKernels, *, sums: int,
) -> Array:  # fmt: skip
    """Add the runs of every axis to the (cells, K) sums of one attribute set.

    shape: codes of each axis. kept: how many of them count; the cells of others become 0 on an axis
    with runs. sums: channels to add up; of those after them the maximum is taken.
    """
    sizes = [int(size) for size in shape]
    for axis, own in enumerate(runs):
        if len(own):
            outer, inner = int(np.prod(sizes[:axis])), int(np.prod(sizes[axis + 1 :]))
            hist = kernels.add_runs(
                hist, outer, sizes[axis], inner, int(kept[axis]), own.base, own.added, sums
            )
            sizes[axis] += len(own)
    return hist


def list_holders(
    shape: Sequence[int], kept: Sequence[int], runs: Sequence[Runs], cells: Ints
) -> tuple[Ints, Ints]:
    """Return which of some widened cells hold each cell of an attribute set.

    cells: (k,) cells of the widened histogram. Returns starts (prod(shape) + 1,) and holders, which
    count through `cells`: those of cell c are holders[starts[c] : starts[c + 1]].
    """
    axes = []
    for size, count, own in zip(shape, kept, runs, strict=True):
        code = np.arange(size)[:, None]
        alone = np.eye(size, dtype=np.bool_) & (code < count)
        within = (code >= own.first) & (code <= own.last)
        axes.append(sparse.csr_array(np.concatenate([alone, within], axis=1).astype(np.int8)))
    wide = reduce(lambda left, right: sparse.csr_array(sparse.kron(left, right)), axes)
    chosen = sparse.csr_array(wide.tocsc()[:, cells])
    chosen.eliminate_zeros()  # kron stores whole blocks
    return chosen.indptr.astype(np.int64), chosen.indices.astype(np.int64)

"""The vectors nearest to a query, exactly: float32 finds the candidates, float64 ranks them."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Array, Floats, Ints
from pipeline.files.core_count import count_cores

Backend = Literal["auto", "numba", "numpy"]
LONGEST = 1.01  # a stored vector: unit length but for the rounding of float16
_SMALL = 1 << 24  # numbers; below it NumPy is done before numba is imported
_BLOCK = 1 << 14  # rows that one thread takes at a time
_RANKED = 1 << 14  # rows ranked in float64 at a time


@dataclass(frozen=True)
class Ranked:
    """The best of n scored places: places (k,) by falling score, then by place; scores (k,)."""

    places: Ints
    scores: Floats


class ScanKernels(Protocol):
    """The functions that `scan_numba` and `scan_numpy` both have."""

    def score_block(self, bits: Array, query: Array, out: Array) -> None:
        """Score all rows."""

    def score_listed(self, bits: Array, rows: Ints, query: Array, out: Array) -> None:
        """Score the listed rows."""

    def score_codes(
        self, codes: Array, scales: Array, query: Array, step: float, out: Array
    ) -> None:
        """Score rows of int8."""


def load_scan_kernels(backend: Backend = "auto", *, size: int = _SMALL) -> ScanKernels:
    """Return the compiled kernels, or NumPy's for a small array or where numba is missing.

    size: numbers to be read. WEAKSPOT_NUMBA=0 in the environment switches numba off for `auto`.
    """
    from pipeline.retrieval import scan_numpy

    fallback = cast("ScanKernels", scan_numpy)
    small = size < _SMALL and "pipeline.retrieval.scan_numba" not in sys.modules
    off = small or os.environ.get("WEAKSPOT_NUMBA") == "0"
    if backend == "numpy" or (backend == "auto" and off):
        return fallback
    try:
        from pipeline.retrieval import scan_numba
    except (ImportError, OSError):  # no wheel for this platform, or a broken llvmlite
        if backend == "numba":
            raise
        return fallback
    return cast("ScanKernels", scan_numba)


def score_rows(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    rows: Ints | None = None,
    *,
    backend: Backend = "auto",
) -> NDArray[np.float32]:
    """Return the dot products of all rows, or of `rows`, with a query.

    vectors: (n, d). query: (d,). rows: (m,) of any order, repeats too. Returns (m,), each off by at
    most `bound_error`.
    """
    bits, query = vectors.view(np.uint16), np.ascontiguousarray(query, np.float32)
    count = len(vectors) if rows is None else len(rows)
    kernels = load_scan_kernels(backend, size=count * vectors.shape[1])
    if rows is None:
        return _score_all(kernels, bits, query)
    rising = bool((rows[1:] > rows[:-1]).all())
    distinct, back = (rows, None) if rising else np.unique(rows, return_inverse=True)
    if 2 * len(distinct) > len(vectors):  # reading on is faster than skipping
        return _score_all(kernels, bits, query)[rows]
    out = np.empty(len(distinct), np.float32)
    run_in_threads(
        lambda part: kernels.score_listed(bits, distinct[part], query, out[part]), len(distinct)
    )
    return out if back is None else out[back]


def bound_error(width: int, query: Array) -> float:
    """Return by how much a float32 dot product with a stored vector may be off.

    Any order of summation: Higham, Accuracy and Stability of Numerical Algorithms, eq. 3.5.
    """
    unit = width * 2.0**-24
    return float(unit / (1 - unit) * LONGEST * np.linalg.norm(query.astype(np.float64)))


def rank_exactly(vectors: NDArray[np.float16], query: Array, rows: Ints) -> Floats:
    """Return (m,) dot products of rows with the query in float64, the same for equal rows."""
    out = np.empty(len(rows))
    wide = query.astype(np.float64)
    for start in range(0, len(rows), _RANKED):
        block = vectors[rows[start : start + _RANKED]].astype(np.float64)
        out[start : start + _RANKED] = (block * wide).sum(axis=1)  # no BLAS: it sums by place
    return out


def find_nearest(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    top: int,
    rows: Ints | None = None,
    *,
    scores: NDArray[np.float32] | None = None,
    backend: Backend = "auto",
) -> Ranked:
    """Return the `top` places with the largest dot products; equal ones in the order of places.

    rows: which row each place is of; all rows, each once, when None. scores: of all places, where
    they are known from `score_rows`. The ranks are those of float64 sums over all rows, see
    `rank_exactly`: whatever float32 could have misplaced is among the candidates.
    """
    if scores is None:
        scores = score_rows(vectors, query, rows, backend=backend)
    top = min(top, len(scores))
    if top == 0:
        return Ranked(np.zeros(0, np.int64), np.zeros(0))
    least = find_kth_largest(scores, top) - 2 * bound_error(vectors.shape[1], query)
    places = np.flatnonzero(scores >= least)
    exact = rank_exactly(vectors, query, places if rows is None else rows[places])
    order = np.lexsort((places, -exact))[:top]
    return Ranked(places[order].astype(np.int64), exact[order])


def find_kth_largest(scores: NDArray[np.float32], k: int) -> float:
    """Return the k-th largest score, or a little less: never more."""
    if len(scores) <= 64 * k:
        return float(np.partition(scores, len(scores) - k)[len(scores) - k])
    width = len(scores) // (16 * k)  # the k-th largest of the maxima of groups is a lower bound
    whole = len(scores) // width * width
    maxima = scores[:whole].reshape(-1, width).max(axis=1)
    return float(np.partition(maxima, len(maxima) - k)[len(maxima) - k])


def run_in_threads(work: Callable[[slice], None], count: int) -> None:
    """Call `work` for slices that cover `count` rows, on every core that this process may use."""
    parts = [slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
    if len(parts) == 1 or count_cores() == 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(count_cores(), thread_name_prefix="scan") as pool:
        list(pool.map(work, parts))


def _score_all(kernels: ScanKernels, bits: Array, query: Array) -> NDArray[np.float32]:
    out = np.empty(len(bits), np.float32)
    run_in_threads(lambda part: kernels.score_block(bits[part], query, out[part]), len(bits))
    return out

"""What `scan_numba` does, in plain NumPy: a small array needs no compiler, some machines have none.

Rows are converted block by block, so that memory stays small.
"""

import numpy as np

from pipeline.arrays import Array, Ints

_BLOCK = 4096  # rows


def score_block(bits: Array, query: Array, out: Array) -> None:
    """Write (n,) dot products of (n, d) float16 bits with a (d,) float32 query into `out`."""
    halves = bits.view(np.float16)
    for start in range(0, len(halves), _BLOCK):
        out[start : start + _BLOCK] = halves[start : start + _BLOCK].astype(np.float32) @ query


def score_listed(bits: Array, rows: Ints, query: Array, out: Array) -> None:
    """Write the dot products of the listed rows alone into `out`, (len(rows),) float32."""
    halves = bits.view(np.float16)
    for start in range(0, len(rows), _BLOCK):
        block = halves[rows[start : start + _BLOCK]].astype(np.float32)
        out[start : start + _BLOCK] = block @ query


def score_codes(codes: Array, scales: Array, query: Array, step: float, out: Array) -> None:
    """Write `step * scales * (codes @ query)` into `out`: (n, d) int8 with a (d,) int16 query."""
    wide = query.astype(np.float64)  # sums of whole numbers below 2**53: exact
    for start in range(0, len(codes), _BLOCK):
        totals = codes[start : start + _BLOCK].astype(np.float64) @ wide
        out[start : start + _BLOCK] = totals * scales[start : start + _BLOCK] * step

"""Vectors as int8, half the memory, with the exact answer all the same.

A row is kept as whole numbers from -127 to 127 times a scale, and the length r of what is left out.
By Cauchy and Schwarz its true score is within r * |query| of the score by codes, so only rows whose
upper bound reaches the k-th largest lower bound can be among the best k. These few alone are read
in float16 and ranked in float64.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Array, Ints
from pipeline.retrieval.nearest import (
    LONGEST,
    Backend,
    Ranked,
    find_kth_largest,
    load_scan_kernels,
    rank_exactly,
    run_in_threads,
)

_LARGEST = 127
_QUERY_LARGEST = 2047  # of the query as whole numbers; see `score_codes`
_WIDEST = 8000  # numbers in a vector, so that sums stay below 2**31
_BLOCK = 1 << 14


@dataclass(frozen=True)
class Codes:
    """values (n, d) int8, scales (n,) float32, losses (n,) float32: r, rounded up."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]
    losses: NDArray[np.float32]


def make_codes(vectors: NDArray[np.float16]) -> Codes:
    """Return (n, d) vectors, of length at most 1.01 and d at most 8,000, as int8."""
    n, d = vectors.shape
    if d > _WIDEST:
        raise ValueError(f"vectors of {d} numbers; at most {_WIDEST}")
    codes = Codes(np.empty((n, d), np.int8), np.empty(n, np.float32), np.empty(n, np.float32))
    for start in range(0, n, _BLOCK):
        part = slice(start, start + _BLOCK)
        block = vectors[part].astype(np.float32)
        largest = np.abs(block).max(axis=1)
        scales = np.where(largest > 0, largest / _LARGEST, np.float32(1)).astype(np.float32)
        values = np.clip(np.rint(block / scales[:, None]), -_LARGEST, _LARGEST)
        lost = block.astype(np.float64) - values * scales[:, None].astype(np.float64)
        codes.values[part], codes.scales[part] = values, scales
        codes.losses[part] = _round_up(np.sqrt((lost * lost).sum(axis=1)))
    return codes


@dataclass(frozen=True)
class CodedScores:
    """Scores by codes: scores (m,) float32, each off by at most slack (m,)."""

    scores: NDArray[np.float32]
    slack: NDArray[np.float32]


def score_by_codes(
    codes: Codes,
    query: NDArray[np.float32],
    rows: Ints | None = None,
    *,
    backend: Backend = "auto",
) -> CodedScores:
    """Return the scores of all rows, or of (m,) `rows`, with how far they may be off."""
    whole, step = _round_query(query)
    scores = np.empty(len(codes.values), np.float32)
    kernels = load_scan_kernels(backend, size=codes.values.size)
    run_in_threads(
        lambda part: kernels.score_codes(
            codes.values[part], codes.scales[part], whole, step, scores[part]
        ),
        len(scores),
    )
    length = float(np.linalg.norm(query.astype(np.float64)))
    rounded = np.linalg.norm(query.astype(np.float64) - whole * step)
    # Of a row: r |q| by its own codes, |codes| |q - rounded q| by those of the query, float32.
    largest = float(codes.losses.max()) if len(codes.losses) else 0.0
    fixed = float(rounded) * (LONGEST + largest) + 2.0**-22 * LONGEST * length
    slack = codes.losses * np.float32(length * (1 + 2.0**-20)) + np.float32(fixed * (1 + 2.0**-20))
    return CodedScores(scores, slack) if rows is None else CodedScores(scores[rows], slack[rows])


def find_nearest_by_codes(
    codes: Codes,
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    top: int,
    rows: Ints | None = None,
    *,
    scored: CodedScores | None = None,
    backend: Backend = "auto",
) -> tuple[Ranked, int]:
    """Return what `find_nearest` returns, and how many rows were read in float16.

    scored: what `score_by_codes` gave of the same rows, where it is known.
    """
    found = scored or score_by_codes(codes, query, rows, backend=backend)
    top = min(top, len(found.scores))
    if top == 0:
        return Ranked(np.zeros(0, np.int64), np.zeros(0)), 0
    least = find_kth_largest(found.scores - found.slack, top)
    reach = least - abs(least) * 2.0**-20 - 1e-12
    places = np.flatnonzero(found.scores + found.slack >= reach)
    exact = rank_exactly(vectors, query, places if rows is None else rows[places])
    order = np.lexsort((places, -exact))[:top]
    return Ranked(places[order].astype(np.int64), exact[order]), len(places)


def _round_query(query: NDArray[np.float32]) -> tuple[NDArray[np.int16], float]:
    """Return a query as whole numbers and the step between them."""
    largest = float(np.abs(query).max())
    step = largest / _QUERY_LARGEST if largest > 0 else 1.0
    return np.rint(query.astype(np.float64) / step).astype(np.int16), step


def _round_up(values: Array) -> NDArray[np.float32]:
    return np.nextafter((values * (1 + 2.0**-20)).astype(np.float32), np.float32(np.inf))

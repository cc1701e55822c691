"""Kernels for joint histograms in plain NumPy, where numba is missing: the same numbers, slower."""

import numpy as np

from pipeline.arrays import Array
from pipeline.slices.counting.kernels_numpy import add_exactly


def number_cells(codes: Array, dims: Array, attributes: Array) -> Array:
    """Return (n,) the cell of each row in the joint histogram of some attributes."""
    key = np.zeros(codes.shape[1], np.uint32)
    for a in attributes:
        key = key * np.uint32(dims[a]) + codes[a].astype(np.uint32)
    return key


def take_distinct(stream: Array, n: int, out: Array) -> int:  # noqa: ARG001  # the kernels' signature
    """Fill `out` with the first distinct numbers of a stream below n; return how many it had."""
    _, first = np.unique(stream, return_index=True)
    found = stream[np.sort(first)][: len(out)]
    out[: len(found)] = found
    return len(found)


def count_drawn(key: Array, drawn: Array, cells: int) -> Array:
    """Count drawn rows in every cell, as the compiled kernel of this name does."""
    counts = [np.bincount(key[rows], minlength=cells) for rows in drawn]
    return np.stack(counts, axis=1).astype(np.int32)


def add_lanes(key: Array, values: Array, cells: int) -> Array:
    """Add rows of eight integers by cell, as the compiled kernel of this name does."""
    columns = [add_exactly(key, np.ascontiguousarray(column), cells) for column in values.T]
    return np.stack(columns, axis=1)


def sum_axis(hist: Array, outer: int, size: int, inner: int) -> Array:
    """Sum (outer * size * inner, R) cells over the middle axis; returns (outer * inner, R)."""
    parts = hist.reshape(outer, size, inner, hist.shape[1])
    total: Array = parts.sum(axis=1, dtype=hist.dtype).reshape(outer * inner, hist.shape[1])
    return total


def shuffle_pairs(pairs: Array, bucket: Array, stream: Array, out: Array, lane: int) -> None:
    """Write the rows of pairs (n, 2) in random order, as the compiled kernel of this name does."""
    out[:, lane : lane + 2] = pairs[_draw_order(bucket, stream)]


def shuffle_lanes(values: Array, bucket: Array, stream: Array, step: int, out: Array) -> None:
    """Write values in one random order into eight lanes, as the compiled kernel does."""
    order = _draw_order(bucket, stream)
    for lane in range(8):
        out[order, lane] = values[step * lane : step * lane + len(order)]


def _draw_order(bucket: Array, stream: Array) -> Array:
    """Return (n,) numbers in random order: 256 buckets, then each shuffled where it is."""
    order = np.argsort(bucket, kind="stable")
    counts = np.bincount(bucket, minlength=256)
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = np.arange(len(order)) - np.repeat(starts[:-1], counts)  # within the bucket
    step = (stream.astype(np.uint64) * (place + 1).astype(np.uint64)) >> np.uint64(32)
    targets = np.repeat(starts[:-1], counts) + step.astype(np.int64)
    rows, jumps = order.tolist(), targets.tolist()
    for first, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        for i in range(stop - 1, first, -1):
            j = jumps[i]
            rows[i], rows[j] = rows[j], rows[i]
    return np.array(rows, np.int64)

"""Kernels for joint histograms of many permutations at a time, compiled by numba."""

import numpy as np

from pipeline.arrays import Array
from pipeline.slices.counting.kernels_numba import compile_kernel


@compile_kernel
def number_cells(codes: Array, dims: Array, attributes: Array) -> Array:
    """Return (n,) the cell of each row in the joint histogram of some attributes."""
    n = codes.shape[1]
    key = np.zeros(n, np.uint32)
    for j in range(attributes.shape[0]):
        d = np.uint32(dims[attributes[j]])
        column = codes[attributes[j]]
        for i in range(n):
            key[i] = key[i] * d + np.uint32(column[i])
    return key


@compile_kernel
def take_distinct(stream: Array, n: int, out: Array) -> int:
    """Fill `out` with the first distinct numbers of a stream below n; return how many it had."""
    seen = np.zeros(n, np.uint8)
    count = 0
    for draw in stream:
        if count == out.shape[0]:
            break
        if seen[draw] == 0:
            seen[draw] = 1
            out[count] = draw
            count += 1
    return count


@compile_kernel
def count_drawn(key: Array, drawn: Array, cells: int) -> Array:
    """Count drawn rows in every cell. key (n,), drawn (R, c) row numbers; returns (cells, R)."""
    lanes = drawn.shape[0]
    out = np.empty((cells, lanes), np.int32)
    hist = np.empty(cells, np.int32)
    for r in range(lanes):
        hist[:] = 0
        rows = drawn[r]
        for i in range(rows.shape[0]):
            hist[key[rows[i]]] += 1
        for q in range(cells):
            out[q, r] = hist[q]
    return out


@compile_kernel
def add_lanes(key: Array, values: Array, cells: int) -> Array:
    """Add rows of four or eight integers by cell. key (n,), values (n, L); returns (cells, L)."""
    lanes = values.shape[1]
    h = np.zeros(cells * lanes, np.int64)
    v = values.reshape(-1)
    # All loads before all stores, so that the compiler adds several lanes at once.
    if lanes == 4:
        for i in range(key.shape[0]):
            k, j = np.int64(key[i]) * 4, i * 4
            a, b, c, d = h[k] + v[j], h[k + 1] + v[j + 1], h[k + 2] + v[j + 2], h[k + 3] + v[j + 3]
            h[k], h[k + 1], h[k + 2], h[k + 3] = a, b, c, d
        return h.reshape(cells, 4)
    for i in range(key.shape[0]):
        k, j = np.int64(key[i]) * 8, i * 8
        a, b, c, d = h[k] + v[j], h[k + 1] + v[j + 1], h[k + 2] + v[j + 2], h[k + 3] + v[j + 3]
        e, f, g, o = (
            h[k + 4] + v[j + 4],
            h[k + 5] + v[j + 5],
            h[k + 6] + v[j + 6],
            h[k + 7] + v[j + 7],
        )
        h[k], h[k + 1], h[k + 2], h[k + 3] = a, b, c, d
        h[k + 4], h[k + 5], h[k + 6], h[k + 7] = e, f, g, o
    return h.reshape(cells, 8)


@compile_kernel
def sum_axis(hist: Array, outer: int, size: int, inner: int) -> Array:
    """Sum (outer * size * inner, R) cells over the middle axis; returns (outer * inner, R)."""
    width = inner * hist.shape[1]
    parts = hist.reshape(outer, size, width)
    out = np.zeros((outer, width), hist.dtype)
    for o in range(outer):
        into = out[o]
        for s in range(size):
            part = parts[o, s]
            for i in range(width):
                into[i] += part[i]
    return out.reshape(outer * inner, hist.shape[1])


@compile_kernel
def shuffle_pairs(pairs: Array, bucket: Array, stream: Array, out: Array, lane: int) -> None:
    """Write the rows of pairs (n, 2) in random order into out[:, lane : lane + 2].

    bucket: (n,) random bytes, stream: (n,) random uint32. Rows go to one of 256 buckets by their
    random byte, then each bucket is shuffled where it is (Fisher and Yates): every order is equally
    likely. Source: Rao, Sankhya A 23, 1961; Sandelius, JRSS B 24, 1962.
    """
    n = pairs.shape[0]
    starts = np.zeros(257, np.int64)
    for i in range(n):
        starts[bucket[i] + 1] += 1
    for b in range(256):
        starts[b + 1] += starts[b]
    at = starts[:256].copy()
    moved = np.empty((n, 2), pairs.dtype)
    for i in range(n):
        k = at[bucket[i]]
        at[bucket[i]] = k + 1
        moved[k, 0] = pairs[i, 0]
        moved[k, 1] = pairs[i, 1]
    for b in range(256):
        first = starts[b]
        for i in range(starts[b + 1] - 1, first, -1):
            j = first + np.int64((np.uint64(stream[i]) * np.uint64(i - first + 1)) >> np.uint64(32))
            x, y = moved[i, 0], moved[i, 1]
            moved[i, 0], moved[i, 1] = moved[j, 0], moved[j, 1]
            moved[j, 0], moved[j, 1] = x, y
    for i in range(n):
        out[i, lane] = moved[i, 0]
        out[i, lane + 1] = moved[i, 1]


@compile_kernel
def shuffle_lanes(values: Array, bucket: Array, stream: Array, step: int, out: Array) -> None:
    """Write values[i + step * lane] to out[k, lane]; k is the place of i in one random order.

    values: (n + 7 * step,), out: (n, 8). bucket, stream: as `shuffle_pairs` has them, and the order
    is drawn in the same way.
    """
    n = out.shape[0]
    starts = np.zeros(257, np.int64)
    for i in range(n):
        starts[bucket[i] + 1] += 1
    for b in range(256):
        starts[b + 1] += starts[b]
    at = starts[:256].copy()
    order = np.empty(n, np.uint32)  # moved in place of rows of 64 bytes, which are written once
    for i in range(n):
        order[at[bucket[i]]] = i
        at[bucket[i]] += 1
    for b in range(256):
        first = starts[b]
        for i in range(starts[b + 1] - 1, first, -1):
            j = first + np.int64((np.uint64(stream[i]) * np.uint64(i - first + 1)) >> np.uint64(32))
            x = order[i]
            order[i] = order[j]
            order[j] = x
    for i in range(n):
        k = order[i]
        for lane in range(8):
            out[k, lane] = values[i + step * lane]

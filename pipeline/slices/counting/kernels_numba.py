"""Counting kernels, compiled: single-threaded, free of the GIL, run on short-lived Python threads.

numba's own thread layers are avoided: one kills forked children, another refuses two callers.
All sums are of integers, so how rows and attribute sets are split over threads changes nothing.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from pipeline.arrays import Array

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
_BLOCK = 4096  # rows whose codes and keys stay in the first caches


def compile_kernel(function: Kernel) -> Kernel:
    """Compile without the GIL, kept on disk where some cache folder can be written."""
    try:
        return cast(Kernel, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # numba: no folder for its cache
        return cast(Kernel, numba.njit(nogil=True)(function))


@compile_kernel
def count_values(codes: Array, size: int) -> Array:
    """Count how often each code below `size` occurs."""
    # Four tables side by side: runs of one value would wait for each other's store.
    out = np.zeros((4, size), np.int64)
    n = codes.shape[0]
    whole = n - n % 4
    for i in range(0, whole, 4):
        out[0, codes[i]] += 1
        out[1, codes[i + 1]] += 1
        out[2, codes[i + 2]] += 1
        out[3, codes[i + 3]] += 1
    for i in range(whole, n):
        out[0, codes[i]] += 1
    total: Array = out[0] + out[1] + out[2] + out[3]
    return total


@compile_kernel
def _fill_prefix(
    codes: Array, dims: Array, prefix: Array, start: int, size: int, index: Array
) -> None:
    """Number the combination of the prefix's values of each row of a block."""
    for i in range(size):
        index[i] = 0
    for j in range(prefix.shape[0]):
        d = np.int32(dims[prefix[j]])
        column = codes[prefix[j], start : start + size]
        for i in range(size):
            index[i] = index[i] * d + np.int32(column[i])


@compile_kernel
def count_bits(
    codes: Array,
    bits: Array,
    dims: Array,
    prefixes: Array,
    first: Array,
    stop: Array,
    starts: Array,
    cells: int,
) -> Array:
    """Count rows and rows with bit 1 in every cell of the attribute sets prefix + one attribute.

    codes (m, n), bits (n,), prefixes (P, level - 1); the last attribute runs over first[p]..stop[p]
    and its set's cells begin at starts[p, attribute - first[p]]. Returns (cells, 2) int64.
    """
    n = codes.shape[1]
    index = np.empty(_BLOCK, np.int32)
    key = np.empty(_BLOCK, np.uint32)
    hist = np.zeros(2 * cells, np.int32)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        bit = bits[start : start + size]
        for p in range(prefixes.shape[0]):
            _fill_prefix(codes, dims, prefixes[p], start, size, index)
            for c in range(first[p], stop[p]):
                d = np.int32(dims[c])
                h = hist[2 * starts[p, c - first[p]] :]
                column = codes[c, start : start + size]
                # Keys first: the compiler vectorises this loop, and the next has no aliases.
                for i in range(size):
                    key[i] = np.uint32(2 * (index[i] * d + np.int32(column[i])) + np.int32(bit[i]))
                for i in range(size):
                    h[key[i]] += 1
    out = np.empty((cells, 2), np.int64)
    for k in range(cells):
        out[k, 1] = hist[2 * k + 1]
        out[k, 0] = np.int64(hist[2 * k]) + out[k, 1]
    return out


@compile_kernel
def count_channels(
    codes: Array,
    rows: Array,
    dims: Array,
    prefixes: Array,
    first: Array,
    stop: Array,
    starts: Array,
    cells: int,
) -> Array:
    """Add up the integer channels of rows (n, K) in every cell; the last channel takes the maximum.

    Arguments as for `count_bits`. Returns (cells, K) int64.
    """
    n = codes.shape[1]
    width = rows.shape[1]
    values = rows.reshape(-1)
    index = np.empty(_BLOCK, np.int32)
    key = np.empty(_BLOCK, np.uint32)
    hist = np.zeros(cells * width, np.int64)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        v = values[start * width : (start + size) * width]
        for p in range(prefixes.shape[0]):
            _fill_prefix(codes, dims, prefixes[p], start, size, index)
            for c in range(first[p], stop[p]):
                d = np.int32(dims[c])
                h = hist[width * starts[p, c - first[p]] :]
                column = codes[c, start : start + size]
                for i in range(size):
                    key[i] = np.uint32(index[i] * d + np.int32(column[i]))
                if width == 4:
                    _add_four(h, key, v, size)
                else:
                    _add_many(h, key, v, size, width)
    return hist.reshape(cells, width)


@compile_kernel
def _add_four(h: Array, key: Array, v: Array, size: int) -> None:
    for i in range(size):
        k = np.int64(key[i]) * 4
        j = i * 4
        n = h[k] + v[j]
        total = h[k + 1] + v[j + 1]
        total2 = h[k + 2] + v[j + 2]
        h[k] = n
        h[k + 1] = total
        h[k + 2] = total2
        if v[j + 3] > h[k + 3]:
            h[k + 3] = v[j + 3]


@compile_kernel
def _add_many(h: Array, key: Array, v: Array, size: int, width: int) -> None:
    for i in range(size):
        k = np.int64(key[i]) * width
        j = i * width
        for q in range(width - 1):
            h[k + q] += v[j + q]
        if v[j + width - 1] > h[k + width - 1]:
            h[k + width - 1] = v[j + width - 1]


@compile_kernel
def marginalize(hist: Array, shape: Array, kept: Array, out: Array, sums: int) -> None:
    """Sum a set's cells (cells, K) over the attributes not in `kept`, into out.

    sums: channels to add up; of those after them the maximum is taken.
    """
    level = shape.shape[0]
    digits = np.zeros(level, np.int64)
    for cell in range(hist.shape[0]):
        target = 0
        for j in range(level):
            if kept[j]:
                target = target * shape[j] + digits[j]
        for q in range(sums):
            out[target, q] += hist[cell, q]
        for q in range(sums, hist.shape[1]):
            out[target, q] = max(out[target, q], hist[cell, q])
        for j in range(level - 1, -1, -1):
            digits[j] += 1
            if digits[j] < shape[j]:
                break
            digits[j] = 0


@compile_kernel
def extract(
    hist: Array,
    sets: Array,
    begins: Array,
    dims: Array,
    kept: Array,
    ids: Array,
    channel: int,
    least: int,
) -> tuple[Array, Array]:
    """List the cells with `channel` >= least and none of the left-out values.

    sets (S, level) attributes, their cells from begins[s]; kept[a], the number of values that count
    (codes from there on are left out); ids[a], the id of attribute a's first value.
    Returns ids (k, level) and sums (k, K).
    """
    level = sets.shape[1]
    count = 0
    for cell in range(hist.shape[0]):
        if hist[cell, channel] >= least:
            count += 1
    slices = np.empty((count, level), np.int32)
    sums = np.empty((count, hist.shape[1]), np.int64)
    at = 0
    for s in range(sets.shape[0]):
        cells = 1
        for j in range(level):
            cells *= dims[sets[s, j]]
        for cell in range(cells):
            row = begins[s] + cell
            if hist[row, channel] < least:
                continue
            quotient = cell
            whole = True
            for j in range(level - 1, -1, -1):
                a = sets[s, j]
                value = quotient % dims[a]
                quotient //= dims[a]
                whole = whole and value < kept[a]
                slices[at, j] = ids[a] + value
            if whole:
                for q in range(hist.shape[1]):
                    sums[at, q] = hist[row, q]
                at += 1
    return slices[:at], sums[:at]


@compile_kernel
def count_children(codes: Array, members: Array, rows: Array, first: int, ids: Array) -> Array:
    """Add up the channels of some rows for every value of the attributes from `first` on.

    members: row numbers. Returns (values of those attributes, K) int64, in id order.
    """
    width = rows.shape[1]
    m = codes.shape[0]
    out = np.zeros((ids[m] - ids[first], width), np.int64)
    for a in range(first, m):
        base = ids[a] - ids[first]
        for i in range(members.shape[0]):
            row = members[i]
            k = base + codes[a, row]
            for q in range(width - 1):
                out[k, q] += rows[row, q]
            if rows[row, width - 1] > out[k, width - 1]:
                out[k, width - 1] = rows[row, width - 1]
    return out


@compile_kernel
def count_clusters(
    codes: Array,
    values: Array,
    weights: Array,
    cluster_starts: Array,
    cluster_totals: Array,
    cluster_sizes: Array,
    dims: Array,
    attributes: Array,
    cells: int,
) -> Array:
    """Sum, in each cell of one attribute set, what each cluster of rows adds to it.

    codes (m, n), values and weights (n,) sorted by cluster; cluster g has the rows from
    cluster_starts[g] on, the value sum cluster_totals[g] and the weight cluster_sizes[g]. Returns
    (cells, 5): the sums over clusters of a_g^2 and of a_g t_g, where a_g is the cluster's value sum
    in the cell and t_g all of it, the number of clusters with rows there, and the first two sums
    for weights.
    """
    n = codes.shape[1]
    key = np.empty(n, np.int32)
    _fill_prefix(codes, dims, attributes, 0, n, key)
    out = np.zeros((cells, 5))
    inside = np.zeros(cells)
    weight = np.zeros(cells)  # more than 0 where the cluster has rows
    for g in range(cluster_starts.shape[0] - 1):
        for i in range(cluster_starts[g], cluster_starts[g + 1]):
            inside[key[i]] += values[i]
            weight[key[i]] += weights[i]
        for i in range(cluster_starts[g], cluster_starts[g + 1]):
            k = key[i]
            if weight[k] > 0:
                out[k, 0] += inside[k] * inside[k]
                out[k, 1] += inside[k] * cluster_totals[g]
                out[k, 2] += 1.0
                out[k, 3] += weight[k] * weight[k]
                out[k, 4] += weight[k] * cluster_sizes[g]
                inside[k] = 0.0
                weight[k] = 0.0
    return out

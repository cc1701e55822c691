"""The counting kernels in plain NumPy, where numba is missing: the same numbers, slower."""

import numpy as np

from pipeline.arrays import Array, Bytes, Floats, Ints, Mask
from pipeline.slices.slice_ids import SliceIds

_EXACT = 1 << 53  # integers up to here are exact as floats, in which bincount adds


def count_values(codes: Array, size: int) -> Ints:
    """Count how often each code below `size` occurs."""
    return np.bincount(codes, minlength=size).astype(np.int64)


def add_exactly(keys: Array, values: Ints, cells: int) -> Ints:
    """Sum int64 values by key exactly: in parts small enough for bincount's floats."""
    if not len(values):
        return np.zeros(cells, np.int64)
    if values.min() < 0:
        negative = add_exactly(keys, np.maximum(-values, 0), cells)
        return add_exactly(keys, np.maximum(values, 0), cells) - negative
    bits = max(1, int(np.floor(np.log2(_EXACT / len(values)))))
    total = np.zeros(cells, np.int64)
    shift = 0
    left = values
    while left.any():
        part = left & ((1 << bits) - 1)
        total += np.bincount(keys, weights=part, minlength=cells).astype(np.int64) << shift
        left = left >> bits
        shift += bits
    return total


def _take_largest(keys: Array, values: Ints, cells: int) -> Ints:
    """Return the largest value of each key, 0 where there is none."""
    out = np.zeros(cells, np.int64)
    np.maximum.at(out, keys, values)
    return out


def _add_rows(keys: Array, rows: Ints, cells: int) -> Ints:
    """Add up all channels but the last, of which the maximum is taken."""
    last = rows.shape[1] - 1
    sums = [add_exactly(keys, np.ascontiguousarray(rows[:, q]), cells) for q in range(last)]
    sums.append(_take_largest(keys, rows[:, last], cells))
    return np.stack(sums, axis=1)


def _keys(codes: Array, dims: Ints, attributes: list[int]) -> Ints:
    key = np.zeros(codes.shape[1], np.int64)
    for a in attributes:
        key = key * dims[a] + codes[a]
    return key


def count_bits(
    codes: Array, bits: Bytes, dims: Ints, prefixes: Ints,
    first: Ints, stop: Ints, starts: Ints, cells: int,
) -> Ints:  # fmt: skip
    """Count rows and rows with bit 1 in every cell, as the compiled kernel of this name does."""
    out = np.empty((cells, 2), np.int64)
    for p, prefix in enumerate(prefixes):
        for c in range(first[p], stop[p]):
            attributes = [*(int(a) for a in prefix), c]
            size = int(np.prod(dims[attributes]))
            counts = np.bincount(2 * _keys(codes, dims, attributes) + bits, minlength=2 * size)
            begin = starts[p, c - first[p]]
            out[begin : begin + size, 0] = counts[::2] + counts[1::2]
            out[begin : begin + size, 1] = counts[1::2]
    return out


def count_channels(
    codes: Array, rows: Ints, dims: Ints, prefixes: Ints,
    first: Ints, stop: Ints, starts: Ints, cells: int,
) -> Ints:  # fmt: skip
    """Add up integer channels in every cell, as the compiled kernel of this name does."""
    out = np.empty((cells, rows.shape[1]), np.int64)
    for p, prefix in enumerate(prefixes):
        for c in range(first[p], stop[p]):
            attributes = [*(int(a) for a in prefix), c]
            size = int(np.prod(dims[attributes]))
            begin = starts[p, c - first[p]]
            out[begin : begin + size] = _add_rows(_keys(codes, dims, attributes), rows, size)
    return out


def marginalize(hist: Ints, shape: Ints, kept: Mask, out: Ints, sums: int) -> None:
    """Sum a set's cells over the attributes not in `kept`, into out."""
    axes = tuple(int(j) for j in np.flatnonzero(~kept))
    cube = hist.reshape(*shape, hist.shape[1])
    out[:] = cube.sum(axis=axes).reshape(out.shape)
    for q in range(sums, hist.shape[1]):
        out[:, q] = cube[..., q].max(axis=axes).reshape(-1)


def extract(
    hist: Ints,
    sets: Ints,
    begins: Ints,
    dims: Ints,
    kept: Ints,
    ids: Ints,
    channel: int,
    least: int,
) -> tuple[SliceIds, Ints]:
    """List the cells with `channel` >= least and none of the left-out values."""
    slices, sums = [], []
    for attributes, begin in zip(sets, begins, strict=True):
        shape = tuple(int(d) for d in dims[attributes])
        part = hist[begin : begin + int(np.prod(shape))]
        cells = np.flatnonzero(part[:, channel] >= least)
        values = np.stack(np.unravel_index(cells, shape), axis=1)  # (k, level)
        whole = (values < kept[attributes]).all(axis=1)
        slices.append((values[whole] + ids[attributes]).astype(np.int32))
        sums.append(part[cells[whole]])
    return np.concatenate(slices), np.concatenate(sums)


def count_children(codes: Array, members: Ints, rows: Ints, first: int, ids: Ints) -> Ints:
    """Add up the channels of some rows for every value of the attributes from `first` on."""
    part = rows[members]
    parts = [
        _add_rows(codes[a][members], part, int(ids[a + 1] - ids[a]))
        for a in range(first, len(codes))
    ]
    return np.concatenate(parts)


def count_clusters(
    codes: Array, values: Floats, weights: Floats, cluster_starts: Ints, cluster_totals: Floats,
    cluster_sizes: Floats, dims: Ints, attributes: Ints, cells: int,
) -> Floats:  # fmt: skip
    """Sum, in each cell of one attribute set, what each cluster of rows adds to it."""
    cluster = np.repeat(np.arange(len(cluster_totals)), np.diff(cluster_starts))
    key = cluster * cells + _keys(codes, dims, [int(a) for a in attributes])
    pairs, position = np.unique(key, return_inverse=True)
    cell, cluster = pairs % cells, pairs // cells
    inside = np.bincount(position, weights=values, minlength=len(pairs))
    weight = np.bincount(position, weights=weights, minlength=len(pairs))
    parts = [inside**2, inside * cluster_totals[cluster], np.ones(len(pairs))]
    parts += [weight**2, weight * cluster_sizes[cluster]]
    return np.stack([np.bincount(cell, weights=part, minlength=cells) for part in parts], axis=1)

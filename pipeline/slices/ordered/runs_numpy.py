"""The kernels for runs of values in plain NumPy: the same numbers, slower."""

import numpy as np

from pipeline.arrays import Array, Floats, Ints


def add_runs(
    hist: Array, outer: int, size: int, inner: int, kept: int, base: Ints, added: Ints, sums: int
) -> Array:
    """Widen the middle axis of cells by runs, as the compiled kernel of this name does."""
    cube = hist.reshape(outer, size, inner, hist.shape[1])
    out = np.zeros((outer, size + len(base), inner, hist.shape[1]), hist.dtype)
    out[:, :kept] = cube[:, :kept]
    for r, (left, right) in enumerate(zip(base, added, strict=True)):
        one, other = out[:, left], cube[:, right]
        out[:, size + r, :, :sums] = one[..., :sums] + other[..., :sums]
        out[:, size + r, :, sums:] = np.maximum(one[..., sums:], other[..., sums:])
    return out.reshape(-1, hist.shape[1])


def count_cluster_runs(
    key: Ints, values: Floats, weights: Floats, cluster_starts: Ints, cluster_totals: Floats,
    cluster_sizes: Floats, starts: Ints, holders: Ints, slices: int,
) -> Floats:  # fmt: skip
    """Sum, for some slices of one attribute set, what each cluster of rows adds to each."""
    cells = len(starts) - 1
    cluster = np.repeat(np.arange(len(cluster_totals)), np.diff(cluster_starts))
    pairs, position = np.unique(cluster * cells + key, return_inverse=True)
    inside = np.bincount(position, weights=values, minlength=len(pairs))
    weight = np.bincount(position, weights=weights, minlength=len(pairs))
    cluster, cell = pairs // cells, pairs % cells
    count = starts[cell + 1] - starts[cell]  # slices that hold each pair's cell
    pair = np.repeat(np.arange(len(pairs)), count)
    step = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    member = cluster[pair] * slices + holders[starts[cell[pair]] + step]
    both, position = np.unique(member, return_inverse=True)
    inside = np.bincount(position, weights=inside[pair], minlength=len(both))
    weight = np.bincount(position, weights=weight[pair], minlength=len(both))
    cluster, chosen = both // max(slices, 1), both % max(slices, 1)
    parts = [inside**2, inside * cluster_totals[cluster], np.ones(len(both))]
    parts += [weight**2, weight * cluster_sizes[cluster]]
    return np.stack([np.bincount(chosen, weights=p, minlength=slices) for p in parts], axis=1)

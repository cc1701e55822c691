"""The kernels for runs of values, compiled by numba."""

import numpy as np

from pipeline.arrays import Array
from pipeline.slices.counting.kernels_numba import compile_kernel


@compile_kernel
def add_runs(
    hist: Array, outer: int, size: int, inner: int, kept: int, base: Array, added: Array, sums: int
) -> Array:
    """Widen the middle axis of (outer * size * inner, K) cells by runs of its first `kept` codes.

    base, added: (r,) see `Runs`. sums: channels to add up; of those after them the maximum is
    taken. Returns (outer * (size + r) * inner, K); codes from `kept` on become 0.
    """
    channels = hist.shape[1]
    width = size + base.shape[0]
    out = np.zeros((outer * width * inner, channels), hist.dtype)
    for o in range(outer):
        source = o * size * inner
        target = o * width * inner
        for c in range(kept * inner):
            for q in range(channels):
                out[target + c, q] = hist[source + c, q]
        for r in range(base.shape[0]):
            into = target + (size + r) * inner
            left = target + base[r] * inner
            right = source + added[r] * inner
            for c in range(inner):
                for q in range(sums):
                    out[into + c, q] = out[left + c, q] + hist[right + c, q]
                for q in range(sums, channels):
                    out[into + c, q] = max(out[left + c, q], hist[right + c, q])
    return out


@compile_kernel
def count_cluster_runs(
    key: Array,
    values: Array,
    weights: Array,
    cluster_starts: Array,
    cluster_totals: Array,
    cluster_sizes: Array,
    starts: Array,
    holders: Array,
    slices: int,
) -> Array:
    """Sum, for some slices of one attribute set, what each cluster of rows adds to each.

    key: (n,) the cell of each row in the set, sorted by cluster as values and weights; the slices
    that hold cell c are holders[starts[c] : starts[c + 1]]. Returns (slices, 5) as `count_clusters`
    does for its cells.
    """
    out = np.zeros((slices, 5))
    inside = np.zeros(slices)
    weight = np.zeros(slices)  # more than 0 where the cluster has rows
    for g in range(cluster_starts.shape[0] - 1):
        for i in range(cluster_starts[g], cluster_starts[g + 1]):
            for h in range(starts[key[i]], starts[key[i] + 1]):
                inside[holders[h]] += values[i]
                weight[holders[h]] += weights[i]
        for i in range(cluster_starts[g], cluster_starts[g + 1]):
            for h in range(starts[key[i]], starts[key[i] + 1]):
                k = holders[h]
                if weight[k] > 0:
                    out[k, 0] += inside[k] * inside[k]
                    out[k, 1] += inside[k] * cluster_totals[g]
                    out[k, 2] += 1.0
                    out[k, 3] += weight[k] * weight[k]
                    out[k, 4] += weight[k] * cluster_sizes[g]
                    inside[k] = 0.0
                    weight[k] = 0.0
    return out

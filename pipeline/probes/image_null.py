"""The usual test of an association: groups of images permuted. It says nothing about words."""

from itertools import combinations
from math import comb

import numpy as np

from pipeline.arrays import Floats, Mask

_EXACT = 20_000  # splits that are all counted


def permute_groups(
    margins: Floats,
    inside: Mask,
    *,
    draws: int = 1000,
    one_sided: bool = False,
    seed: int = 0,
) -> Floats:
    """Return (p,) the share of splits of the images that differ as much as the groups do.

    margins: (n, p). inside: (n,) which images are of the first group. All splits are counted where
    they are few, else `draws` and the groups themselves. one_sided: of a larger mean in the first
    group alone, as in Caliskan, Bryson and Narayanan (Science 356, 2017). Equal differences count.
    """
    n, size = len(inside), int(inside.sum())
    centered = margins - margins.mean(axis=0)
    scale = np.abs(centered).max(axis=0, initial=0.0)
    if comb(n, size) <= _EXACT:
        splits = np.zeros((comb(n, size), n))
        for row, chosen in enumerate(combinations(range(n), size)):
            splits[row, list(chosen)] = 1.0
        extra = 0
    else:
        rng = np.random.default_rng(seed)
        splits = np.zeros((draws, n))
        for row in range(draws):
            splits[row, rng.permutation(n)[:size]] = 1.0
        extra = 1
    sums, observed = splits @ centered, inside.astype(np.float64) @ centered
    if not one_sided:
        sums, observed = np.abs(sums), np.abs(observed)
    reached = (sums >= observed - 1e-12 * scale * n).sum(axis=0)
    p: Floats = (reached + extra) / (len(splits) + extra)
    return p

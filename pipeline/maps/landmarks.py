"""The samples that a map is made from where there are too many for all of them."""

import hashlib

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints

LANDMARKS = 25_000
LEAST = 200  # landmarks of each stratum, or all of it


def hash_keys(keys: pl.Series, *, seed: int = 0) -> Floats:
    """Return (n,) a number from 0 to 1 of each key: the same wherever and whenever."""
    salt = seed.to_bytes(8, "little")
    digests = b"".join(
        hashlib.blake2b(key.encode("utf-8"), digest_size=8, key=salt).digest() for key in keys
    )
    return np.frombuffer(digests, dtype="<u8").astype(np.float64) / 2.0**64


def choose_landmarks(keys: pl.Series, strata: Ints, *, count: int, seed: int = 0) -> Ints:
    """Return the sorted rows of about `count` landmarks; all rows where there are no more.

    keys: (n,) content keys. strata: (n,) from 0, such as the finding that a sample is in: each gets
    its share, and no fewer than 200, so that no small one vanishes from the map. Within a stratum
    those with the smallest hashes are taken, whatever the order of rows.
    """
    if len(keys) <= count:
        return np.arange(len(keys), dtype=np.int64)
    order = np.lexsort((hash_keys(keys, seed=seed), strata))
    sizes = np.bincount(strata)
    shares = np.ceil(sizes * (count / len(keys))).astype(np.int64)
    wanted = np.minimum(sizes, np.maximum(shares, min(LEAST, count)))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    parts = [order[first : first + number] for first, number in zip(starts, wanted, strict=True)]
    return np.sort(np.concatenate(parts))

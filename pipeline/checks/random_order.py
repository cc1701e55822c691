"""One random order of samples that stays, whatever is drawn: permanent random numbers."""

import hashlib

import polars as pl


def number_samples(sample_ids: pl.Series, *, seed: int) -> pl.Series:
    """Return a random number for each sample: (n,) unsigned 64-bit, by sample_id and seed alone.

    The first m of any group in this order are a simple random sample of it, and the first m + k
    hold them (Ohlsson 1995, Coordination of samples using permanent random numbers). Attributes
    share the order, so that samples checked for one tend to be those checked for another, and
    dependence between their label errors can be seen.
    """
    key = str(seed).encode()
    numbers = [
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=key).digest())
        for name in sample_ids
    ]
    return pl.Series("number", numbers, dtype=pl.UInt64)

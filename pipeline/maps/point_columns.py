"""Points of a map as few bytes: which are shown, places, ids, and a byte a value."""

from collections import Counter

import numpy as np
import polars as pl

from pipeline.arrays import Bytes, Floats, Ints, Mask
from pipeline.maps.density import find_cells
from pipeline.maps.landmarks import hash_keys

SHOWN = 100_000  # points of a page
UNKNOWN_CODE = 255
MOST_VALUES = 40  # of an attribute; rarer ones are "other"
OTHER = "other"
_FULL_IDS = 20_000  # points up to which ids are whole
_PER_CELL = 20  # points of a cell on average, where points are thinned


def choose_shown(places: Floats, keys: pl.Series, kept: Mask, *, most: int = SHOWN) -> Ints:
    """Return the sorted rows of at most about `most` points to show; all of them where they fit.

    places: (n, 2). keys: (n,) ids. kept: (n,) which come first, such as errors and findings. The
    others are thinned by the same share in each cell of the map, at least one in each, so that no
    place is empty that is not.
    """
    n = len(places)
    if n <= most:
        return np.arange(n, dtype=np.int64)
    numbers = hash_keys(keys, seed=3)
    first = np.flatnonzero(kept)
    if len(first) > most // 2:  # the same share of these everywhere
        first = first[np.argsort(numbers[first], kind="stable")[: most // 2]]
    rest = np.setdiff1d(np.arange(n), first)
    cells = max(1, int((most / _PER_CELL) ** 0.5))
    rows, columns = find_cells(places[rest], cells=cells)
    cell = rows * cells + columns
    order = np.lexsort((numbers[rest], cell))
    starts = np.searchsorted(cell[order], cell[order])
    place = np.arange(len(order)) - starts  # of a point within its cell
    sizes = np.bincount(cell, minlength=cells * cells)[cell[order]]
    share = (most - len(first)) / len(rest)
    chosen = rest[order[(place == 0) | (place < np.floor(share * sizes))]]
    return np.sort(np.concatenate([first, chosen]))


def pack_places(places: Floats) -> bytes:
    """Return (n, 2) shares of the picture as pairs of uint16, little endian."""
    return (np.clip(places, 0, 1) * 65_535).round().astype("<u2").tobytes()


def pack_ids(sample_ids: pl.Series) -> tuple[bytes, int]:
    """Return sorted ids of hex digits as differences (LEB128), and how many digits each has.

    Up to 20,000 ids are whole. Of more the shortest beginnings that still tell all apart, as Git
    shortens its ids: 100,000 take 300 kB in place of 800.
    """
    digits = 16
    if len(sample_ids) > _FULL_IDS:
        digits = next(
            d for d in range(4, 17) if sample_ids.str.head(d).n_unique() == len(sample_ids)
        )
    packed = bytearray()
    before = 0
    for text in sample_ids.str.head(digits):
        number = int(text, 16)
        gap, before = number - before, number
        while gap > 127:
            packed.append(gap & 127 | 128)
            gap >>= 7
        packed.append(gap)
    return bytes(packed), digits


def encode_errors(errors: Floats) -> tuple[Bytes, float]:
    """Return (n,) codes 0 to 254 of errors, UNKNOWN_CODE of NaN, and the error of code 254.

    Errors beyond the 99th percentile of those above 0 share the highest code; 1 where all are
    shares.
    """
    known = errors[np.isfinite(errors)]
    highest = 1.0
    if known.size and known.max() > 1.0:
        highest = float(np.quantile(known[known > 0], 0.99))
    codes = np.full(len(errors), UNKNOWN_CODE, dtype=np.uint8)
    there = np.isfinite(errors)
    codes[there] = np.clip(np.ceil(errors[there] / highest * 254), 0, 254).astype(np.uint8)
    return codes, highest


def encode_values(values: pl.Series, order: tuple[str, ...] = ()) -> tuple[Bytes, tuple[str, ...]]:
    """Return (n,) codes of the values of an attribute, and the values by code.

    order: of the values, where there is one; others follow by frequency. Beyond the 40 most
    frequent a value is "other".
    """
    counts = Counter(values.to_list())
    frequent = [value for value, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    kept = frequent[:MOST_VALUES]
    listed = [value for value in order if value in kept]
    listed += [value for value in kept if value not in listed]
    if len(frequent) > len(kept):
        listed.append(OTHER)
    place = {value: number for number, value in enumerate(listed)}
    last = len(listed) - 1
    codes = values.replace_strict(place, default=last, return_dtype=pl.UInt8)
    return codes.to_numpy(), tuple(listed)

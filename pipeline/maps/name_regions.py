"""The regions of a map: hills of its density, named by what is typical of their samples."""

import math

import numpy as np
import polars as pl
from scipy import ndimage

from pipeline.arrays import Floats, Ints
from pipeline.maps.density import CELLS, find_cells, smooth_counts
from pipeline.statistics.intervals import Z, wilson_interval
from pipeline.tables import MAP_REGIONS, check
from pipeline.vocabulary import UNKNOWN

MOST = 12  # regions of a map
_SMALLEST = 0.01  # share of the samples that a region holds at least
_COARSE = CELLS // 4
_WIDTH = 2.0  # of the kernel, in coarse cells: a thirtieth of the picture
_LEAST_SHARE, _LEAST_LIFT = 0.3, 1.2  # of a value that names a region


def find_regions(places: Floats) -> Ints:
    """Return the region of each sample, (n,) from 0, the largest first; -1 outside of all.

    places: (n, 2) shares of the picture. A region is a hill of the density: its samples lie nearer
    to that summit, going uphill, than to any other. The twelve largest with 1 % of the samples.
    """
    density = smooth_counts(places, cells=_COARSE)
    density = ndimage.gaussian_filter(density, _WIDTH)
    summits = _climb(density)
    rows, columns = find_cells(places, cells=_COARSE)
    found = summits[rows, columns]
    numbers, sizes = np.unique(found, return_counts=True)
    order = np.lexsort((numbers, -sizes))[:MOST]
    kept = order[sizes[order] >= _SMALLEST * len(places)]
    regions = np.full(len(places), -1, dtype=np.int64)
    for number, one in enumerate(kept):
        regions[found == numbers[one]] = number
    return regions


def _climb(density: Floats) -> Ints:
    """Return for each cell the number of the summit that the steepest way up leads to."""
    side = len(density)
    offsets = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
    padded = np.pad(density, 1, constant_values=-1.0)
    around = np.stack([padded[1 + r : 1 + r + side, 1 + c : 1 + c + side] for r, c in offsets])
    steepest: Ints = np.argmax(around, axis=0)
    cells: Ints = np.arange(side * side, dtype=np.int64).reshape(side, side)
    steps = np.array(offsets)
    target: Ints = cells + steps[steepest, 0] * side + steps[steepest, 1]
    target[density <= 0] = cells[density <= 0]
    target = target.ravel()
    while (target != target[target]).any():
        target = target[target]
    return target.reshape(density.shape)


def describe_regions(
    places: Floats, regions: Ints, errors: Floats, attributes: pl.DataFrame
) -> pl.DataFrame:
    """Return MAP_REGIONS: the name, size, error and summit of each region.

    errors: (n,), NaN where a sample has none. attributes: (n rows) one text column an attribute;
    of those values that a third of a region has, the two with the highest lift name it.
    """
    rows = []
    for number in range(int(regions.max(initial=-1)) + 1):
        inside = regions == number
        known = errors[inside & np.isfinite(errors)]
        error, low, high = _average(known, shares=bool((np.nan_to_num(errors) <= 1).all()))
        x, y = _find_summit(places[inside])
        rows.append(
            {
                "region": number + 1,
                "name": _name(inside, attributes),
                "n": int(inside.sum()),
                "error": error,
                "ci_low": low,
                "ci_high": high,
                "x": x,
                "y": y,
            }
        )
    return check(pl.DataFrame(rows, schema=dict(MAP_REGIONS)), MAP_REGIONS, table="map regions")


def _average(errors: Floats, *, shares: bool) -> tuple[float | None, ...]:
    """Return the mean and its 95 % interval: Wilson's for shares, else by the variance."""
    if len(errors) == 0:
        return None, None, None
    mean = float(errors.mean())
    if shares:
        low, high = wilson_interval(np.array([errors.sum()]), np.array([len(errors)]))
        return mean, float(low[0]), float(high[0])
    half = Z * float(errors.std(ddof=1)) / math.sqrt(len(errors)) if len(errors) > 1 else math.inf
    return (mean, mean - half, mean + half) if math.isfinite(half) else (mean, None, None)


def _find_summit(places: Floats) -> tuple[float, float]:
    density = smooth_counts(places, cells=_COARSE)
    row, column = np.unravel_index(int(density.argmax()), density.shape)
    return (float(column) + 0.5) / _COARSE, (float(row) + 0.5) / _COARSE


def _name(inside: Floats, attributes: pl.DataFrame) -> str:
    """Name a region: "night, hat = yes"."""
    found = []
    for column in attributes.iter_columns():
        overall = dict(column.value_counts(normalize=True).iter_rows())
        own = column.filter(pl.Series(inside)).value_counts(normalize=True)
        for value, share in own.drop_nulls().iter_rows():
            lift = share / overall[value]
            if value != UNKNOWN and share >= _LEAST_SHARE and lift >= _LEAST_LIFT:
                found.append((-lift, f"{column.name} = {value}", column.name))
    named: dict[str, str] = {}
    for _, words, attribute in sorted(found):
        named.setdefault(attribute, words)
    return ", ".join(list(named.values())[:2])

"""Vectors of feature maps: the maximum over a whole map, or over each of a grid of regions."""

import numpy as np
from numpy.typing import NDArray

Region = tuple[int, int, int, int]  # top, left, bottom, right in cells of a map, ends left out

OVERLAP = 0.4  # of neighboring regions at the first scale
_MOST = 7  # regions along the longer side at the first scale


def list_regions(height: int, width: int, *, scales: int) -> list[Region]:
    """Return the square regions of R-MAC, coarse to fine, each once.

    height, width: of a map, in cells. scales: L from 1. At scale l regions are as wide as
    2 min(height, width) / (l + 1), spread evenly: l along the shorter side, l + m - 1 along the
    longer, where m makes neighbors at the first scale overlap as near to 40 % as it can. Where a
    map is too small for a scale, equal regions are left out. Source: Tolias, Sicre and Jegou,
    Particular object retrieval with integral max-pooling of CNN activations, ICLR 2016, 3.2.
    """
    short = min(height, width)
    more = _count_more(max(height, width), short)
    regions: list[Region] = []
    for scale in range(1, scales + 1):
        side = max(2 * short // (scale + 1), 1)
        rows = scale + (more if height > width else 0)
        columns = scale + (more if width > height else 0)
        regions += [
            (top, left, top + side, left + side)
            for top in _spread(height, side, rows)
            for left in _spread(width, side, columns)
        ]
    return list(dict.fromkeys(regions))


def _count_more(long: int, short: int) -> int:
    """Return m - 1: by how many the regions along the longer side exceed those along the other."""
    if long == short:
        return 0
    overlaps = {m - 1: 1 - (long - short) / (m - 1) / short for m in range(2, _MOST + 1)}
    return min(overlaps, key=lambda more: (abs(overlaps[more] - OVERLAP), more))


def _spread(length: int, side: int, count: int) -> list[int]:
    """Return where `count` regions begin that fill a side from end to end."""
    if count == 1:
        return [(length - side) // 2]
    return [int((length - side) * i / (count - 1)) for i in range(count)]


def pool_maximum(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n, c) maxima of (n, h, w, c) maps, of unit length: MAC.

    Source: Tolias et al. 2016, 3.1. A map of zeros gives zeros.
    """
    return to_unit(maps.max(axis=(1, 2)))


def pool_regions(maps: NDArray[np.float32], *, scales: int) -> NDArray[np.float32]:
    """Return (n, r, c) maxima of (n, h, w, c) maps over each of the r regions, of unit length.

    They are summed only after whitening, see `sum_regions`.
    """
    regions = list_regions(maps.shape[1], maps.shape[2], scales=scales)
    found = [
        maps[:, top:bottom, left:right].max(axis=(1, 2)) for top, left, bottom, right in regions
    ]
    return to_unit(np.stack(found, axis=1))


def sum_regions(regions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n, d) unit vectors: each of (n, r, d) regions to unit length, summed: R-MAC."""
    return to_unit(to_unit(regions).sum(axis=1))


def to_unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors, (..., d), of unit length; those of zeros stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit = vectors / np.where(norms > 0, norms, 1)
    return unit.astype(np.float32, copy=False)

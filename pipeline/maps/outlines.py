"""Where most samples of a finding lie, as closed lines on a map."""

import numpy as np
from scipy import ndimage

from pipeline.arrays import Floats, Mask
from pipeline.maps.density import smooth_counts

_CELLS = 80  # of a side
_HELD = 0.7  # share of the samples that the lines hold
_SMALLEST = 0.02  # share of the samples that a line of its own holds
_POINTS = 90  # of a line at most


def outline_samples(places: Floats) -> list[list[tuple[float, float]]]:
    """Return closed lines around the densest places of some samples, holding 70 % of them.

    places: (n, 2) shares of the picture. A line is a list of points, as shares of the picture;
    parts with less than 2 % of the samples have none. Nothing for no samples.
    """
    if len(places) == 0:
        return []
    density = smooth_counts(places, cells=_CELLS)
    falling = np.sort(density, axis=None)[::-1]
    held = np.searchsorted(np.cumsum(falling), _HELD * falling.sum())
    dense = density >= max(falling[min(held, falling.size - 1)], 1e-12)
    parts, count = ndimage.label(dense)
    lines = []
    for number in range(1, count + 1):
        part = ndimage.binary_fill_holes(parts == number)
        if density[part].sum() >= _SMALLEST * falling.sum():
            lines.append(_smooth_line(_trace(part)))
    return lines


def _trace(part: Mask) -> list[tuple[int, int]]:
    """Return the corners, as (column, row), along the outside of one connected part.

    Each cell at the border gives edges with the part on their right; these make one ring.
    """
    padded = np.pad(part, 1)
    steps: dict[tuple[int, int], list[tuple[int, int]]] = {}  # from a corner to the next ones
    for (row, column), inside in np.ndenumerate(part):
        if not inside:
            continue
        sides = (
            (padded[row, column + 1], (column, row), (column + 1, row)),
            (padded[row + 1, column + 2], (column + 1, row), (column + 1, row + 1)),
            (padded[row + 2, column + 1], (column + 1, row + 1), (column, row + 1)),
            (padded[row + 1, column], (column, row + 1), (column, row)),
        )
        for neighbor, start, end in sides:
            if not neighbor:
                steps.setdefault(start, []).append(end)
    first = min(steps)
    line, here = [first], steps[first].pop()
    while here != first:
        line.append(here)
        here = steps[here].pop()
    return line


def _smooth_line(line: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Return a line as shares of the picture, without the steps of the cells.

    Each point is the mean of itself and the two on each side, then corners are cut twice (Chaikin,
    1974).
    """
    steps = np.asarray(line, dtype=np.float64) / _CELLS
    shifted = [np.roll(steps, shift, axis=0) for shift in range(-2, 3)]
    points = np.mean(shifted, axis=0)
    for _ in range(2):
        following = np.roll(points, -1, axis=0)
        cut = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1)
        points = cut.reshape(-1, 2)
    step = max(1, len(points) // _POINTS)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in points[::step]]

"""Which samples of a finding are shown: no picture twice before others had their turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints

SHOWN = 8  # samples of a gallery
_ENOUGH = 1024  # rows among which the shown ones are chosen, where there are more
_WORST = 4  # the worst quarter of a slice, ties included, is what its failing samples are of

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Picked:
    """Rows of the search table, in the order to show them."""

    failing: list[int]
    passing: list[int]


NOT_PICKED = Picked([], [])


class Turns:
    """How often each image was shown so far.

    images: (n,) the image of each row. Galleries ask in the order of the report; among rows that
    fit, those of images shown least come first.
    """

    def __init__(self, images: pl.Series) -> None:
        self._images: Ints = images.rank("dense").to_numpy().astype(np.int64) - 1
        self._shown = np.zeros(int(self._images.max(initial=-1)) + 1, np.int64)

    def pick(self, rows: Ints, preference: NDArray[np.float64], *, count: int = SHOWN) -> list[int]:
        """Return at most `count` of `rows`, each image once while there are others.

        preference: (n of rows,) larger is better; ties go to the earlier row.
        """
        if rows.size > _ENOUGH:  # the first in order are enough, where they are of several images
            first = take_first([self._shown[self._images[rows]], -preference], _ENOUGH)
            if np.unique(self._images[rows[first]]).size >= count:
                rows, preference = rows[first], preference[first]
        images = self._images[rows]
        order = np.lexsort((rows, -preference, self._shown[images]))
        _, first = np.unique(images[order], return_index=True)
        apart = np.sort(first)[:count]
        again = np.setdiff1d(np.arange(order.size), apart)[: count - apart.size]
        taken = rows[order[np.concatenate([apart, again])]]
        self._shown[self._images[taken]] += 1
        return [int(row) for row in taken]


def take_first(keys: Sequence[NDArray[Any]], count: int) -> Ints:
    """Return which `count` come first in the order of `keys`, ties by place; sorted by place.

    keys: (n,) each, the most important first. Without sorting them: that takes long of many.
    """
    left = np.arange(keys[0].size)
    taken = []
    for key in keys:
        if left.size <= count:
            break
        own = key[left]
        last = np.partition(own, count - 1)[count - 1]
        taken.append(left[own < last])
        count -= taken[-1].size
        left = left[own == last]
    return np.sort(np.concatenate([*taken, left[:count]]))


def pick_contrast(rows: Ints, errors: NDArray[np.float64], turns: Turns) -> Picked:
    """Return rows of a slice with large errors and with small ones; none where all are equal.

    rows: those of the slice, in order. errors: (n,) of all. Failing are those of its worst quarter,
    passing those of its best, ties included, as long as they differ.
    """
    if not rows.size:
        return NOT_PICKED
    own = errors[rows]
    low, high = float(own.min()), float(own.max())
    if low == high:
        chosen = turns.pick(rows, own)
        return Picked(chosen, []) if high > 0 else Picked([], chosen)
    quarter = max(SHOWN, rows.size // _WORST)
    ordered = np.sort(own)
    bad = (own >= ordered[-min(quarter, rows.size)]) & (own > low)
    good = (own <= ordered[min(quarter, rows.size) - 1]) & (own < high) & ~bad
    return Picked(turns.pick(rows[bad], own[bad]), turns.pick(rows[good], -own[good]))

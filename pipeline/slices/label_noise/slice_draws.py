"""Draws of the true size and errors of a slice, from those of its cells and confusion matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Mask
from pipeline.slices.label_noise.confusion import Confusion
from pipeline.slices.label_noise.slice_cells import SliceCells


@dataclass(frozen=True)
class SliceDraws:
    """(d,) draws of one slice: rows and error sums inside, in all, and precision of the labels.

    precision: the share of the rows labelled so that truly belong to the slice. possible: which
    draws keep sizes and errors within what can be.
    """

    n: Floats
    total: Floats
    all_n: Floats
    all_total: Floats
    precision: Floats
    possible: Mask


def combine(
    cells: SliceCells, drawn: tuple[Floats, Floats],
    confusions: Sequence[Confusion], inside: Sequence[tuple[Mask, Mask]],
) -> SliceDraws:  # fmt: skip
    """Turn rows and errors of the labels' cells into those of the true slice.

    drawn: see `draw_cells`. inside: for each attribute which labels (o,) and which true values (t,)
    the slice holds. With label errors independent of the errors of the system and of each other
    given the truth, the cells are the true ones multiplied by the confusion matrix of each
    attribute, and its inverse turns them back.
    """
    n, total = drawn
    weights = np.ones_like(n)  # (d, c)
    both = np.ones_like(n)
    labelled = np.ones(n.shape[1], np.bool_)
    for codes, confusion, (shown, true) in zip(cells.labels, confusions, inside, strict=True):
        weights *= (confusion.inverse[:, true].sum(axis=1))[:, codes]
        hit = confusion.spread[:, shown].sum(axis=1)  # (d, t) P(label in the slice | truth)
        both *= np.einsum("dt,dto->do", hit[:, true], confusion.inverse[:, true])[:, codes]
        labelled &= shown[codes]
    own_n, own_total = (weights * n).sum(axis=1), (weights * total).sum(axis=1)
    all_n, all_total = n.sum(axis=1), total.sum(axis=1)
    shown_n = n[:, labelled].sum(axis=1)
    precision = np.divide((both * n).sum(axis=1), shown_n, out=np.zeros(len(n)), where=shown_n > 0)
    rest_n, rest_total = all_n - own_n, all_total - own_total
    possible = (own_n > 0) & (rest_n > 0) & (own_total >= 0) & (rest_total >= 0)
    possible &= (own_total <= own_n * cells.most) & (rest_total <= rest_n * cells.most)
    return SliceDraws(own_n, own_total, all_n, all_total, np.clip(precision, 0, 1), possible)


def measure_signal(confusion: Confusion, true: Mask) -> Floats:
    """Return (d,) how much of a slice's difference is left in the labels of one attribute.

    1 over the range of the weights that the labels get: of two values Youden's index, the
    determinant of the confusion matrix.
    """
    weights = confusion.inverse[:, true].sum(axis=1)  # (d, o)
    return np.asarray(1.0 / np.maximum(np.ptp(weights, axis=1), 1e-12))

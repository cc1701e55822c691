"""Draws of the true size and errors of a slice, from those of its cells and confusion matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Mask
from pipeline.slices.label_noise.confusion import Confusion

_FEW = 0.02  # share of draws that must be possible in every part of the table


@dataclass(frozen=True)
class Membership:
    """Which labels (o,) and which true values (t,) of one attribute a slice holds."""

    shown: Mask
    true: Mask

    def list_parts(self, *, alone: bool) -> Floats:
        """Return (r, o) the parts of the labels that are kept apart.

        They are each label where the attribute is alone, else those outside and those inside.
        """
        if alone:
            return np.eye(len(self.shown))
        return np.stack([~self.shown, self.shown]).astype(np.float64)


@dataclass(frozen=True)
class SliceDraws:
    """d draws of one slice of m attributes.

    table: (d, g, l, 2, ..., 2) rows by g patterns of labels, error level, and, an axis an
    attribute, whether its predicate is truly fulfilled. A pattern is a part of the labels of each
    attribute, see `Membership.list_parts`. shown, shown_total: (d, g, l) rows and error sums of the
    patterns. total: (d,) error sum of the true slice. inner: (g,) the patterns that are labelled as
    the slice. possible: (d,) which draws keep rows and errors within what can be.
    """

    table: Floats
    shown: Floats
    shown_total: Floats
    total: Floats
    inner: Mask
    possible: Mask

    @property
    def mass(self) -> Floats:
        """(d, g, l) rows that truly belong to the slice."""
        return self.table[(..., *((1,) * (self.table.ndim - 3)))]


def combine(
    drawn: tuple[Floats, Floats], most: float,
    confusions: Sequence[Confusion], inside: Sequence[Membership],
) -> SliceDraws:  # fmt: skip
    """Turn rows and errors of the labels' cells into those of the true slice.

    drawn: see `draw_cells`. most: the largest error. With label errors independent of the errors of
    the system and of each other given the truth, the cells are the true ones multiplied by the
    confusion matrix of each attribute, and its inverse turns them back.
    """
    n, total = drawn
    alone = len(inside) == 1
    table, own_total, shown, shown_total = n, total, n, total
    inner = np.ones(1, np.bool_)
    for confusion, one in zip(confusions, inside, strict=True):
        parts = one.list_parts(alone=alone)  # (r, o)
        table = _apply(_split(confusion, one, parts), table)
        own_total = _apply(confusion.inverse[:, one.true].sum(axis=1)[:, None], own_total)
        shown, shown_total = (_apply(parts[None], part) for part in (shown, shown_total))
        inner = (inner[:, None] & (parts[:, one.shown].sum(axis=1) > 0)).ravel()
    draws, levels, m = len(n), n.shape[-1], len(inside)
    sizes = [len(one.list_parts(alone=alone)) for one in inside]
    # After each step the axes still to come are first: (d, l, r 2, r 2, ...).
    table = table.reshape(draws, levels, *(size for r in sizes for size in (r, 2)))
    table = table.transpose(0, *range(2, 2 + 2 * m, 2), 1, *range(3, 3 + 2 * m, 2))
    table = table.reshape(draws, -1, levels, *(2,) * m)
    shown, shown_total = (
        np.moveaxis(part.reshape(draws, levels, -1), 1, 2) for part in (shown, shown_total)
    )
    own = own_total.reshape(draws, levels).sum(axis=1)
    possible = _find_possible(table, own, shown_total.sum(axis=(1, 2)), most)
    return SliceDraws(table, shown, shown_total, own, inner, possible)


def _split(confusion: Confusion, one: Membership, parts: Floats) -> Floats:
    """Return (d, 2 r, o): what each label adds to a part of the labels outside and inside."""
    both = []
    for true in (~one.true, one.true):
        both.append((parts @ confusion.spread[:, :, true]) @ confusion.inverse[:, true])
    return np.stack(both, axis=2).reshape(len(confusion.inverse), -1, parts.shape[1])


def _apply(matrix: Floats, cells: Floats) -> Floats:
    """Multiply the first axis of cells after the draws, and put what comes out last.

    matrix: (d or 1, k, o). cells: (d, o, ...). Returns (d, ..., k).
    """
    flat = cells.reshape(*cells.shape[:2], -1)
    product = matrix @ flat  # (d, k, rest)
    return np.moveaxis(product, 1, 2).reshape(len(cells), *cells.shape[2:], matrix.shape[1])


def _find_possible(table: Floats, own_total: Floats, all_total: Floats, most: float) -> Mask:
    """Return the draws in which every part of the true table has rows >= 0, or at least the slice.

    table: see SliceDraws. own_total, all_total: (d,) error sums of the true slice and of all.
    """
    parts = table.sum(axis=1)  # (d, l, 2, ...)
    own_n = parts[(..., *((1,) * (parts.ndim - 2)))].sum(axis=1)
    rest_n = parts.reshape(len(parts), -1).sum(axis=1) - own_n
    rest_total = all_total - own_total
    slack = 1e-9 * most
    possible = (own_n > 0) & (rest_n > 0) & (own_total >= -slack) & (rest_total >= -slack)
    possible &= (own_total <= own_n * most + slack) & (rest_total <= rest_n * most + slack)
    every = possible & (parts.reshape(len(parts), -1) >= 0).all(axis=1)
    return np.asarray(every if every.mean() >= _FEW else possible)


def measure_signal(confusion: Confusion, true: Mask) -> Floats:
    """Return (d,) how much of a slice's difference is left in the labels of one attribute.

    1 over the range of the weights that the labels get: of two values Youden's index, the
    determinant of the confusion matrix.
    """
    weights = confusion.inverse[:, true].sum(axis=1)  # (d, o)
    return np.asarray(1.0 / np.maximum(np.ptp(weights, axis=1), 1e-12))

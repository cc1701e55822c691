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
    """d draws of one slice.

    mass: (d, g, l) rows that truly belong to it, by pattern of labels and error level. A pattern is
    a part of the labels of each attribute, see `Membership.list_parts`. shown, shown_total:
    (d, g, l) rows and error sums of the patterns. total: (d,) error sum of the true slice. inner:
    (g,) the patterns that are labelled as the slice. possible: (d,) which draws keep rows and
    errors within what can be.
    """

    mass: Floats
    shown: Floats
    shown_total: Floats
    total: Floats
    inner: Mask
    possible: Mask


def combine(
    drawn: tuple[Floats, Floats], most: float,
    confusions: Sequence[Confusion], inside: Sequence[Membership],
) -> SliceDraws:  # fmt: skip
    """Turn rows and errors of the labels' cells into those of the true slice.

    drawn: see `draw_cells`. most: the largest error. With label errors independent of each other
    given the truth and the error level, the cells of a level are the true ones multiplied by the
    confusion matrix of each attribute, and its inverse turns them back.
    """
    n, total = (np.moveaxis(part, -1, 1) for part in drawn)  # (d, l, o, ...)
    alone = len(inside) == 1
    mass, parts, own_total, shown, shown_total = n, n, total, n, total
    inner = np.ones(1, np.bool_)
    for confusion, one in zip(confusions, inside, strict=True):
        kept = one.list_parts(alone=alone)  # (r, o)
        inverse = confusion.inverse[:, :, one.true]  # (d, l, t, o)
        weight = inverse.sum(axis=2)  # (d, l, o)
        mass = _apply((kept @ confusion.spread[..., one.true]) @ inverse, mass)
        parts = _apply(np.stack([1.0 - weight, weight], axis=2), parts)
        own_total = _apply(weight[:, :, None], own_total)
        shown, shown_total = (_apply(kept[None, None], part) for part in (shown, shown_total))
        inner = (inner[:, None] & (kept[:, one.shown].sum(axis=1) > 0)).ravel()
    mass, parts, own_total, shown, shown_total = (
        np.moveaxis(part.reshape(*part.shape[:2], -1), 1, 2)
        for part in (mass, parts, own_total, shown, shown_total)
    )  # (d, g, l)
    own = own_total.sum(axis=(1, 2))
    if alone:
        own = _replace_dependent(mass, own, shown, shown_total, confusions[0], inside[0])
    possible = _find_possible(parts, mass, own, shown_total.sum(axis=(1, 2)), most)
    return SliceDraws(mass, shown, shown_total, own, inner, possible)


def _replace_dependent(
    mass: Floats, own: Floats, shown: Floats, shown_total: Floats,
    confusion: Confusion, one: Membership,
) -> Floats:  # fmt: skip
    """Take P(truth | label, level) as drawn where it depends on the level: nothing to invert."""
    changed = confusion.departed
    member = confusion.purity[changed][..., one.true].sum(axis=3).transpose(0, 2, 1)  # (k, o, l)
    mass[changed] = member * shown[changed]
    totals = own.copy()
    totals[changed] = (member * shown_total[changed]).sum(axis=(1, 2))
    return totals


def _apply(matrix: Floats, cells: Floats) -> Floats:
    """Multiply the first axis of cells after draws and levels, and put what comes out last.

    matrix: (d or 1, l or 1, k, o). cells: (d, l, o, ...). Returns (d, l, ..., k).
    """
    flat = cells.reshape(*cells.shape[:3], -1)
    product = np.moveaxis(matrix @ flat, 2, 3)  # (d, l, rest, k)
    return product.reshape(*cells.shape[:2], *cells.shape[3:], matrix.shape[2])


def _find_possible(
    parts: Floats, mass: Floats, own_total: Floats, all_total: Floats, most: float
) -> Mask:
    """Return the draws in which every part of the true table has rows >= 0, or at least the slice.

    parts: (d, 2^m, l) rows by which predicates are truly fulfilled. own_total, all_total: (d,)
    error sums of the true slice and of all rows.
    """
    own_n = mass.sum(axis=(1, 2))
    rest_n = parts.sum(axis=(1, 2)) - own_n
    rest_total = all_total - own_total
    slack = 1e-9 * most
    possible = (own_n > 0) & (rest_n > 0) & (own_total >= -slack) & (rest_total >= -slack)
    possible &= (own_total <= own_n * most + slack) & (rest_total <= rest_n * most + slack)
    if mass.shape[1] != parts.shape[1]:  # one attribute: mass says it all
        return np.asarray(possible)
    every = possible & (parts >= 0).all(axis=(1, 2))
    return np.asarray(every if every.mean() >= _FEW else possible)


def measure_signal(confusion: Confusion, true: Mask) -> Floats:
    """Return (d,) how much of a slice's difference is left in the labels of one attribute.

    1 over the range of the weights that the labels get: of two values Youden's index, the
    determinant of the confusion matrix. Where the matrices of levels differ, their mean.
    """
    weights = confusion.inverse[:, :, true].sum(axis=2)  # (d, l, o)
    return np.asarray((1.0 / np.maximum(np.ptp(weights, axis=2), 1e-12)).mean(axis=1))

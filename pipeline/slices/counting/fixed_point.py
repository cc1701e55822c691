"""Errors and weights as integers, so that sums are exact and no order of adding changes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.arrays import Array, Bytes, Floats, Ints
from pipeline.exceptions import TableError
from pipeline.slices.counting.encode import list_rows

_LARGEST = 1e150  # squares stay finite
_BITS = 61  # of an int64 that a whole table's sum may fill


@dataclass(frozen=True)
class Sums:
    """What is known of k sets of rows, in the units of the errors."""

    n: Ints  # rows
    weight: Floats  # summed weights; n without weights
    weight2: Floats  # summed squared weights; n without weights
    total: Floats  # weighted error sum
    total2: Floats  # weighted sum of squared errors
    largest: Floats  # largest error

    def take(self, index: Array | slice) -> "Sums":
        """Return the sums of the sets that `index` selects."""
        return Sums(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Losses:
    """n errors (and weights) with what is needed to add them up exactly.

    Two-valued errors are counted: `low` or `high`. Others are fixed-point numbers of
    `shift` bits after scaling by `unit`, a power of two, into 0..1.
    """

    errors: Floats  # (n,)
    weights: Floats | None  # (n,), scaled into 0..1 by weight_unit
    binary: bool
    low: float
    high: float
    unit: float
    weight_unit: float
    shift: int

    @property
    def channels(self) -> int:
        """Columns of `fill_channels`: n, total, total2, largest; with weights also their sums."""
        return 4 if self.weights is None else 6

    def bits(self) -> Bytes:
        """Return (n,) 1 where a two-valued error is `high`."""
        high: Bytes = (self.errors != self.low).view(np.uint8)
        return high

    def fill_channels(self) -> Ints:
        """Return (n, channels) integers; the last is the error's bit pattern, to take maxima."""
        out = np.empty((len(self.errors), self.channels), np.int64)
        out[:, 0] = 1
        if self.binary and self.weights is None:
            out[:, 1] = out[:, 2] = out[:, 3] = self.bits()
            return out
        scaled = self.errors / self.unit  # (n,), 0..1
        first = 1
        if self.weights is not None:
            out[:, 1] = self._fix(self.weights)
            out[:, 2] = self._fix(self.weights**2)
            scaled_by = self.weights
            first = 3
        else:
            scaled_by = np.ones(1)
        out[:, first] = self._fix(scaled_by * scaled)
        out[:, first + 1] = self._fix(scaled_by * scaled**2)
        # Bit patterns of floats >= 0 sort as the floats do, and -0.0 was made 0.0.
        out[:, first + 2] = self.errors.view(np.int64)
        return out

    def finish(self, sums: Ints) -> Sums:
        """Turn (k, 2) counts of two-valued errors or (k, channels) integer sums into Sums."""
        n = sums[:, 0]
        if self.binary and self.weights is None:
            high = sums[:, 1].astype(np.float64)
            count = n.astype(np.float64)
            return Sums(
                n=n,
                weight=count,
                weight2=count,
                total=self.low * (count - high) + self.high * high,
                total2=self.low * self.low * (count - high) + self.high * self.high * high,
                largest=np.where(high > 0, self.high, self.low),
            )
        first = 1 if self.weights is None else 3
        count = n.astype(np.float64)
        values: Floats = sums.astype(np.float64) * 2.0**-self.shift
        return Sums(
            n=n,
            weight=count if first == 1 else values[:, 1] * self.weight_unit,
            weight2=count if first == 1 else values[:, 2] * self.weight_unit**2,
            total=values[:, first] * self.unit * self.weight_unit,
            total2=values[:, first + 1] * self.unit**2 * self.weight_unit,
            largest=np.ascontiguousarray(sums[:, first + 2]).view(np.float64),
        )

    def _fix(self, values: Floats) -> Ints:
        return np.rint(values * 2.0**self.shift).astype(np.int64)

    def add_up(self) -> Sums:
        """Return the (1,) sums of all rows."""
        channels = self.fill_channels()
        if not len(channels):
            return self.finish(np.zeros((1, self.channels), np.int64))
        last = [channels[:, -1].max()]
        return self.finish(np.concatenate([channels[:, :-1].sum(axis=0), last])[None, :])

    def take(self, rows: Array) -> "Losses":
        """Return the losses of some rows, in the same units."""
        weights = None if self.weights is None else self.weights[rows]
        return Losses(
            self.errors[rows], weights, self.binary, self.low, self.high,
            self.unit, self.weight_unit, self.shift,
        )  # fmt: skip


def prepare_losses(errors: ArrayLike, weights: ArrayLike | None, *, rows: int) -> Losses:
    """Check errors and weights and choose their integer form.

    errors: (n,) finite, >= 0. weights: (n,) finite, > 0, how often a row counts.
    Raises TableError with the row numbers of everything that is wrong; `rows` is the table's n.
    """
    problems: list[str] = []
    values = _check_numbers("error", errors, rows, problems)
    scale = None if weights is None else _check_numbers("weight", weights, rows, problems)
    if not problems and scale is not None and not (scale > 0).all():
        where = list_rows(np.flatnonzero(scale <= 0))
        problems.append(f"weights are 0 in rows {where}; expected more than 0: drop these rows")
    if not problems and not rows:
        problems.append("it has no rows; nothing can be searched")
    if problems:
        raise TableError.from_problems("slice search", problems)
    low, high = float(values.min()), float(values.max())
    weight_unit = 1.0 if scale is None else _power_above(float(scale.max()))
    return Losses(
        errors=values,
        weights=None if scale is None else scale / weight_unit,
        binary=bool(((values == low) | (values == high)).all()),
        low=low,
        high=high,
        unit=_power_above(high),
        weight_unit=weight_unit,
        shift=_BITS - int(np.ceil(np.log2(max(rows, 2)))),
    )


def _power_above(value: float) -> float:
    """Return the power of two that scales `value` into 0.5..1, or 1 for 0."""
    return float(np.ldexp(1.0, min(int(np.frexp(value)[1]), 1023))) if value > 0 else 1.0


def _check_numbers(name: str, given: ArrayLike, rows: int, problems: list[str]) -> Floats:
    """Return `given` as floats; append what is wrong with it to `problems`."""
    try:
        values = np.ascontiguousarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        problems.append(f"{name}s are not numbers")
        return np.empty(0)
    if values.shape != (rows,):
        problems.append(f"{name}s have shape {values.shape}, expected ({rows},), one per row")
        return np.empty(0)
    if rows and not (values.min() >= 0 and values.max() <= _LARGEST):  # also false for NaN
        for wrong, what in (
            (np.isnan(values), "not a number"),
            (np.isinf(values), "infinite"),
            (values < 0, "negative"),
            (np.isfinite(values) & (values > _LARGEST), f"above {_LARGEST:.0e}"),
        ):
            if wrong.any():
                where = list_rows(np.flatnonzero(wrong))
                problems.append(f"{name}s are {what} in rows {where}; expected finite numbers >= 0")
    return values + 0.0 if rows and values.min() == 0 else values  # -0.0 becomes 0.0

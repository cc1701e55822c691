"""What a predicate of a slice says: one value of an attribute, or a run of adjacent values.

A run is written as one value. Bins keep their form: "<= 32", "(32, 128]" and "> 128" make "<= 128"
and "> 32". Of other values two are joined, "adult or senior", and more are named by their ends,
"child to senior".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import polars as pl

from pipeline.vocabulary import UNKNOWN

Order = tuple[str, ...]  # the values of an ordered attribute, lowest first
_NUMBER = r"[-+]?(?:[\d.]+(?:e[-+]?\d+)?|inf)"
_BOUND = re.compile(rf"([<>]=?) ?({_NUMBER})", re.IGNORECASE)
_BIN = re.compile(rf"([(\[])({_NUMBER}), ?({_NUMBER})([)\]])", re.IGNORECASE)


def name_run(order: Order, first: int, last: int) -> str:
    """Write the run of the values first..last of an order; not for all of its values."""
    bins = _read_bins(order)
    if bins is not None:
        (low, _), (_, high) = bins[first], bins[last]
        if not low:
            return f"{'<=' if high[-1] == ']' else '<'} {high[:-1]}"
        if not high:
            return f"{'>=' if low[0] == '[' else '>'} {low[1:]}"
        return f"{low}, {high}"
    return f"{order[first]} {'or' if last == first + 1 else 'to'} {order[last]}"


def read_predicate(value: str, order: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the values that a predicate allows: those of the run that `value` names, or itself.

    order: the values of the attribute, lowest first; none for an attribute without an order.
    """
    order = tuple(order)
    if value in order or value not in _index_runs(order):
        return (value,)
    first, last = _index_runs(order)[value]
    return order[first : last + 1]


def select_rows(
    table: pl.DataFrame,
    predicates: Iterable[Mapping[str, str]],
    *,
    orders: Mapping[str, Sequence[str]],
) -> pl.Series:
    """Return which rows have every {attribute, value} of `predicates`.

    table: n rows, one text column an attribute. orders: the values of ordered attributes, lowest
    first. Returns (n,) booleans.
    """
    tests = []
    for one in predicates:
        name = one["attribute"]
        allowed = read_predicate(one["value"], orders.get(name, ()))
        tests.append(pl.any_horizontal([pl.col(name) == value for value in allowed]))
    if not tests:
        return pl.repeat(value=True, n=table.height, eager=True)
    return table.select(pl.all_horizontal(tests)).to_series()


def find_order_faults(order: Sequence[str], *, others: Iterable[str] = ()) -> list[str]:
    """Return what is wrong with an order, one phrase each.

    others: further values of the attribute. Words of a run that are a value too, or those of
    another run, could not be read back.
    """
    order = tuple(order)
    repeated = sorted({value for value in order if order.count(value) > 1})
    faults = [f"value {value!r} is there twice" for value in repeated]
    if UNKNOWN in order:
        faults.append("'unknown' has no place in an order; leave it out")
    if faults:
        return faults
    taken = {*order, *others}
    for first, last in _list_pairs(len(order)):
        name = name_run(order, first, last)
        if name in taken:
            run = f"{order[first]!r} to {order[last]!r}"
            faults.append(f"the run {run} would be written {name!r}, which is taken; rename that")
        taken.add(name)
    return faults


def _list_pairs(count: int) -> list[tuple[int, int]]:
    """List the ends, as positions, of every run of 2 to count - 1 of `count` values."""
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    return [pair for pair in pairs if pair != (0, count - 1)]


@lru_cache(maxsize=256)
def _index_runs(order: Order) -> dict[str, tuple[int, int]]:
    return {name_run(order, *pair): pair for pair in _list_pairs(len(order))}


@lru_cache(maxsize=256)
def _read_bins(order: Order) -> list[tuple[str, str]] | None:
    """Return the ends of each bin, such as ("(32", "128]"), "" for an open end.

    None where the values are no bins, or not each the next one after the one before it.
    """
    ends = [_read_bin(value) for value in order]
    known = [pair for pair in ends if pair is not None]
    if len(known) < len(order) or any(not low for low, _ in known[1:]):
        return None
    for (_, high), (low, _) in pairwise(known):
        if not high or (high[:-1], high[-1] == "]") != (low[1:], low[0] == "("):
            return None
    return known


def _read_bin(value: str) -> tuple[str, str] | None:
    if found := _BIN.fullmatch(value):
        opening, low, high, closing = found.groups()
        return opening + low, high + closing
    if found := _BOUND.fullmatch(value):
        sign, number = found.groups()
        if sign[0] == "<":
            return "", number + ("]" if sign == "<=" else ")")
        return ("[" if sign == ">=" else "(") + number, ""
    return None

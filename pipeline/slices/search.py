"""The search itself: make cells, choose an engine, count, score and test."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from pipeline.arrays import Ints, Mask
from pipeline.exceptions import SearchError
from pipeline.slices.counting.cells import Cells, make_cells
from pipeline.slices.counting.cube import Counts, count_cube, estimate_cube
from pipeline.slices.counting.depth_first import DepthFirstOptions, search_depth_first
from pipeline.slices.counting.encode import Codes, encode_table
from pipeline.slices.counting.fixed_point import Losses, prepare_losses
from pipeline.slices.counting.kernels import Kernels, load_kernels
from pipeline.slices.counting.sliceline_engine import search_sliceline
from pipeline.slices.family import Family, Test, build_family, tabulate
from pipeline.slices.options import Engine, SearchOptions, merge_options
from pipeline.slices.slice_ids import SliceIds
from pipeline.vocabulary import UNKNOWN

_SLICE_BYTES = 400  # of one counted slice: sums, statistics, sorting and its row of the table
_SET_CELLS = 1 << 26  # cells of one attribute set beyond which the cube gives up
_CUBE_UPDATES = 4e11  # some minutes
_DEPTH_FIRST_TOP = 1000


@dataclass(frozen=True)
class Search:
    """One prepared search: cells and kernels, and which engine and why."""

    cells: Cells
    kernels: Kernels
    options: SearchOptions
    min_weight: float
    engine: Engine
    reason: str
    possible_slices: float  # at most, with enough rows


@dataclass(frozen=True)
class SearchResult:
    """The family that a search counted, and how many branches a bound left unopened."""

    family: Family
    unopened: int


def search_slices(
    table: pl.DataFrame,
    errors: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    options: SearchOptions | None = None,
    **changes: object,
) -> pl.DataFrame:
    """Count, score and test the slices of a table, best score first.

    table: n rows, one column per attribute (text, categories, booleans, integers; runs of adjacent
    categories of an Enum count as values too). errors: n finite losses >= 0. weights: n numbers
    > 0, how often each row counts. options: the defaults where none
    are given; `changes` replace fields of them. q is over all counted slices, not over `top` alone.
    Returns the FAMILY table. Raises TableError or SearchError, TypeError for an unknown option.
    Source of the score: `counting/slice_score.py`.

    >>> table = pl.DataFrame({"hat": ["yes", "no"] * 200, "night": ["yes"] * 80 + ["no"] * 320})
    >>> errors = [1.0 if i < 80 and i % 2 == 0 else 0.0 for i in range(400)]
    >>> best = search_slices(table, errors, max_level=2, top=3).row(0, named=True)
    >>> [(one["attribute"], one["value"]) for one in best["predicates"]], best["n"], best["error"]
    ([('hat', 'yes'), ('night', 'yes')], 40, 1.0)
    """
    chosen = merge_options(options or SearchOptions(), changes)
    codes = encode_table(table, orders=chosen.ordered)
    chosen.check(codes.values_by_attribute)
    losses = prepare_losses(errors, weights, rows=table.height)
    family = run_search(prepare_search(codes, losses, chosen)).family
    return tabulate(family if chosen.top is None else family.take(slice(0, chosen.top)))


def prepare_search(codes: Codes, losses: Losses, options: SearchOptions) -> Search:
    """Make the cells of a search and choose its engine.

    options: checked. Raises SearchError for an attribute of too many values, or without numba where
    it is demanded.
    """
    kernels = load_kernels(options.backend)
    share = options.min_support < 1
    min_weight = options.min_support * _all_weight(losses) if share else options.min_support

    def is_excluded(attribute: str, value: str) -> bool:
        if options.exclude_unknown and value == UNKNOWN:
            return True
        return any(condition in (attribute, (attribute, value)) for condition in options.must_not)

    cells = make_cells(codes, losses, kernels, min_weight=min_weight, is_excluded=is_excluded)
    engine, reason, possible = choose_engine(cells, options, min_weight=min_weight)
    if cells.layout.have_runs(np.arange(len(cells.layout.dims))[None])[0] and engine != "cube":
        single = replace(cells, layout=cells.layout.without_runs())
        other = choose_engine(single, options, min_weight=min_weight)
        if other[0] == "cube" or engine == "sliceline":
            cells, (engine, reason, possible) = single, other
            why = "all of them would not fit" if engine == "cube" else "the package knows none"
            reason += f"; single values only, without runs of adjacent ones: {why}"
    return Search(cells, kernels, options, min_weight, engine, reason, possible)


def _all_weight(losses: Losses) -> float:
    """Sum the weights exactly, so that the order of rows cannot move the minimum support."""
    if losses.weights is None:
        return float(len(losses.errors))
    fixed = np.rint(losses.weights * 2.0**losses.shift).astype(np.int64).sum()
    return float(fixed) * 2.0**-losses.shift * losses.weight_unit


def choose_engine(
    cells: Cells, options: SearchOptions, *, min_weight: float
) -> tuple[Engine, str, float]:
    """Return the engine, the reason in words, and how many slices there can be at most."""
    level = min(options.max_level, max(len(cells.layout.dims), 1))
    most = float(cells.total.weight[0]) / max(min_weight, 1e-300)
    sets, slices, largest = estimate_cube(cells.layout, level, most=max(most, 1.0))
    updates = sets * cells.codes.shape[1]
    need = cells.nbytes() + slices * _SLICE_BYTES + min(largest, _SET_CELLS) * 48.0 + 1.5e8
    size = f"{sets:,.0f} attribute sets, {slices:,.0f} slices at most, {need / 1e9:.2f} GB expected"
    if options.engine != "auto":
        return options.engine, f"asked for ({size})", slices
    limits = []
    if need > options.memory:
        limits.append(f"more than the {options.memory / 1e9:.1f} GB allowed")
    if largest > _SET_CELLS:
        limits.append(f"one set alone has {largest:,.0f} cells")
    if updates > _CUBE_UPDATES:
        limits.append(f"{updates:,.0f} additions would take too long")
    if not limits:
        return "cube", f"the whole family fits ({size})", slices
    return "depth-first", f"{size}: {'; '.join(limits)}", slices


def run_search(
    search: Search, *, cells: Cells | None = None, test: Test | None = None
) -> SearchResult:
    """Count, score and test with the chosen engine.

    cells: rows that replace those of the search. test: p-values where rows are not independent.
    """
    rows = search.cells if cells is None else cells
    options = search.options
    holds_required = _filter_required(search)
    unopened = 0
    if search.engine == "cube":
        counts = count_cube(
            rows, search.kernels, max_level=options.max_level, min_weight=search.min_weight
        )
    elif search.engine == "depth-first":
        limits = DepthFirstOptions(
            max_level=options.max_level, min_weight=search.min_weight,
            top=options.top or _DEPTH_FIRST_TOP, alpha=options.alpha,
            direction=options.direction, holds_required=holds_required,
        )  # fmt: skip
        result = search_depth_first(rows, search.kernels, limits)
        counts, unopened = result.counts, result.unopened
    else:
        if options.direction != "worse":
            raise SearchError("the sliceline engine finds worse slices only; use engine 'auto'")
        counts = search_sliceline(
            rows, max_level=options.max_level, min_weight=search.min_weight, top=options.top,
            alpha=options.alpha, memory=options.memory,
        )  # fmt: skip
    good = holds_required(counts.slices)
    if not good.all():
        counts = Counts(counts.slices[good], counts.sums[good])
    family = build_family(rows, counts, alpha=options.alpha, direction=options.direction, test=test)
    return SearchResult(family, unopened)


def _filter_required(search: Search) -> Callable[[SliceIds], Mask]:
    """Return a function from (k, level) slices to which of them hold every required condition.

    And no two attributes of an exclusive set.
    """
    layout = search.cells.layout
    exclusive = [
        np.flatnonzero(np.isin(layout.spans[:, 0], [layout.attributes.index(name) for name in own]))
        for names in search.options.exclusive
        if len(own := [name for name in names if name in layout.attributes]) > 1
    ]
    required: list[Ints] = []
    for condition in search.options.must:
        pairs = enumerate(layout.predicates)
        required.append(np.array([i for i, p in pairs if p and condition in (p[0], p)], np.int64))

    def holds_required(slices: SliceIds) -> Mask:
        good = np.ones(len(slices), np.bool_)
        for ids in required:
            good &= np.isin(slices, ids).any(axis=1)
        for ids in exclusive:
            good &= np.isin(slices, ids).sum(axis=1) < 2
        return good

    return holds_required

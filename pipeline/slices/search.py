"""The search itself: check the question, make cells, choose an engine, count, score and test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from pipeline.exceptions import SearchError
from pipeline.slices.counting.cells import Cells, make_cells
from pipeline.slices.counting.cube import Counts, count_cube, estimate_cube
from pipeline.slices.counting.depth_first import DepthFirstOptions, search_depth_first
from pipeline.slices.counting.encode import Codes, encode_table
from pipeline.slices.counting.fixed_point import Losses, prepare_losses
from pipeline.slices.counting.kernels import Backend, Kernels, load_kernels
from pipeline.slices.counting.slice_score import Direction
from pipeline.slices.counting.sliceline_engine import search_sliceline
from pipeline.slices.family import Family, Test, build_family, tabulate
from pipeline.vocabulary import UNKNOWN

Engine = Literal["auto", "cube", "depth-first", "sliceline"]
Wish = str | tuple[str, str]  # an attribute, or an attribute and its value

_SLICE_BYTES = 400  # of one counted slice: sums, statistics, sorting and its row of the table
_SET_CELLS = 1 << 26  # cells of one attribute set beyond which the cube gives up
_CUBE_UPDATES = 4e11  # some minutes
_DEPTH_FIRST_TOP = 1000


@dataclass(frozen=True)
class SearchOptions:
    """What a search is asked for."""

    alpha: float = 0.95
    max_level: int = 3
    min_support: float = 0.01  # below 1: a share of the rows (or weights), else how many
    top: int | None = None
    engine: Engine = "auto"
    must: Sequence[Wish] = ()
    must_not: Sequence[Wish] = ()
    exclude_unknown: bool = False
    direction: Direction = "worse"
    memory: float = 2e9  # bytes that counting may take
    backend: Backend = "auto"

    def check(self, codes: Codes) -> None:
        """Raise SearchError listing every option that cannot be."""
        problems = []
        if not 0 < self.alpha <= 1:
            problems.append(f"alpha is {self.alpha}, expected more than 0 and at most 1")
        if self.max_level not in (1, 2, 3, 4):
            problems.append(f"max_level is {self.max_level}, expected 1, 2, 3 or 4")
        if not 0 < self.min_support < np.inf:
            problems.append(
                f"min_support is {self.min_support}, expected a share below 1 or a count"
            )
        if self.top is not None and self.top < 1:
            problems.append(f"top is {self.top}, expected at least 1")
        for name, choices in (("engine", Engine), ("direction", Direction), ("backend", Backend)):
            if getattr(self, name) not in get_args(choices):
                known = ", ".join(get_args(choices))
                problems.append(f"{name} is {getattr(self, name)!r}, expected one of {known}")
        for wish in (*self.must, *self.must_not):
            problems += _check_wish(wish, codes)
        if problems:
            raise SearchError.from_problems("slice search", problems)


class SearchArguments(TypedDict, total=False):
    """The arguments of `search_slices` that an audit passes on."""

    alpha: float
    max_level: int
    min_support: float
    engine: Engine
    must: Sequence[Wish]
    must_not: Sequence[Wish]
    exclude_unknown: bool
    direction: Direction
    memory: float
    backend: Backend


@dataclass(frozen=True)
class Search:
    """One prepared search: cells and kernels, which engine and why, and its memory estimate."""

    cells: Cells
    kernels: Kernels
    options: SearchOptions
    min_weight: float
    engine: Engine
    reason: str
    estimated_bytes: float
    possible_slices: float  # at most, with enough rows


@dataclass(frozen=True)
class Found:
    """The family that a search counted, and how many branches a bound left unopened."""

    family: Family
    unopened: int


def search_slices(
    table: pl.DataFrame,
    errors: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    alpha: float = 0.95,
    max_level: int = 3,
    min_support: float = 0.01,
    top: int | None = None,
    engine: Engine = "auto",
    must: Sequence[Wish] = (),
    must_not: Sequence[Wish] = (),
    exclude_unknown: bool = False,
    direction: Direction = "worse",
    memory: float = 2e9,
    backend: Backend = "auto",
) -> pl.DataFrame:
    """Count, score and test the slices of a table, best score first.

    table: n rows, one column per attribute (text, categories, booleans, integers). errors: n finite
    losses >= 0. weights: n numbers > 0, how often each row counts. min_support: a share below 1,
    else a count, of rows (or weights). must, must_not: attributes or (attribute, value) that every
    or no slice holds. q is over all counted slices, not over `top` alone.
    Returns the FAMILY table. Raises TableError or SearchError. Source of the score: `score.py`.
    """
    options = SearchOptions(
        alpha, max_level, min_support, top, engine, must, must_not,
        exclude_unknown, direction, memory, backend,
    )  # fmt: skip
    codes = encode_table(table)
    losses = prepare_losses(errors, weights, rows=table.height)
    family = run_search(prepare_search(codes, losses, options)).family
    return tabulate(family if top is None else family.take(slice(0, top)))


def prepare_search(
    codes: Codes, losses: Losses, options: SearchOptions, *, group: bool = True
) -> Search:
    """Make the cells of a search and choose its engine. Raises SearchError."""
    options.check(codes)
    kernels = load_kernels(options.backend)
    all_weight = _all_weight(losses)
    share = options.min_support < 1
    min_weight = options.min_support * all_weight if share else options.min_support

    def leave_out(attribute: str, value: str) -> bool:
        if options.exclude_unknown and value == UNKNOWN:
            return True
        return any(wish in (attribute, (attribute, value)) for wish in options.must_not)

    cells = make_cells(
        codes, losses, kernels, min_weight=min_weight, leave_out=leave_out, group=group
    )
    engine, reason, need, possible = choose_engine(cells, options, min_weight=min_weight)
    return Search(cells, kernels, options, min_weight, engine, reason, need, possible)


def _all_weight(losses: Losses) -> float:
    """Sum the weights exactly, so that the order of rows cannot move the minimum support."""
    if losses.weights is None:
        return float(len(losses.errors))
    fixed = np.rint(losses.weights * 2.0**losses.shift).astype(np.int64).sum()
    return float(fixed) * 2.0**-losses.shift * losses.weight_unit


def choose_engine(
    cells: Cells, options: SearchOptions, *, min_weight: float
) -> tuple[Engine, str, float, float]:
    """Return the engine, the reason in words, the bytes it may need, and slices at most."""
    level = min(options.max_level, max(len(cells.layout.dims), 1))
    most = float(cells.total.weight[0]) / max(min_weight, 1e-300)
    sets, slices, largest = estimate_cube(cells.layout, level, most=max(most, 1.0))
    updates = sets * cells.codes.shape[1]
    need = cells.nbytes() + slices * _SLICE_BYTES + min(largest, _SET_CELLS) * 48.0 + 1.5e8
    size = f"{sets:,.0f} attribute sets, {slices:,.0f} slices at most, {need / 1e9:.2f} GB expected"
    if options.engine != "auto":
        return options.engine, f"asked for ({size})", need, slices
    limits = []
    if need > options.memory:
        limits.append(f"more than the {options.memory / 1e9:.1f} GB allowed")
    if largest > _SET_CELLS:
        limits.append(f"one set alone has {largest:,.0f} cells")
    if updates > _CUBE_UPDATES:
        limits.append(f"{updates:,.0f} additions would take too long")
    if not limits:
        return "cube", f"the whole family fits ({size})", need, slices
    return "depth-first", f"{size}: {'; '.join(limits)}", cells.nbytes() * 5.0 + 1e8, slices


def run_search(search: Search, *, cells: Cells | None = None, test: Test | None = None) -> Found:
    """Count, score and test with the chosen engine.

    cells: rows that replace those of the search. test: p-values where rows are not independent.
    """
    rows = search.cells if cells is None else cells
    options = search.options
    wanted = _must_filter(search)
    unopened = 0
    if search.engine == "cube":
        counts = count_cube(
            rows, search.kernels, max_level=options.max_level, min_weight=search.min_weight
        )
    elif search.engine == "depth-first":
        asked = DepthFirstOptions(
            max_level=options.max_level, min_weight=search.min_weight,
            top=options.top or _DEPTH_FIRST_TOP, alpha=options.alpha,
            direction=options.direction, wanted=wanted,
        )  # fmt: skip
        result = search_depth_first(rows, search.kernels, asked)
        counts, unopened = result.counts, result.unopened
    else:
        if options.direction != "worse":
            raise SearchError("the sliceline engine looks for worse slices only; use engine 'auto'")
        counts = search_sliceline(
            rows, max_level=options.max_level, min_weight=search.min_weight, top=options.top,
            alpha=options.alpha, memory=options.memory,
        )  # fmt: skip
    good = wanted(counts.slices)
    if not good.all():
        counts = Counts(counts.slices[good], counts.sums[good])
    family = build_family(rows, counts, alpha=options.alpha, direction=options.direction, test=test)
    return Found(family, unopened)


def _must_filter(search: Search) -> Callable[[NDArray[np.int32]], NDArray[np.bool_]]:
    """Return the function that tells which (k, level) slices hold all that they must."""
    layout = search.cells.layout
    needed: list[NDArray[np.int64]] = []
    for wish in search.options.must:
        pairs = enumerate(layout.predicates)
        needed.append(np.array([i for i, p in pairs if p and wish in (p[0], p)], np.int64))

    def wanted(slices: NDArray[np.int32]) -> NDArray[np.bool_]:
        good = np.ones(len(slices), np.bool_)
        for ids in needed:
            good &= np.isin(slices, ids).any(axis=1)
        return good

    return wanted


def _check_wish(wish: Wish, codes: Codes) -> list[str]:
    """Say what is wrong with what slices must or must not hold."""
    name, *value = (wish,) if isinstance(wish, str) else wish
    if name not in codes.attributes:
        known = ", ".join(codes.attributes)
        return [f"must and must_not name the attribute {name!r}; the table has {known}"]
    if isinstance(wish, str) or (isinstance(wish, tuple) and len(wish) == 2):
        values = codes.values[codes.attributes.index(name)]
        if not value or value[0] in values:
            return []
        shown = ", ".join(values[:10]) + (", ..." if len(values) > 10 else "")
        return [f"must and must_not name {name} = {value[0]!r}; its values are {shown}"]
    return [f"{wish!r}: expected an attribute or a tuple of an attribute and its value"]

"""Which situations a dataset holds: counts, heat maps of pairs and lists, for the template."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from reports.models import DomainReport, ReportData
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.numbers import format_count, format_number
from reports.parts.words import Predicates

SHOWN_MAPS = 6
MAP_VALUES = 16  # of one attribute; larger maps are left out, the list of combinations is not
SHOWN_ROWS = 20  # of the list before others fold away
LISTED_ROWS = 200  # of the list at all; the page says how many more there are
SHADES = 5
COVERED, RARE, MISSING = "covered", "rare", "missing"
KINDS = {1: "values", 2: "pairs of values", 3: "triples of values"}


@dataclass(frozen=True)
class MapCell:
    """Samples with both values; shade 0 (none) to 5 (most); None where it was not counted."""

    n: str
    state: str
    shade: int


@dataclass(frozen=True)
class HeatMap:
    """Counts of the pairs of two attributes' values; rows of the longer one."""

    down: str
    across: str
    columns: list[str]
    rows: list[tuple[str, list[MapCell | None]]]
    lacking: int


@dataclass(frozen=True)
class CombinationView:
    """One combination that is missing or rare."""

    predicates: Predicates
    n: str
    expected: str
    state: str


@dataclass(frozen=True)
class DomainView:
    """The part of the page about the domain."""

    kind: str  # "pairs of values"
    attributes: list[str]
    min_samples: str
    total: str
    covered: str
    rare: str
    missing: str
    complete: bool
    maps: list[HeatMap]
    map_note: str
    shown: list[CombinationView]
    folded: list[CombinationView]
    left_out: str
    collect: list[tuple[Predicates, str, str]]


def view_domain(data: ReportData, text: Words = ENGLISH) -> DomainView | None:
    """Return the part of the page about the domain; None where it was not counted."""
    report = data.domain
    if report is None:
        return None
    table = report.combinations
    counts = {state: table.filter(pl.col("state") == state).height for state in _STATES}
    lacking = table.filter(pl.col("state").is_in([MISSING, RARE]))
    lacking = lacking.sort(pl.col("state") == RARE, maintain_order=True)
    listed = [_view_combination(row) for row in lacking.head(LISTED_ROWS).to_dicts()]
    maps, note = _draw_maps(report, _read_order(data), text)
    return DomainView(
        kind=text.say(
            KINDS.get(report.level, "combinations of {level} values"), level=report.level
        ),
        attributes=list(report.attributes),
        min_samples=format_count(report.min_samples),
        total=format_count(table.height),
        covered=format_count(counts[COVERED]),
        rare=format_count(counts[RARE]),
        missing=format_count(counts[MISSING]),
        complete=not lacking.height,
        maps=maps,
        map_note=note,
        shown=listed[:SHOWN_ROWS],
        folded=listed[SHOWN_ROWS:],
        left_out=format_count(lacking.height - len(listed)) if lacking.height > len(listed) else "",
        collect=[
            (row["predicates"], format_count(row["missing"] or 0), format_count(row["covers"] or 0))
            for row in report.collect_next.to_dicts()
        ],
    )


_STATES = (MISSING, RARE, COVERED)


def _view_combination(row: Mapping[str, Any]) -> CombinationView:
    expected = row["expected"]
    return CombinationView(
        predicates=row["predicates"],
        n=format_count(row["n"] or 0),
        expected="" if expected is None else _write_expected(expected),
        state=row["state"],
    )


def _write_expected(expected: float) -> str:
    """Write a number of samples without decimals once there is one."""
    whole = math.isfinite(expected) and expected >= 1
    return format_count(round(expected)) if whole else format_number(expected)


def _read_order(data: ReportData) -> dict[tuple[str, str], int]:
    """Return the place of each value as the page shows it elsewhere."""
    pairs = data.coverage.select("attribute", "value").rows()
    return {(attribute, value): index for index, (attribute, value) in enumerate(pairs)}


def _draw_maps(
    report: DomainReport, order: Mapping[tuple[str, str], int], text: Words
) -> tuple[list[HeatMap], str]:
    """Draw the pairs of attributes that lack most, and say which ones were left out."""
    pairs = report.pairs
    if pairs is None:
        pairs = report.combinations if report.level == 2 else report.combinations.clear()
    first, second = (pl.col("predicates").list.get(i, null_on_oob=True) for i in (0, 1))
    cells = pairs.filter(pl.col("predicates").list.len() == 2).select(
        "n", "state", one=first.struct.field("attribute"), two=second.struct.field("attribute"),
        value=first.struct.field("value"), other=second.struct.field("value"),
    )  # fmt: skip
    parts = cells.partition_by("one", "two", as_dict=True, maintain_order=True)
    sizes = {key: max(p["value"].n_unique(), p["other"].n_unique()) for key, p in parts.items()}
    fitting = [key for key in parts if sizes[key] <= MAP_VALUES]
    lacks = {key: int((parts[key]["state"] != COVERED).sum()) for key in fitting}
    places = {name: index for index, name in enumerate(report.attributes)}
    fitting.sort(key=lambda key: (-lacks[key], [(places.get(n, len(places)), n) for n in key]))
    chosen = fitting[:SHOWN_MAPS]
    largest = max((n for key in chosen for n in parts[key]["n"].drop_nulls()), default=0)
    maps = [_draw_map(parts[key], order, largest, lacks[key]) for key in chosen]
    return maps, _note_maps(len(parts), len(fitting), len(chosen), text)


def _note_maps(total: int, fitting: int, chosen: int, text: Words) -> str:
    notes = []
    if chosen < fitting:
        notes.append(
            text.say(
                "Shown are the {chosen} of {total} pairs of attributes that lack most combinations",
                chosen=chosen,
                total=format_count(total),
            )
        )
    if fitting < total:
        notes.append(
            text.say(
                "{n} with more than {most} values of an attribute have no map",
                n=format_count(total - fitting),
                most=MAP_VALUES,
            )
        )
    return "; ".join(notes)


def _draw_map(
    cells: pl.DataFrame, order: Mapping[tuple[str, str], int], largest: int, lacking: int
) -> HeatMap:
    names = (str(cells["one"][0]), str(cells["two"][0]))
    values = [
        _sort_values(name, cells[column].unique().to_list(), order)
        for name, column in zip(names, ("value", "other"), strict=True)
    ]
    found = {
        (row["value"], row["other"]): _shade(row["n"] or 0, row["state"], largest)
        for row in cells.to_dicts()
    }
    if len(values[0]) < len(values[1]):
        names, values = names[::-1], values[::-1]
        found = {(b, a): cell for (a, b), cell in found.items()}
    return HeatMap(
        down=names[0],
        across=names[1],
        columns=values[1],
        rows=[(one, [found.get((one, other)) for other in values[1]]) for one in values[0]],
        lacking=lacking,
    )


def _sort_values(
    attribute: str, values: Sequence[str], order: Mapping[tuple[str, str], int]
) -> list[str]:
    return sorted(values, key=lambda value: (order.get((attribute, value), len(order)), value))


def _shade(n: int, state: str, largest: int) -> MapCell:
    """Shade by the logarithm of n, so that small counts still differ."""
    share = math.log1p(n) / math.log1p(largest) if largest else 0.0
    return MapCell(format_count(n), state, math.ceil(SHADES * share) if n else 0)

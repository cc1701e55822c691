"""The maps of the report, worded and drawn for the template."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.map_models import FindingOutline, MapReport
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.gallery import encode_image
from reports.parts.numbers import format_count
from reports.parts.words import ErrorWords, Predicates, write_predicates

MOST_OUTLINES = 8  # findings that are drawn; more cannot be told apart


@dataclass(frozen=True)
class OutlineView:
    """One finding on a map.

    points: of each of its lines, as SVG wants them. x, y: of its number.
    """

    rank: int
    anchor: str
    predicates: Predicates
    points: tuple[str, ...]
    x: str
    y: str


@dataclass(frozen=True)
class RegionView:
    """One region of a map; worse: whether its interval is above the mean of all."""

    number: int
    name: str
    n: str
    error: str
    interval: str
    worse: bool
    x: str
    y: str


@dataclass(frozen=True)
class MapView:
    """The map of one system; overall: its mean error, empty where none is known."""

    system: str
    anchor: str
    source: str | None
    alt: str
    method: str
    samples: str
    unplaced: str
    words: ErrorWords
    overall: str
    outlines: list[OutlineView]
    regions: list[RegionView]


def view_map(
    report: MapReport, *, anchor: str, anchors: Mapping[int, str], text: Words = ENGLISH
) -> MapView:
    """Turn a map into what its part of a page shows.

    anchor: of the map. anchors: rank -> where its finding is on the page; those that are missing
    have no link.
    """
    words = ErrorWords(report.metric, report.share, text=text)
    drawn = [one for one in report.outlines if one.lines][:MOST_OUTLINES]
    return MapView(
        system=report.system,
        anchor=anchor,
        source=encode_image(report.image),
        alt=_describe(report, words),
        method=report.method,
        samples=format_count(report.samples),
        unplaced=format_count(report.unplaced) if report.unplaced else "",
        words=words,
        overall="" if report.overall_error is None else words.write(report.overall_error),
        outlines=[_view_outline(one, anchors.get(one.rank, "")) for one in drawn],
        regions=_view_regions(report, words),
    )


def _describe(report: MapReport, words: ErrorWords) -> str:
    """Say in a sentence what the picture shows, for readers without eyes."""
    text = words.text
    if report.overall_error is None:
        return text.say(
            "Map of {n} samples: darker where there are more. The table below lists the regions.",
            n=format_count(report.samples),
        )
    worse = [
        str(row["name"]) or text.say("region {n}", n=row["region"]) for row in _list_worse(report)
    ]
    where = text.say("No region is worse.")
    if worse:
        where = text.say("It is worse in {regions}.", regions="; ".join(worse))
    return text.say(
        "Map of {n} samples: darker where there are more, red where {system} does worse than "
        "{error}. {where} The table below lists the regions.",
        n=format_count(report.samples),
        system=report.system,
        error=words.write(report.overall_error),
        where=where,
    )


def _list_worse(report: MapReport) -> list[dict[str, object]]:
    overall = report.overall_error
    return [
        row
        for row in report.regions.to_dicts()
        if row["ci_low"] is not None and overall is not None and row["ci_low"] > overall
    ]


def _view_outline(one: FindingOutline, anchor: str) -> OutlineView:
    longest = max(one.lines, key=len)
    x, y = min(longest, key=lambda point: point[1])
    return OutlineView(
        rank=one.rank,
        anchor=anchor,
        predicates=one.predicates,
        points=tuple(
            " ".join(f"{100 * a:.2f},{100 * b:.2f}" for a, b in line) for line in one.lines
        ),
        x=f"{min(max(100 * x, 2), 97):.1f}",
        y=f"{max(100 * y - 1, 3):.1f}",
    )


def _view_regions(report: MapReport, words: ErrorWords) -> list[RegionView]:
    worse = {row["region"] for row in _list_worse(report)}
    return [
        RegionView(
            number=row["region"],
            name=row["name"],
            n=format_count(row["n"]),
            error=words.write_value(row["error"]),
            interval=""
            if row["ci_low"] is None
            else words.write_range(row["ci_low"], row["ci_high"]),
            worse=row["region"] in worse,
            x=f"{100 * row['x']:.1f}",
            y=f"{100 * row['y']:.1f}",
        )
        for row in report.regions.to_dicts()
    ]


def name_finding(one: FindingOutline, words: ErrorWords) -> str:
    """Write a finding in a line: "hat = yes: 27.1% missed against 5.0%, n = 442"."""
    error = f"{words.write(one.error)} against {words.write_value(one.rest_error)}"
    return f"{write_predicates(one.predicates)}: {error}, n = {one.n:,}"

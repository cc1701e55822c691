"""Weak regions of one system, worded for the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.models import SystemReport
from reports.parts.gallery import Picture, make_pictures
from reports.parts.numbers import format_count, format_number, format_percent, format_probability
from reports.parts.words import ErrorWords

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ValueRow:
    """A value of an attribute that a region holds more often than the rest."""

    attribute: str
    value: str
    share: str
    rest_share: str


@dataclass(frozen=True)
class RegionView:
    """One card."""

    rank: int
    anchor: str
    state: str
    evidence: str
    title: str  # the words that describe it best, or ""
    sentence: str
    words: list[str]
    values: list[ValueRow]
    typical: list[Picture]
    failing: list[Picture]
    numbers: list[tuple[str, str]]
    by_words: bool  # whether the draft is by prompts


def view_regions(system: SystemReport, words: ErrorWords, *, index: int) -> list[RegionView] | None:
    """Return the cards of the regions, best first; None where none were searched."""
    if system.regions is None:
        return None
    return [_view_region(row, system, words, index) for row in system.regions.to_dicts()]


def _view_region(row: Row, system: SystemReport, words: ErrorWords, index: int) -> RegionView:
    described = [one["word"] for one in row["words"]]
    typical, failing = system.region_gallery.get(row["rank"], ((), ()))
    held = row["holdout_p"]
    name, p = ("family-wise p", row["p_family"]) if held is None else ("held-out p", held)
    return RegionView(
        rank=row["rank"],
        anchor=f"system-{index}-region-{row['rank']}",
        state=row["state"],
        evidence=f"{words.text.say(name)} {format_probability(p)}",
        title=", ".join(described[:2]),
        sentence=words.text.say(
            "{error}, where the findings explain {expected}; {rest} elsewhere "
            "(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n}, of {images} images)",
            error=words.write(row["error"]),
            expected=words.write_value(row["expected_error"]),
            rest=words.write_value(row["rest_error"]),
            n=format_count(row["n"]),
            images=format_count(row["images"]),
        ),
        words=described,
        values=[
            ValueRow(
                one["attribute"],
                one["value"],
                format_percent(one["share"]),
                format_percent(one["rest_share"]),
            )
            for one in row["values"]
        ],
        typical=make_pictures(typical, words),
        failing=make_pictures(failing, words),
        numbers=_list_numbers(row, words),
        by_words=row["draft_kind"] == "prompts",
    )


def _list_numbers(row: Row, words: ErrorWords) -> list[tuple[str, str]]:
    low, high = row["ci_low"], row["ci_high"]
    say = words.text.say
    numbers = [(say("Beyond what findings explain"), words.write_difference(row["difference"]))]
    if low is not None:
        ends = (high, low) if words.success else (low, high)
        low_end, high_end = (words.write_difference(end) for end in ends)
        interval = say("{low} to {high}", low=low_end, high=high_end)
        numbers.append((say("95 % interval of that"), interval))
    numbers += [
        (say("Standard errors above what is explained"), format_number(row["z"])),
        ("p", format_probability(row["p"])),
        (say("q over all sets searched"), format_probability(row["q"])),
        (say("family-wise p, over all sets searched"), format_probability(row["p_family"])),
    ]
    if row["holdout_n"] is not None:
        error, expected = (
            words.write_value(row[f"holdout_{name}"]) for name in ("error", "expected")
        )
        numbers += [
            (say("Held out: samples in the region"), format_count(row["holdout_n"])),
            (say("Held out: error, explained"), f"{error}, {expected}"),
            (say("Held out: p"), format_probability(row["holdout_p"])),
        ]
    if row["folded"]:
        numbers.append((say("Further regions of the same weakness"), format_count(row["folded"])))
    return numbers

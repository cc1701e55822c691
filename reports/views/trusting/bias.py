"""Word probes of groups, worded and drawn: the forest plot with neutral words as a band."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.vocabulary import INSUFFICIENT
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import draw_interval, make_scale
from reports.parts.numbers import MINUS, format_number, format_percent, format_probability

_WIDE = 0.5  # of the median neutral pair: a medium effect by Cohen's rule of thumb


@dataclass(frozen=True)
class ProbeRow:
    """One pair of words on one group against the others."""

    words: str
    groups: str
    n: str
    shares: str
    shift: str
    shift_interval: str
    d: str
    d_interval: str
    chart: Markup
    p: str
    p_family: str
    image_p: str
    wordings: str
    adjusted: str
    verdict: str
    reason: str
    needed: str


@dataclass(frozen=True)
class BiasView:
    """The section on word probes: sentences on what holds, rows by subject."""

    attribute: str
    facts: list[str]
    subjects: list[tuple[str, list[ProbeRow]]]
    adjust: str
    notes: list[str]


def view_bias(
    probes: pl.DataFrame,
    *,
    attribute: str,
    adjust: tuple[str, ...],
    notes: tuple[str, ...],
    text: Words = ENGLISH,
) -> BiasView:
    """Return the view of PROBES; rows keep their order."""
    rows = probes.to_dicts()
    ends = [row[name] for row in rows for name in ("d_low", "d_high")]
    known = probes["null_edge"].drop_nulls().to_list()
    scale = make_scale([*ends, *(sign * edge for edge in known for sign in (-1, 1))])
    subjects: dict[str, list[ProbeRow]] = {}
    for row in rows:
        chart = draw_interval(
            row["d"], row["d_low"], row["d_high"], scale,
            band=None if row["null_edge"] is None else (-row["null_edge"], row["null_edge"]),
        )  # fmt: skip
        subjects.setdefault(row["subject"], []).append(_view_row(row, chart, text))
    return BiasView(
        attribute,
        list_bias_facts(probes, text),
        list(subjects.items()),
        ", ".join(adjust),
        list(notes),
    )


def list_bias_facts(probes: pl.DataFrame, text: Words = ENGLISH) -> list[str]:
    """Return in words what is shown of all pairs, and what neutral words do."""
    if probes.is_empty():
        words = "No pair of words was judged: there are no two groups of two images each."
        return [text.say(words)]
    counts = dict(probes["verdict"].value_counts().iter_rows())
    shown, few = counts.get("shown", 0), counts.get(INSUFFICIENT, 0)
    pairs = text.count(probes.height, "{n} pair of words", "{n} pairs of words")
    facts = [
        text.count(
            shown,
            "{n} of {pairs} is shown to lean towards a group.",
            "{n} of {pairs} are shown to lean towards a group.",
            pairs=pairs,
        )
    ]
    if few:
        needed = max(probes.filter(verdict=INSUFFICIENT)["needed_n"].drop_nulls(), default=0)
        words = "For {few} the images are too few to say."
        if needed:
            words = (
                "For {few} the images are too few to say; {needed} people or images of each group "
                "would do."
            )
        facts.append(text.say(words, few=few, needed=f"{needed:,}"))
    usual = int((probes["image_p"] < 0.05).sum())
    median = max(probes["null_median"].drop_nulls(), default=0.0)
    edge = max(probes["null_edge"].drop_nulls(), default=None)
    if edge is None:
        words = (
            "This encoder takes most neutral nouns for one word: it knows too few words for probes."
        )
        facts.append(text.say(words))
        return facts
    facts.append(
        text.say(
            "Neutral nouns on the same images: half of their pairs reach d {median}, one in twenty "
            "{edge}. The usual permutation of images, which knows no neutral words, would call "
            "{usual} of {n}.",
            median=f"{median:.2f}",
            edge=f"{edge:.2f}",
            usual=usual,
            n=probes.height,
        )
    )
    if median >= _WIDE:
        words = (
            "The groups color every word in this encoder: labels by it are less fair than any one "
            "word shows."
        )
        facts.append(text.say(words))
    return facts


def _view_row(row: Mapping[str, Any], chart: Markup, text: Words) -> ProbeRow:
    adjusted = ""
    if row["adjusted_d"] is not None:
        p = format_probability(row["adjusted_p"])
        adjusted = f"{_write(row['adjusted_d'])}, p {p}"
    needed = ""
    if row["needed_n"]:
        needed = text.say(", needs {n}", n=f"{row['needed_n']:,}")
    return ProbeRow(
        words=f"{row['first']} / {row['second']}",
        groups=f"{row['group']} / {row['others']}",
        n=f"{row['n']:,} / {row['others_n']:,}",
        shares=f"{format_percent(row['share'])} / {format_percent(row['others_share'])}",
        shift=_write_points(row["shift"]),
        shift_interval=_write_ends(row["shift_low"], row["shift_high"], text, points=True),
        d=_write(row["d"]),
        d_interval=_write_ends(row["d_low"], row["d_high"], text, points=False),
        chart=chart,
        p=format_probability(row["p"]),
        p_family=format_probability(row["p_family"]),
        image_p=format_probability(row["image_p"]),
        wordings=text.say(
            "{n} of {runs}",
            n=format_percent(row["wordings_held"]),
            runs=f"{row['wordings']:,}",
        ),
        adjusted=adjusted,
        verdict=text.say(row["verdict"]),
        reason=row["reason"] or "",
        needed=needed,
    )


def _write(value: float | None) -> str:
    return format_number(None) if value is None else f"{value:+.2f}".replace("-", MINUS)


def _write_points(value: float | None) -> str:
    return format_number(None) if value is None else f"{100 * value:+.1f}".replace("-", MINUS)


def _write_ends(low: float | None, high: float | None, text: Words, *, points: bool) -> str:
    if low is None or high is None:
        return ""
    write = _write_points if points else _write
    return text.say("{low} to {high}", low=write(low), high=write(high))

"""Whether the encoder can be trusted, worded and drawn for the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import Scale, draw_interval, make_scale
from reports.parts.numbers import MISSING, format_percent, format_probability
from reports.trust_models import TrustReport
from reports.views.trusting.bias import BiasView, view_bias

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Judgement:
    """One thing that was measured of an attribute: word, number and interval, "" where none."""

    word: str
    value: str = ""
    interval: str = ""


@dataclass(frozen=True)
class AttributeTrust:
    """The verdict on one attribute and what it is of."""

    name: str
    verdict: str
    note: str
    quality: Judgement
    text: Judgement
    bias: Judgement
    leakage: Judgement


@dataclass(frozen=True)
class FlipRow:
    """What written words do to one attribute under one defence."""

    name: str
    defence: str
    flips: str
    control: str
    difference: str
    interval: str
    chart: Markup
    p: str
    accuracy: str
    change: str
    verdict: str


@dataclass(frozen=True)
class TrustView:
    """The section.

    verdicts: attribute -> its verdict. notes: attribute -> its sentence, where something endangers
    it.
    """

    lead: str
    attributes: list[AttributeTrust]
    verdicts: Mapping[str, str]
    notes: Mapping[str, str]
    flips: list[FlipRow]
    bias: BiasView | None
    text_facts: tuple[str, ...]


def view_trust(report: TrustReport | None, text: Words = ENGLISH) -> TrustView | None:
    """Return the view of what was measured, None where nothing was."""
    if report is None:
        return None
    rows = [_view_attribute(row, text) for row in report.trust.to_dicts()]
    bias = None
    if not report.probes.is_empty():
        bias = view_bias(
            report.probes,
            attribute=report.probed,
            adjust=report.adjust,
            notes=report.probe_notes,
            text=text,
        )
    return TrustView(
        lead=_sum_up(rows, text),
        attributes=rows,
        verdicts={row.name: row.verdict for row in rows},
        notes={row.name: row.note for row in rows if row.note},
        flips=_view_flips(report.flips, text),
        bias=bias,
        text_facts=report.text_facts,
    )


def _sum_up(rows: list[AttributeTrust], text: Words) -> str:
    if not rows:
        return text.say(
            "No verdict on the attributes was asked for: weakspot trust AUDIT.toml gives one."
        )
    endangered = sum(row.verdict == "endangered" for row in rows)
    if not endangered:
        return text.say("Nothing that was measured speaks against the labels of an attribute.")
    return text.count(
        len(rows),
        "The labels of {endangered} of {n} attribute are endangered.",
        "The labels of {endangered} of {n} attributes are endangered.",
        endangered=endangered,
    )


def _view_attribute(row: Mapping[str, Any], text: Words) -> AttributeTrust:
    bias = _judge(row, "bias", "bias_difference", "bias_low", "bias_high", text, signed=True)
    if row["group"] and row["bias"] != NOT_MEASURED:
        bias = Judgement(f"{bias.word}: {row['group']}", bias.value, bias.interval)
    return AttributeTrust(
        name=row["attribute"],
        verdict=row["verdict"],
        note=row["note"] or "",
        quality=_judge(row, "quality", "accuracy", "accuracy_low", "accuracy_high", text),
        text=_judge(row, "text", "flips", "flips_low", "flips_high", text),
        bias=bias,
        leakage=Judgement(text.say(row["leakage"])),
    )


def _judge(
    row: Mapping[str, Any],
    word: str,
    value: str,
    low: str,
    high: str,
    text: Words,
    *,
    signed: bool = False,
) -> Judgement:
    if row[value] is None:
        return Judgement(text.say(row[word]))
    ends = (row[low], row[high])
    interval = _write_interval(ends, text, signed=signed)
    return Judgement(text.say(row[word]), _write(row[value], signed=signed), interval)


def _write_interval(ends: tuple[float | None, float | None], text: Words, *, signed: bool) -> str:
    if None in ends:
        return ""
    low, high = (_write(end, signed=signed) for end in ends)
    return text.say("{low} to {high}", low=low, high=high)


def _write(value: float | None, *, signed: bool = False) -> str:
    text = format_percent(value)
    return f"+{text}" if signed and value is not None and value > 0 else text


def _view_flips(flips: pl.DataFrame, text: Words) -> list[FlipRow]:
    rows = flips.filter(pl.col("area").is_null()).to_dicts()
    names = ("difference", "difference_low", "difference_high")
    scale = make_scale([row[name] for row in rows for name in names])
    return [_view_flip(row, scale, text) for row in rows]


def _view_flip(row: Mapping[str, Any], scale: Scale, text: Words) -> FlipRow:
    ends = (row["difference_low"], row["difference_high"])
    change = row["accuracy_change"]
    return FlipRow(
        name=row["attribute"],
        defence=row["defence"],
        flips=format_percent(row["flips"]),
        control=format_percent(row["control_flips"]),
        difference=_write(row["difference"], signed=True),
        interval=_write_interval(ends, text, signed=True),
        chart=draw_interval(row["difference"], *ends, scale),
        p=format_probability(row["p_holm"]),
        accuracy=format_percent(row["clean_accuracy"]),
        change="" if change is None else _write(change, signed=True),
        verdict=text.say(row["verdict"]) if row["verdict"] else MISSING,
    )

"""A finding's page: its galleries, how errors are spread, further attributes, how to get it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.vocabulary import UNKNOWN
from reports.models import ReportData, SystemReport
from reports.parts.catalogue import Words
from reports.parts.charts import Scale, draw_bar, draw_interval, make_scale
from reports.parts.numbers import format_count, format_number, format_percent
from reports.parts.words import ErrorWords
from reports.site_models import FindingEvidence
from reports.views.site.shots import GalleryView, view_gallery

LEAST = 10  # samples of a value for it to say how far values differ


@dataclass(frozen=True)
class HistogramRow:
    """One range of errors: the shares of the samples inside and outside."""

    name: str
    inside: str
    inside_bar: Markup
    outside: str
    outside_bar: Markup


@dataclass(frozen=True)
class FurtherRow:
    """One value of a further attribute within the slice. outside: the same value elsewhere."""

    value: str
    n: str
    error: str
    chart: Markup
    interval: str
    outside: str


@dataclass(frozen=True)
class EvidenceView:
    """What a finding's page shows below its card. ids: the file of its samples, "" without."""

    galleries: list[GalleryView]
    histogram: list[HistogramRow]
    others: list[tuple[str, list[FurtherRow]]]
    sql: str
    ids: str
    ids_note: str


def view_evidence(
    evidence: FindingEvidence,
    system: SystemReport,
    data: ReportData,
    words: Words,
    *,
    mean: float | None,
    ids: str,
) -> EvidenceView:
    """Word and draw the evidence of a finding.

    mean: its mean error. ids: address of the file of its samples.
    """
    errors = ErrorWords(system.metric, system.share, success=system.mostly_wrong, text=words)
    galleries = {"failing": evidence.failing, "passing": evidence.passing, "near": evidence.near}
    known = len(evidence.sample_ids)
    counts = {"count": format_count(known), "n": format_count(evidence.n)}
    return EvidenceView(
        galleries=[
            view_gallery(f"gallery.{kind}", shots, words, errors=errors)
            for kind, shots in galleries.items()
            if shots or kind != "near"
        ],
        histogram=_view_histogram(evidence.histogram, errors),
        others=_view_others(evidence.others, data, system.name, errors, mean),
        sql=write_filter(evidence),
        ids=ids if known else "",
        ids_note=words("evidence.filter_first", **counts) if known < evidence.n else "",
    )


def _view_histogram(histogram: pl.DataFrame, words: ErrorWords) -> list[HistogramRow]:
    scale = make_scale([1.0])
    return [
        HistogramRow(
            name=_name_range(row["low"], row["high"], words),
            inside=format_percent(row["inside"]),
            inside_bar=draw_bar(row["inside"], scale, kind="slice"),
            outside=format_percent(row["outside"]),
            outside_bar=draw_bar(row["outside"], scale, kind="rest"),
        )
        for row in histogram.to_dicts()
    ]


def _name_range(low: float, high: float, words: ErrorWords) -> str:
    if low == high:
        return words.write_outcome(low)
    ends = (format_number(low), format_number(high))
    return words.text.say("{low} to {high}", low=ends[0], high=ends[1])


def _view_others(
    others: pl.DataFrame, data: ReportData, system: str, words: ErrorWords, mean: float | None
) -> list[tuple[str, list[FurtherRow]]]:
    """Return a table for each further attribute, those whose errors differ most first."""
    if others.is_empty():
        return []
    everywhere = {
        (row["attribute"], row["value"]): row
        for row in data.value_errors.filter(pl.col("system") == system).to_dicts()
    }
    ends = [words.turn(v) for c in ("error", "ci_low", "ci_high") for v in others[c].to_list()]
    scale = make_scale([*ends, words.turn(mean)])
    tables = []
    for (name,), own in others.partition_by("attribute", as_dict=True).items():
        telling = own.filter((pl.col("n") >= LEAST) & (pl.col("value") != UNKNOWN))["error"]
        spread = float(telling.max() - telling.min()) if telling.len() > 1 else 0.0  # type: ignore[operator, arg-type]  # of a Float64
        rows = [
            _view_further(row, everywhere.get((name, row["value"])), words, scale, words.turn(mean))
            for row in own.sort(
                pl.col("value") == UNKNOWN, "error", "value", descending=[False, True, False]
            ).to_dicts()
        ]
        tables.append((-spread, str(name), rows))
    return [(name, rows) for _, name, rows in sorted(tables, key=lambda one: one[:2])]


def _view_further(
    row: Mapping[str, Any],
    everywhere: Mapping[str, Any] | None,
    words: ErrorWords,
    scale: Scale,
    mean: float | None,
) -> FurtherRow:
    low, high = row["ci_low"], row["ci_high"]
    if words.success:
        low, high = high, low
    return FurtherRow(
        value=row["value"],
        n=format_count(row["n"]),
        error=words.write_value(row["error"]),
        chart=draw_interval(
            words.turn(row["error"]), words.turn(low), words.turn(high), scale, mark=mean
        ),
        interval="" if low is None else words.write_range(low, high),
        outside=words.write_value(_average_outside(row, everywhere)),
    )


def _average_outside(row: Mapping[str, Any], everywhere: Mapping[str, Any] | None) -> float | None:
    """Return the mean error of a value outside the slice, from that of all and that inside."""
    if everywhere is None or everywhere["error"] is None or everywhere["n"] <= row["n"]:
        return None
    total = everywhere["n"] * everywhere["error"] - row["n"] * row["error"]
    return float(max(total, 0.0) / (everywhere["n"] - row["n"]))


def write_filter(evidence: FindingEvidence) -> str:
    """Write SQL that selects the samples of a finding from a wide export, in DuckDB's dialect."""
    tests = [_write_test(name, values) for name, values in evidence.allowed]
    where = "\n  AND ".join(tests)
    return f"SELECT * FROM 'wide.parquet'\nWHERE {where}" if tests else ""  # noqa: S608 - for the reader; nothing runs it


def _write_test(name: str, values: tuple[str, ...]) -> str:
    column = '"' + name.replace('"', '""') + '"'
    texts = ["'" + value.replace("'", "''") + "'" for value in values]
    return f"{column} = {texts[0]}" if len(texts) == 1 else f"{column} IN ({', '.join(texts)})"

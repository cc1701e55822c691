"""How good the labels are, worded and drawn for the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.tables import IN_USE
from reports.models import LabelQualityReport
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import ReliabilityPoint, draw_reliability
from reports.parts.numbers import format_count, format_number, format_percent

METHODS = {  # in the order of the columns
    "naive": "First prompt alone",
    "mean": "Mean of prompts",
    "probability": "Mean probability",
    "max": "Best prompt",
    "mixture": "Scores alone",
    "probe": "Probe",
}


@dataclass(frozen=True)
class Cell:
    """A share and its interval, both as text."""

    value: str
    interval: str


@dataclass(frozen=True)
class MethodRow:
    """One attribute: the accuracy of each method, empty where a method does not apply."""

    name: str
    judged: str
    methods: list[str]
    in_use: Cell
    abstention: str
    kappa: str


@dataclass(frozen=True)
class ValueRow:
    """One value of the labels in use."""

    value: str
    true: str
    labelled: str
    shares: list[Cell]  # precision, recall, F1


@dataclass(frozen=True)
class Diagram:
    """The reliability diagram of one attribute."""

    name: str
    chart: Markup
    fit: str
    before: str
    after: str


@dataclass(frozen=True)
class LearningRow:
    """One attribute: which share a probe labels right, by the checks of a value; "" where few."""

    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class QualityView:
    """The section: methods side by side, values of the labels in use, diagrams, learning curves.

    sizes: checks a value, the columns of `learning`.
    """

    judges: str
    methods: list[str]
    rows: list[MethodRow]
    values: list[tuple[str, list[ValueRow]]]
    diagrams: list[Diagram]
    sizes: list[str]
    learning: list[LearningRow]


def view_label_quality(
    report: LabelQualityReport | None, text: Words = ENGLISH
) -> QualityView | None:
    """Return the section on the quality of labels, None where nothing judges them."""
    if report is None or report.quality.is_empty():
        return None
    whole = report.quality.filter(pl.col("value").is_null())
    methods = [name for name in METHODS if name in set(whole["method"])]
    names = whole["attribute"].unique(maintain_order=True).to_list()
    by_key = {(row["attribute"], row["method"]): row for row in whole.to_dicts()}
    values = report.in_use
    sizes = report.learning["size"].unique().sort().to_list()
    return QualityView(
        judges=text.say(_name_judges(set(whole["judged_by"]))),
        methods=[text.say(METHODS[name]) for name in methods],
        rows=[_view_methods(name, by_key, methods, text) for name in names],
        values=[
            (name, [_view_value(row, text) for row in own.to_dicts()])
            for name in names
            if not (own := values.filter(pl.col("attribute") == name)).is_empty()
        ],
        diagrams=[
            _view_diagram(row, report.reliability, text)
            for row in report.calibration.filter(pl.col("value").is_null()).to_dicts()
        ],
        sizes=[format_count(size) for size in sizes],
        learning=[
            _view_learning(str(name), own, sizes, text)
            for (name,), own in report.learning.group_by("attribute", maintain_order=True)
        ],
    )


def _name_judges(judges: set[str]) -> str:
    if judges == {"truth"}:
        return "true values"
    return "checks by people" if judges == {"checks"} else "true values, or checks by people"


def _view_methods(
    name: str,
    by_key: Mapping[tuple[str, str], Mapping[str, Any]],
    methods: list[str],
    text: Words,
) -> MethodRow:
    own = by_key[name, IN_USE]
    judges = "{n} true values" if own["judged_by"] == "truth" else "{n} checks"
    return MethodRow(
        name=name,
        judged=text.say(judges, n=format_count(own["n"])),
        methods=[
            format_percent(row["accuracy"]) if (row := by_key.get((name, method))) else ""
            for method in methods
        ],
        in_use=_view_share(own, "accuracy", text),
        abstention=format_percent(own["abstention"]),
        kappa=format_number(own["kappa"]),
    )


def _view_value(row: Mapping[str, Any], text: Words) -> ValueRow:
    return ValueRow(
        value=row["value"],
        true=format_count(row["support"]),
        labelled=format_count(row["labelled"]),
        shares=[_view_share(row, name, text) for name in ("precision", "recall", "f1")],
    )


def _view_share(row: Mapping[str, Any], name: str, text: Words) -> Cell:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = ""
    if low is not None:
        interval = text.say("{low} to {high}", low=format_percent(low), high=format_percent(high))
    return Cell(format_percent(row[name]), interval)


def _view_learning(name: str, curve: pl.DataFrame, sizes: list[int], text: Words) -> LearningRow:
    rows = {
        row["size"]: {"right": row["right"], "right_low": row["low"], "right_high": row["high"]}
        for row in curve.to_dicts()
    }
    cells = [
        _view_share(rows[size], "right", text) if size in rows else Cell("", "") for size in sizes
    ]
    return LearningRow(name, cells)


def _view_diagram(row: Mapping[str, Any], reliability: pl.DataFrame, text: Words) -> Diagram:
    own = reliability.filter((pl.col("attribute") == row["attribute"]) & pl.col("value").is_null())
    points = [
        ReliabilityPoint(
            one["predicted"], one["observed"], one["observed_low"], one["observed_high"],
            fitted=one["fit"] != "score",
        )
        for one in own.to_dicts()
    ]  # fmt: skip
    before, after = row["calibration_error"], row["calibration_error_fitted"]
    return Diagram(
        name=row["attribute"],
        chart=draw_reliability(
            points,
            label=text.say(
                "{name}: share right over the score; scores are off by {before} on average, fitted "
                "probabilities by {after}",
                name=row["attribute"],
                before=format_percent(before),
                after=format_percent(after),
            ),
        ),
        fit=row["fit"],
        before=format_percent(before),
        after=format_percent(after),
    )

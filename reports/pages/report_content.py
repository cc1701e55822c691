"""The views of one audit, as the templates of the one page and of the site name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from pipeline.vocabulary import MODELLED, NOT_JUDGED, UNCLEAR
from reports.models import ReportData, SystemReport
from reports.parts.numbers import format_count, format_percent
from reports.parts.words import SOURCES, STATES, write_samples
from reports.views.attributes import show_perceived, view_attributes
from reports.views.domain import view_domain
from reports.views.fairness import view_fairness
from reports.views.findings import FindingView, SystemView, view_system
from reports.views.label_quality import view_label_quality
from reports.views.maps import MapView, view_map
from reports.views.outputs import view_outputs
from reports.views.trusting.trust import view_trust

SHOWN_REJECTS = 200  # rows written out; the counts by reason hold all of them


@dataclass(frozen=True)
class Source:
    """Where the labels of one attribute in a finding came from, and their precision if known."""

    attribute: str
    value: str
    words: str
    precision: str


def collect_content(data: ReportData) -> dict[str, Any]:
    """Return the views of `data` by the names that the templates know them by."""
    modelled = {one.name for one in data.attributes if one.source in MODELLED}
    systems = [
        view_system(system, index=index, modelled=modelled)
        for index, system in enumerate(data.systems, 1)
    ]
    trust = view_trust(data.trust)
    return {
        "data": data,
        "systems": systems,
        "all_outputs": {system.name: view_outputs(system) for system in data.systems},
        "states": _list_states(data.systems),
        "unclear": UNCLEAR,
        "not_judged": NOT_JUDGED,
        "sources": _list_sources(data),
        "say_sources": _say_sources,
        "perceived": show_perceived(data.attributes)
        or any(report.perceived for report in data.fairness),
        "fairness": view_fairness(data),
        "domain": view_domain(data),
        "sample_plural": f"{data.sample_kind}s",
        "attributes": view_attributes(data),
        "quality": view_label_quality(data.label_quality),
        "maps": _view_maps(data, systems),
        "trust": trust,
        "warn_trust": partial(_warn_trust, trust.notes if trust else {}),
        "rejects": data.rejects.head(SHOWN_REJECTS).to_dicts(),
        "reasons": _count_reasons(data.rejects),
        "samples": write_samples(data.samples, kind=data.sample_kind),
    }


def name_page(data: ReportData) -> str:
    """Return the title of a report."""
    limited = "" if data.limit is None else f" (the first {data.limit:,} alone)"
    return f"{data.name}: where it fails{limited}"


def _view_maps(data: ReportData, systems: Sequence[SystemView]) -> list[MapView]:
    anchors = {system.name: {one.rank: one.anchor for one in system.findings} for system in systems}
    return [
        view_map(report, anchor=f"map-{number}", anchors=anchors.get(report.system, {}))
        for number, report in enumerate(data.maps, 1)
    ]


def _list_states(systems: Sequence[SystemReport]) -> list[tuple[str, str]]:
    """Return the states that occur, strictest first, each with what it means."""
    found = {state for system in systems for state in system.findings["state"].to_list()}
    return [(state, meaning) for state, meaning in STATES.items() if state in found]


def _list_sources(data: ReportData) -> dict[str, tuple[str, dict[str, str]]]:
    """Return for each attribute the words for its source and, by value, the measured precision."""
    precision: dict[str, dict[str, str]] = {}
    if data.label_quality is not None:
        for row in data.label_quality.in_use.drop_nulls("precision").to_dicts():
            precision.setdefault(row["attribute"], {})[row["value"]] = format_percent(
                row["precision"]
            )
    return {
        attribute.name: (
            SOURCES[attribute.source],
            precision.get(attribute.name, {}) if attribute.source in MODELLED else {},
        )
        for attribute in data.attributes
    }


def _say_sources(
    finding: FindingView, sources: Mapping[str, tuple[str, Mapping[str, str]]]
) -> list[Source]:
    """Say for each attribute of a finding where its labels came from."""
    said = []
    for predicate in finding.predicates:
        attribute, value = predicate["attribute"], predicate["value"]
        words, precision = sources.get(attribute, ("from a source that was not recorded", {}))
        said.append(Source(attribute, value, words, precision.get(value, "")))
    return said


def _warn_trust(notes: Mapping[str, str], finding: FindingView) -> list[str]:
    """Return the sentences on endangered attributes that a finding rests on."""
    names = dict.fromkeys(predicate["attribute"] for predicate in finding.predicates)
    return [notes[name] for name in names if name in notes]


def _count_reasons(rejects: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return (stage, reason, count) of the rejects, most frequent first."""
    counted = (
        rejects.group_by("stage", "reason")
        .len()
        .sort(["len", "stage", "reason"], descending=[True, False, False])
    )
    return [(row["stage"], row["reason"], format_count(row["len"])) for row in counted.to_dicts()]

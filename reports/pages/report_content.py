"""The views of one audit, as the templates of the one page and of the site name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from pipeline.vocabulary import MODELLED, NOT_JUDGED, UNCLEAR
from reports.models import ReportData, SystemReport
from reports.parts.catalogue import ENGLISH, Words
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


def collect_content(data: ReportData, text: Words = ENGLISH) -> dict[str, Any]:
    """Return the views of `data` by the names that the templates know them by."""
    modelled = {one.name for one in data.attributes if one.source in MODELLED}
    systems = [
        view_system(system, index=index, modelled=modelled, text=text)
        for index, system in enumerate(data.systems, 1)
    ]
    trust = view_trust(data.trust, text)
    return {
        "data": data,
        "systems": systems,
        "all_outputs": {system.name: view_outputs(system, text) for system in data.systems},
        "states": _list_states(data.systems, text),
        "unclear": UNCLEAR,
        "not_judged": NOT_JUDGED,
        "sources": _list_sources(data, text),
        "say_sources": partial(_say_sources, text=text),
        "perceived": show_perceived(data.attributes)
        or any(report.perceived for report in data.fairness),
        "fairness": view_fairness(data, text),
        "domain": view_domain(data, text),
        "sample_plural": text.say(f"{data.sample_kind}s"),
        "sample_kind": text.say(data.sample_kind),
        "attributes": view_attributes(data, text),
        "quality": view_label_quality(data.label_quality, text),
        "maps": _view_maps(data, systems, text),
        "trust": trust,
        "warn_trust": partial(
            _warn_trust, trust.notes if trust else {}, _place_text(data, systems)
        ),
        "rejects": data.rejects.head(SHOWN_REJECTS).to_dicts(),
        "reasons": _count_reasons(data.rejects),
        "samples": write_samples(data.samples, kind=data.sample_kind, text=text),
    }


def name_page(data: ReportData, text: Words = ENGLISH) -> str:
    """Return the title of a report."""
    if data.limit is None:
        return text.say("{name}: where it fails", name=data.name)
    words = "{name}: where it fails (the first {n} alone)"
    return text.say(words, name=data.name, n=format_count(data.limit))


def _view_maps(data: ReportData, systems: Sequence[SystemView], text: Words) -> list[MapView]:
    anchors = {system.name: {one.rank: one.anchor for one in system.findings} for system in systems}
    return [
        view_map(
            report,
            anchor=f"map-{number}",
            anchors=anchors.get(report.system, {}),
            text=text,
        )
        for number, report in enumerate(data.maps, 1)
    ]


def _list_states(systems: Sequence[SystemReport], text: Words) -> list[tuple[str, str]]:
    """Return the states that occur, strictest first, each with what it means."""
    found = {state for system in systems for state in system.findings["state"].to_list()}
    return [(state, text.say(meaning)) for state, meaning in STATES.items() if state in found]


def _list_sources(data: ReportData, text: Words) -> dict[str, tuple[str, dict[str, str]]]:
    """Return for each attribute the words for its source and, by value, the measured precision."""
    precision: dict[str, dict[str, str]] = {}
    if data.label_quality is not None:
        for row in data.label_quality.in_use.drop_nulls("precision").to_dicts():
            precision.setdefault(row["attribute"], {})[row["value"]] = format_percent(
                row["precision"]
            )
    return {
        attribute.name: (
            text.say(SOURCES[attribute.source]),
            precision.get(attribute.name, {}) if attribute.source in MODELLED else {},
        )
        for attribute in data.attributes
    }


def _say_sources(
    finding: FindingView,
    sources: Mapping[str, tuple[str, Mapping[str, str]]],
    *,
    text: Words,
) -> list[Source]:
    """Say for each attribute of a finding where its labels came from."""
    said = []
    for predicate in finding.predicates:
        attribute, value = predicate["attribute"], predicate["value"]
        unknown = text.say("from a source that was not recorded")
        words, precision = sources.get(attribute, (unknown, {}))
        said.append(Source(attribute, value, words, precision.get(value, "")))
    return said


def _warn_trust(
    notes: Mapping[str, str], texts: Mapping[str, str], finding: FindingView
) -> list[str]:
    """Return the sentences on endangered attributes that a finding rests on, and on its text."""
    names = dict.fromkeys(predicate["attribute"] for predicate in finding.predicates)
    own = [texts[finding.anchor]] if finding.anchor in texts else []
    return [*(notes[name] for name in names if name in notes), *own]


def _place_text(data: ReportData, systems: Sequence[SystemView]) -> dict[str, str]:
    """Return by the anchor of a finding that its images carry more text than the rest."""
    found = data.trust.text_findings if data.trust else {}
    return {
        finding.anchor: found[system.name, finding.rank]
        for system in systems
        for finding in system.findings
        if (system.name, finding.rank) in found
    }


def _count_reasons(rejects: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return (stage, reason, count) of the rejects, most frequent first."""
    counted = (
        rejects.group_by("stage", "reason")
        .len()
        .sort(["len", "stage", "reason"], descending=[True, False, False])
    )
    return [(row["stage"], row["reason"], format_count(row["len"])) for row in counted.to_dicts()]

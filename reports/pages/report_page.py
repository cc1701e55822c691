"""The page: views of one audit put into the templates."""

import base64
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.models import ReportData, SystemReport, check_report_data
from reports.parts.numbers import format_count, format_percent, format_seconds, format_time
from reports.parts.words import SOURCES, STATES, find_relation, write_samples
from reports.views.attributes import show_perceived, view_attributes, view_quality
from reports.views.domain import view_domain
from reports.views.fairness import view_fairness
from reports.views.findings import FindingView, view_system

SHOWN_REJECTS = 200  # rows written out; the counts by reason hold all of them
_TEMPLATES = Path(__file__).parents[1] / "templates"
# Characters that HTML forbids: controls, and halves of pairs from undecodable file names.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Source:
    """Where the labels of one attribute in a finding came from, and their precision if known."""

    attribute: str
    value: str
    words: str
    precision: str


def build_report(data: ReportData) -> str:
    """Return one self-contained HTML page.

    It refers to nothing outside itself, holds no script, and shows every text of `data` escaped.
    Raises TableError if a frame lacks a column.
    """
    check_report_data(data)
    style = _read_style()
    systems = [view_system(system, index=index) for index, system in enumerate(data.systems, 1)]
    page = (
        _make_environment()
        .get_template("page.html")
        .render(
            data=data,
            style=Markup(style),  # noqa: S704 - our own file, not data
            style_hash=_hash_style(style),
            systems=systems,
            states=_list_states(data.systems),
            sources=_list_sources(data),
            perceived=show_perceived(data.attributes)
            or any(report.perceived for report in data.fairness),
            fairness=view_fairness(data),
            domain=view_domain(data),
            sample_plural=f"{data.sample_kind}s",
            attributes=view_attributes(data),
            quality=view_quality(data),
            rejects=data.rejects.head(SHOWN_REJECTS).to_dicts(),
            reasons=_count_reasons(data.rejects),
            samples=write_samples(data.samples, kind=data.sample_kind),
        )
    )
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", page)


@functools.cache
def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=format_count,
        percent=format_percent,
        seconds=format_seconds,
        moment=format_time,
        upper_first=_upper_first,
    )
    environment.globals.update(say_sources=_say_sources, relation=find_relation)
    return environment


def _upper_first(text: str) -> str:
    """Begin a sentence; names further in keep their case."""
    return text[:1].upper() + text[1:]


@functools.cache
def _read_style() -> str:
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash_style(style: str) -> str:
    """Return the style's hash as a Content-Security-Policy names it."""
    digest = hashlib.sha256(style.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _list_states(systems: Sequence[SystemReport]) -> list[tuple[str, str]]:
    """Return the states that occur, strictest first, each with what it means."""
    found = {state for system in systems for state in system.findings["state"].to_list()}
    return [(state, meaning) for state, meaning in STATES.items() if state in found]


def _list_sources(data: ReportData) -> dict[str, tuple[str, dict[str, str]]]:
    """Return for each attribute the words for its source and, by value, the measured precision."""
    precision: dict[str, dict[str, str]] = {}
    if data.value_quality is not None:
        for row in data.value_quality.drop_nulls("precision").to_dicts():
            precision.setdefault(row["attribute"], {})[row["value"]] = format_percent(
                row["precision"]
            )
    return {
        attribute.name: (
            SOURCES[attribute.source],
            precision.get(attribute.name, {}) if attribute.source in ("zero-shot", "probe") else {},
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


def _count_reasons(rejects: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return (stage, reason, count) of the rejects, most frequent first."""
    counted = (
        rejects.group_by("stage", "reason")
        .len()
        .sort(["len", "stage", "reason"], descending=[True, False, False])
    )
    return [(row["stage"], row["reason"], format_count(row["len"])) for row in counted.to_dicts()]

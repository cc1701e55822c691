"""The index: findings on one shared axis, and what to do next."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.vocabulary import UNCLEAR
from reports.models import ReportData, SystemReport
from reports.parts.catalogue import Words
from reports.parts.charts import Scale, draw_interval, make_scale
from reports.parts.numbers import format_count, format_percent
from reports.parts.words import ErrorWords, Predicates
from reports.site_models import FindingEvidence, SiteData
from reports.views.findings import FindingView, SystemView

SHOWN_FINDINGS = 15  # of one system on the index
LOOK_AT = 3  # findings and rows named in each list of what to do next


@dataclass(frozen=True)
class OverviewRow:
    """One finding. numbers: what its cells sort by, in the order of the columns."""

    finding: FindingView
    chart: Markup
    gap: str
    interval: str
    reliability: str
    share: str
    covered: str
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Overview:
    """The findings of one system. ticks: of the axis, left to right. covers: a sentence."""

    system: SystemView
    rows: list[OverviewRow]
    ticks: list[str]
    covers: str
    more: str
    states: list[str]


@dataclass(frozen=True)
class NextStep:
    """One thing to do: a slice, words on it, a command or a finding to open."""

    predicates: Predicates
    words: str = ""
    command: str = ""
    anchor: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class NextSteps:
    """What to do next, each list most useful first."""

    look: list[NextStep]
    check: list[NextStep]
    collect: list[NextStep]


def view_overviews(
    site: SiteData, systems: list[SystemView], words: Words, *, modelled: Collection[str]
) -> list[Overview]:
    """Return for each system that has findings those at the head of the index.

    systems: in the order of `site.report.systems`. modelled: attributes whose labels a model made.
    """
    pairs = zip(site.report.systems, systems, strict=True)
    return [
        _view_system(report, view, site, words, modelled) for report, view in pairs if view.findings
    ]


def _view_system(
    report: SystemReport,
    view: SystemView,
    site: SiteData,
    words: Words,
    modelled: Collection[str],
) -> Overview:
    rows = {row["rank"]: row for row in report.findings.to_dicts()}
    shown = view.findings[:SHOWN_FINDINGS]
    gaps = [_turn_gap(rows[one.rank], view.words) for one in shown]
    scale = make_scale(value for gap in gaps for value in gap)
    evidence = [site.findings.get((report.name, one.rank)) for one in shown]
    more = len(view.findings) - len(shown)
    ends = (scale.low, (scale.low + scale.high) / 2, scale.high)
    return Overview(
        system=view,
        rows=[
            _view_row(one, gap, known, scale, view.words, words, rows[one.rank], modelled)
            for one, gap, known in zip(shown, gaps, evidence, strict=True)
        ],
        ticks=[_write_tick(end, view.words) for end in ends],
        covers=_say_covered(evidence, words),
        more=words("overview.more", count=format_count(more)) if more else "",
        states=list(dict.fromkeys(one.state for one in shown)),
    )


def _turn_gap(
    row: Mapping[str, Any], words: ErrorWords
) -> tuple[float | None, float | None, float | None]:
    """Return the difference and the ends of its interval, of success rates turned."""
    gap, low, high = row["difference"], row["ci_low"], row["ci_high"]
    if not words.success:
        return gap, low, high
    turned = [None if value is None else -value for value in (gap, high, low)]
    return turned[0], turned[1], turned[2]


def _write_tick(value: float, words: ErrorWords) -> str:
    return words.write_bound(-value if words.success else value)


def _view_row(
    finding: FindingView,
    gap: tuple[float | None, float | None, float | None],
    evidence: FindingEvidence | None,
    scale: Scale,
    words: ErrorWords,
    text: Words,
    row: Mapping[str, Any],
    modelled: Collection[str],
) -> OverviewRow:
    ends = (row["ci_high"], row["ci_low"]) if words.success else (row["ci_low"], row["ci_high"])
    known = ends[0] is not None or ends[1] is not None
    share = evidence.error_share if evidence else None
    covered = evidence.covered_errors if evidence else None
    precision = row["label_precision"]
    return OverviewRow(
        finding=finding,
        chart=draw_interval(*gap, scale),
        gap=words.write_difference(row["difference"]),
        interval=words.write_bounds(*ends) if known else "",
        reliability=_write_reliability(finding, precision, text, modelled),
        share=format_percent(share),
        covered=format_percent(covered),
        numbers=(
            finding.rank, row["n"] or 0, row["difference"] or 0.0,
            words.turn(row["error"]) or 0.0, -1.0 if precision is None else precision,
            share or 0.0, covered or 0.0,
        ),
    )  # fmt: skip


def _write_reliability(
    finding: FindingView, precision: float | None, text: Words, modelled: Collection[str]
) -> str:
    """Write the share of the labels of a slice that are right, or why there is none."""
    if precision is not None:
        return format_percent(precision)
    predicted = any(one["attribute"] in modelled for one in finding.predicates)
    return text("overview.unchecked" if predicted else "overview.not_modelled")


def _say_covered(evidence: list[FindingEvidence | None], words: Words) -> str:
    last = evidence[-1]
    if last is None or last.covered_errors is None:
        return ""
    return words(
        "overview.covers_one" if len(evidence) == 1 else "overview.covers",
        count=len(evidence),
        errors=format_percent(last.covered_errors),
        samples=format_percent(last.covered_samples),
    )


def view_next_steps(site: SiteData, systems: list[SystemView], words: Words) -> NextSteps:
    """Return what to do next by what the report knows; each list may be empty."""
    names = [report.name for report in site.report.systems]
    pairs = list(zip(names, systems, strict=True))
    return NextSteps(
        look=[
            _look_at(one, site.findings.get((name, one.rank)), words)
            for name, view in pairs
            for one in view.findings[:LOOK_AT]
        ],
        check=[step for name, view in pairs for step in _list_checks(name, view, site, words)],
        collect=_list_collect(site.report, words),
    )


def _look_at(finding: FindingView, evidence: FindingEvidence | None, words: Words) -> NextStep:
    shots = () if evidence is None else evidence.failing
    return NextStep(
        finding.predicates,
        words("next.look_item", n=finding.n, error=finding.error),
        anchor=finding.anchor,
        pictures=tuple(shot.picture for shot in shots[:LOOK_AT] if shot.picture),
    )


def _list_checks(name: str, view: SystemView, site: SiteData, words: Words) -> list[NextStep]:
    steps = []
    several = f' --system "{name}"' if len(site.report.systems) > 1 else ""
    for one in view.findings:
        needed = one.correction.needed if one.correction else ""
        if not needed and not one.unchecked and one.state != UNCLEAR:
            continue
        said = words("next.check_needed", needed=needed) if needed else ""
        command = f"weakspot check-labels AUDIT.toml --finding {one.rank}{several}"
        steps.append(
            NextStep(
                one.predicates, said or words("next.check_unknown"), command, anchor=one.anchor
            )
        )
    steps = steps[:LOOK_AT]
    if view.worth:
        flags = "".join(f" --attribute {attribute}" for attribute in view.worth_attributes)
        command = f"weakspot check-labels AUDIT.toml{flags}"
        steps.append(
            NextStep((), words("next.check_worth"), command, anchor=f"{view.anchor}-worth")
        )
    return steps


def _list_collect(data: ReportData, words: Words) -> list[NextStep]:
    if data.domain is None:
        return []
    rows = data.domain.collect_next.head(LOOK_AT).to_dicts()
    return [
        NextStep(
            row["predicates"],
            words("next.collect_item", count=format_count(row["missing"] or 0)),
            anchor="domain",
        )
        for row in rows
    ]

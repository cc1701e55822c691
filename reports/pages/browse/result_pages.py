"""Regions, groups, runs and their comparison as pages."""

from collections.abc import Mapping, Sequence

from reports.browse_models import Predicate, SystemItem
from reports.pages.browse.addresses import address_comparison, address_samples
from reports.pages.browse.evidence_words import make_words
from reports.pages.browse.table_page import Cell, TableSection, build_table_page
from reports.parts.numbers import (
    format_count,
    format_number,
    format_percent,
    format_probability,
    format_time,
)
from reports.parts.words import ErrorWords, write_predicates
from reports.result_models import (
    GroupItem,
    GroupList,
    RegionItem,
    RegionList,
    RunComparison,
    RunItem,
    RunList,
)

_PICTURES = 8  # of a region
_RECENT = 30  # runs that comparisons are offered of


def build_regions_page(data: RegionList, systems: Sequence[SystemItem], *, name: str) -> str:
    """Return the page of weak regions."""
    words = {one.name: make_words(one) for one in systems}
    return build_table_page(
        [_view_region(one, words.get(one.system)) for one in data.regions],
        name=name,
        title="Weak regions",
        here="/regions",
        intro="Regions of the embedding space in which a system fails more than its findings "
        "explain. They were found by search and tested by permutation.",
        empty="None were searched here. `weakspot regions AUDIT.toml` searches them, or [regions] "
        "in audit.toml.",
    )


def _view_region(one: RegionItem, words: ErrorWords | None) -> TableSection:
    write = words.write_value if words else format_number
    values = "; ".join(f"{p.attribute} = {p.value}" for p in one.values)
    held = f" Held out: {write(one.holdout_error)}." if one.holdout_error is not None else ""
    said = ", ".join(one.words) or "no words"
    first = next(iter(one.failing or one.typical), "")
    return TableSection(
        title=f"{one.system}, region {one.rank}: {said}",
        heads=(),
        rows=(),
        notes=(
            f"Error {write(one.error)} of {format_count(one.n)} samples, "
            f"{write(one.expected_error)} expected by the findings; {one.state}.{held}",
            *([f"More often than elsewhere: {values}"] if values else []),
        ),
        pictures=(one.failing or one.typical)[:_PICTURES],
        anchor=f"region-{one.rank}-{first}" if first else "",
    )


def build_groups_page(data: GroupList, systems: Sequence[SystemItem], *, name: str) -> str:
    """Return the page of groups and gates."""
    words = {one.name: make_words(one) for one in systems}
    keys = dict.fromkeys((one.system, one.labels, one.metric) for one in data.groups)
    sections = [
        TableSection(
            title=f"{system}: {metric}, by {labels} attributes",
            heads=("Group", "n", "Value", "Rest", "Difference", "State", "Gate"),
            rows=[
                _view_group(one, words.get(system))
                for one in data.groups
                if (one.system, one.labels, one.metric) == (system, labels, metric)
            ],
        )
        for system, labels, metric in keys
    ]
    verdicts = "; ".join(f"{system}: {verdict}" for system, verdict in data.verdicts.items())
    return build_table_page(
        sections,
        name=name,
        title="Groups and gates",
        here="/groups",
        intro=f"Gates: {verdicts}." if verdicts else "",
        empty="No groups were compared here. Mark an attribute sensitive, or name some in "
        "[fairness].",
    )


def _view_group(one: GroupItem, words: ErrorWords | None) -> list[Cell]:
    own = words if one.metric == "error" else None
    write = own.write_value if own else format_number
    difference = own.write_difference if own else format_number
    bound = own.write_bound if own else format_number
    address = address_samples(where=one.where, system=one.system) if one.where else ""
    return [
        Cell(_say(one.predicates), address),
        Cell(format_count(one.n), number=True),
        Cell(write(one.value), under=_range(write, one.low, one.high), number=True),
        Cell(write(one.rest_value), number=True),
        Cell(
            difference(one.difference),
            under=_range(bound, one.difference_low, one.difference_high),
            number=True,
        ),
        Cell(one.state or "", badge=True),
        Cell(one.gate or ""),
    ]


def build_runs_page(data: RunList, *, name: str) -> str:
    """Return the page of runs, with the way to a comparison of each with the one before."""
    searched = [one for one in data.runs if one.systems]
    rows = []
    for place, one in enumerate(data.runs):
        before = next((other for other in data.runs[place + 1 :] if other.systems), None)
        rows.append(_view_run(one, before if one.systems else None))
    links = [
        (address_comparison(one.run_id, searched[0].run_id),
         f"Compare the last run with {one.run_id}")
        for one in searched[1:_RECENT]
    ]  # fmt: skip
    section = TableSection(
        title=f"{len(data.runs):,} runs",
        heads=("Run", "Started", "Systems", "Findings", "Compared with the one before"),
        rows=rows,
    )
    return build_table_page(
        [section] if rows else [], name=name, title="Runs", here="/runs",
        empty="No run is noted here.", links=links,
    )  # fmt: skip


def _view_run(one: RunItem, before: RunItem | None) -> list[Cell]:
    limit = f"the first {one.limit:,} samples alone" if one.limit else ""
    systems = "; ".join(f"{s.system}: {format_number(s.error)} of {s.n:,}" for s in one.systems)
    return [
        Cell(one.run_id, under=limit),
        Cell(format_time(one.started_at)),
        Cell(systems or "did not search"),
        Cell(format_count(sum(s.findings for s in one.systems)), number=True),
        Cell("compare", address_comparison(before.run_id, one.run_id)) if before else Cell(""),
    ]


def build_run_comparison_page(data: RunComparison, *, name: str) -> str:
    """Return the page of two runs compared."""
    rows = [
        [
            Cell(_say(one.predicates)),
            Cell(one.verdict, badge=True),
            Cell("" if one.n_after is None else format_count(one.n_after), number=True),
            Cell(f"{format_number(one.error_before)} then {format_number(one.error_after)}"),
            Cell(
                format_number(one.gap_change),
                under=_range(format_number, one.gap_change_low, one.gap_change_high),
                number=True,
            ),
            Cell(format_probability(one.p_holm), number=True),
        ]
        for one in data.changes
    ]
    section = TableSection(
        title=f"{data.before} and {data.after}",
        heads=("Slice", "Change", "n", "Error", "Change of its gap", "p, Holm"),
        rows=rows,
        notes=(
            f"Mean error {format_number(data.error_before)}, then "
            f"{format_number(data.error_after)}: change {format_number(data.change)} "
            f"({_range(format_number, data.change_low, data.change_high)}), "
            f"{data.shared_images:,} images in both.",
            "Intervals know how slices were picked.",
        ),
    )
    return build_table_page([section], name=name, title="Two runs", here="/runs")


def _say(predicates: Sequence[Predicate]) -> str:
    named: list[Mapping[str, str]] = [
        {"attribute": one.attribute, "value": one.value} for one in predicates
    ]
    return write_predicates(named)


def _range(write: object, low: float | None, high: float | None) -> str:
    if low is None or high is None or not callable(write):
        return ""
    return f"{write(low)} to {write(high)}"


def write_share(share: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """Return a share and its interval in words, both empty where it is not known."""
    if share is None:
        return "", ""
    return format_percent(share), _range(format_percent, low, high)

"""What the site shows of findings and attributes, gathered from the workspace."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from flows.run.resolved_audit import ResolvedAudit
from flows.stages.reporting.finding_numbers import (
    ErrorBins,
    Shares,
    bin_errors,
    share_errors,
    spread_errors,
)
from flows.stages.reporting.near_samples import NOTHING, NearSamples, find_near, open_vectors
from flows.stages.reporting.pictures.picked_samples import (
    NOT_PICKED,
    SHOWN,
    Mask,
    Picked,
    Turns,
    pick_contrast,
)
from flows.stages.reporting.pictures.scene_boxes import find_images, read_box
from flows.stages.reporting.shown_labels import (
    count_scores,
    pick_certain,
    pick_unknown,
    spread_numbers,
)
from flows.stages.reporting.shown_samples import ShownSamples, prepare_samples
from pipeline.arrays import Ints
from pipeline.coverage.coded_values import CodedValues, average_values
from pipeline.predicates import read_predicate
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store
from reports.models import ReportData, SystemReport
from reports.site_models import AttributeEvidence, FindingEvidence, Shot, SiteData

PICTURED = 60  # findings of a system that have samples on their pages
MAX_IDS = 100_000  # samples in the file of a finding
Picks = tuple[list[str], list[str], list[str]]  # most certain, least certain, unknown


@dataclass(frozen=True, eq=False)
class SearchSources:
    """What was read for the page and serves the site as well.

    tables: of each system what was searched. samples: SAMPLES. columns: the labels searched. false:
    of each system the FALSE_DETECTIONS to show. coded: the tables as codes.
    """

    tables: Mapping[str, SearchTable]
    samples: pl.DataFrame
    columns: Sequence[LabelColumn]
    encoder_id: str | None
    coded: Mapping[str, CodedValues]
    false: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Chosen:
    """A finding, and the rows of the search table that its galleries show."""

    system: str
    rank: int
    evidence: FindingEvidence
    picked: Picked = NOT_PICKED
    near: NearSamples = NOTHING

    @property
    def rows(self) -> list[int]:
        return [*self.picked.failing, *self.picked.passing, *self.near.rows]


def gather_site(
    resolved: ResolvedAudit, store: Store, data: ReportData, sources: SearchSources
) -> SiteData:
    """Return what the site of a report shows.

    Raises ConfigError where faces are to be blurred and no detector of faces is installed.
    """
    asked = resolved.audit.report
    chosen = [one for system in data.systems for one in _choose(system, sources, store)]
    picks = {one.attribute: _pick_certain(one, store) for one in sources.columns}
    wanted = {sources.tables[one.system].sample_ids[row] for one in chosen for row in one.rows}
    wanted |= {key for own in picks.values() for keys in own for key in keys}
    false = {name: find_images(own, sources.samples) for name, own in sources.false.items()}
    wanted |= {row["sample_id"] for rows in false.values() for row in rows}
    shown = prepare_samples(resolved, store, sources.samples, sources.columns, wanted)
    return SiteData(
        report=data,
        findings={
            (one.system, one.rank): _fill(one, sources.tables[one.system], shown) for one in chosen
        },
        attributes={
            one.attribute: _describe(
                one, picks[one.attribute], resolved, store, shown, sources.samples
            )
            for one in sources.columns
        },
        false_detections={name: _show_false(name, rows, shown) for name, rows in false.items()},
        pictures=shown.album.files,
        thumbnails=asked.thumbnails,
        file_names=asked.names_files,
        language=asked.language,
    )


def _show_false(
    system: str, rows: Sequence[Mapping[str, Any]], shown: ShownSamples
) -> dict[str, tuple[Shot, ...]]:
    """Return for each kind the images with a false detection of it, the best scores first."""
    shots: dict[str, tuple[Shot, ...]] = {}
    for row in rows:
        one = shown.show(row["sample_id"], (), system=system, box=read_box(row))
        shots[row["kind"]] = (*shots.get(row["kind"], ()), one)
    return shots


def _choose(system: SystemReport, sources: SearchSources, store: Store) -> list[_Chosen]:
    """Return the findings of a system, in rank order, with the rows to show."""
    table = sources.tables[system.name]
    errors = table.errors.to_numpy()
    rows = system.findings.sort("rank").to_dicts()
    coded = sources.coded[system.name]
    found: list[Ints] = []  # of the findings that have pictures; of the others one at a time

    def find() -> Iterator[Ints]:
        for row in rows:
            own = coded.find_rows(row["predicates"])
            if len(found) < PICTURED:
                found.append(own)
            yield own

    chosen = [
        _Chosen(system.name, row["rank"], _measure(table, row["predicates"], shares))
        for row, shares in zip(rows, share_errors(find(), errors), strict=True)
    ]
    turns, bins = Turns(table.cluster_ids), bin_errors(errors)
    pictured = [
        replace(
            one,
            picked=pick_contrast(own, errors, turns),
            evidence=_detail(one.evidence, table, coded, own, bins),
        )
        for one, own in zip(chosen[:PICTURED], found, strict=True)
    ]
    near = _find_near(pictured, found, table, sources, store, turns)
    return [replace(one, near=own) for one, own in zip(pictured, near, strict=True)] + chosen[
        PICTURED:
    ]


def _measure(
    table: SearchTable,
    predicates: Sequence[Mapping[str, str]],
    shares: Shares,
) -> FindingEvidence:
    own, samples, covered, covered_samples = shares
    return FindingEvidence(
        error_share=own,
        sample_share=samples,
        covered_errors=covered,
        covered_samples=covered_samples,
        n=round(samples * len(table.errors)),
        allowed=tuple(
            (
                one["attribute"],
                read_predicate(one["value"], table.orders.get(one["attribute"], ())),
            )
            for one in predicates
        ),
    )


def _detail(
    evidence: FindingEvidence, table: SearchTable, coded: CodedValues, rows: Ints, bins: ErrorBins
) -> FindingEvidence:
    """Add what only the findings with pictures have, which are enough to read."""
    names = [name for name, _ in evidence.allowed]
    return replace(
        evidence,
        histogram=spread_errors(table.errors.to_numpy()[rows], bins),
        others=average_values(coded, system="", rows=rows, leave_out=names),
        sample_ids=table.sample_ids.gather(rows[:MAX_IDS]),
    )


def _find_near(
    chosen: Sequence[_Chosen],
    found: Sequence[Ints],
    table: SearchTable,
    sources: SearchSources,
    store: Store,
    turns: Turns,
) -> list[NearSamples]:
    scan = open_vectors(store, sources.encoder_id) if chosen else None
    if scan is None:
        return [NOTHING] * len(chosen)
    keys = (
        pl.DataFrame({"sample_id": table.sample_ids})
        .join(
            sources.samples.select("sample_id", "content_key"),
            on="sample_id",
            how="left",
            maintain_order="left",
        )
        .get_column("content_key")
    )
    failing = [one.picked.failing for one in chosen]
    inside = [_mask(rows, len(table.errors)) for rows in found]
    return find_near(scan, keys, failing, inside, turns)


def _mask(rows: Ints, n: int) -> Mask:
    inside = np.zeros(n, np.bool_)
    inside[rows] = True
    return inside


def _fill(one: _Chosen, table: SearchTable, shown: ShownSamples) -> FindingEvidence:
    """Add the galleries."""
    names = {name for name, _ in one.evidence.allowed}
    errors = table.errors.to_numpy()
    likeness = dict(zip(one.near.rows, one.near.similarities, strict=True))

    def show(rows: Sequence[int]) -> tuple[Shot, ...]:
        return tuple(
            shown.show(
                table.sample_ids[row],
                names,
                system=one.system,
                error=float(errors[row]),
                similarity=likeness.get(row),
            )
            for row in rows
        )

    return replace(
        one.evidence,
        failing=show(one.picked.failing),
        passing=show(one.picked.passing),
        near=show(one.near.rows),
    )


def _pick_certain(column: LabelColumn, store: Store) -> Picks:
    return (
        pick_certain(store, column.label_id, least=False),
        pick_certain(store, column.label_id, least=True),
        pick_unknown(store, column.label_id, count=SHOWN),
    )


def _describe(
    column: LabelColumn,
    picks: Picks,
    resolved: ResolvedAudit,
    store: Store,
    shown: ShownSamples,
    samples: pl.DataFrame,
) -> AttributeEvidence:
    """Return what the page of an attribute shows."""
    asked = next((one for one in resolved.attributes if one.name == column.attribute), None)
    prompted = asked is not None and asked.kind == "prompts"
    most, least, unknown = (
        tuple(shown.show(key, {column.attribute}) for key in keys) for keys in picks
    )
    return AttributeEvidence(
        scores=count_scores(store, column.label_id),
        numbers=spread_numbers(store, asked, _list_content(column, samples)),
        most=most,
        least=least,
        unknown=unknown,
        prompts=dict(asked.values) if asked is not None and prompted else {},
        templates=asked.templates if asked is not None and prompted else (),
    )


def _list_content(column: LabelColumn, samples: pl.DataFrame) -> pl.Series:
    """Return the content keys of the samples that carry the labels of a column."""
    of_objects = samples["parent_id"].is_not_null()
    carriers = samples.filter(of_objects) if of_objects.any() and not column.of_image else samples
    if column.of_image:
        carriers = samples.filter(~of_objects)
    return carriers["content_key"]

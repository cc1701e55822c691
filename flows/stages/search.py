"""The slices in which a system does worse, with the evidence for each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from flows.run.logs import LOG
from flows.run.reading.label_truth import join_known_labels, read_truth_of_labels
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTask, call_task
from flows.run.staleness import hash_search, note_inputs, refuse_stale
from flows.stages.judging.label_systems import weigh_judged
from flows.stages.label_probabilities import weigh_by_probes
from pipeline.arrays import Floats
from pipeline.config.audit import SliceSearch
from pipeline.coverage.values import describe_constant
from pipeline.slices.known_labels import KnownLabels
from pipeline.tables import FINDINGS, RESULTS, SLICES, empty
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import (
    LabelManifest,
    SamplesManifest,
    SearchedSystem,
    SearchRecord,
)
from pipeline.workspace.search_table import SearchTable, read_search_table
from pipeline.workspace.store import Store

if TYPE_CHECKING:
    from pipeline.slices import SliceResult


@dataclass(frozen=True)
class Searched:
    """What a run notes of its search, the findings, and the rows of the first system."""

    record: SearchRecord
    findings: pl.DataFrame
    first_table: SearchTable


@dataclass(frozen=True)
class Corrected:
    """REPORTED, the findings of one system; CORRECTIONS of slices that wrong labels hide."""

    findings: pl.DataFrame
    worth_checking: pl.DataFrame


def find_slices(
    resolved: ResolvedAudit, store: Store, run_id: str, *, run_task: RunTask = call_task
) -> Searched:
    """Search every system's errors; keep the counted families and the findings.

    Findings by labels of a model are kept beside their corrections for wrong labels, and slices
    that these hide as `worth_checking`. Raises SearchError when labels or errors are not those that
    the audit asks for now.
    """
    audit = resolved.audit
    samples = store.read_samples()
    refuse_stale(resolved, store)
    manifest = LabelManifest.read(store.folder)
    columns, left_out = choose_columns(
        manifest,
        label_source=audit.slices.labels,
        of_objects=resolved.of_objects,
    )
    if left_out:
        LOG.warning("not searched, for lack of true values: %s", ", ".join(left_out))
    known_truth = read_truth_of_labels(store, manifest, columns)
    families, findings = [empty(SLICES)], [empty(FINDINGS)]
    worth = [empty(RESULTS["worth_checking"])]
    held_out = [empty(RESULTS["held_out"])]
    searched: dict[str, SearchedSystem] = {}
    tables: list[SearchTable] = []
    for system in audit.systems:
        table = read_search_table(
            store, columns, system=system.name, sample_ids=samples["sample_id"]
        )
        if not tables:
            for sentence in describe_constant(table.attributes):
                LOG.warning(sentence)
        tables = tables or [table]
        searched_table = table.drop_attribute(system.attribute)  # nothing explains its own errors
        weights = weigh_judged(system, store, table.sample_ids)
        result = run_task(
            search_table,
            searched_table,
            audit.slices,
            resolved.ordered,
            resolved.exclusive,
            weights,
        )
        known = join_known_labels(known_truth, manifest, columns, searched_table)
        if weights is not None:
            known = replace(known, weighted=True)
        elif known.has_truth:
            probabilities = weigh_by_probes(
                store,
                manifest.encoder_id,
                known_truth,
                attributes=known.modelled,
                sample_ids=searched_table.sample_ids,
            )
            known = replace(known, probabilities=probabilities)
        corrected = run_task(correct_findings, result, known, audit.slices, resolved.exclusive)
        keys = [pl.lit(run_id).alias("run_id"), pl.lit(system.name).alias("system")]
        families.append(result.family.select(*keys, pl.all()))
        findings.append(corrected.findings.select(*keys, pl.all()))
        worth.append(corrected.worth_checking.select(*keys, pl.all()))
        if result.held_out is not None:
            ids = searched_table.sample_ids.filter(pl.Series(result.held_out))
            held_out.append(pl.DataFrame({"sample_id": ids}).select(*keys, pl.all()))
        searched[system.name] = _describe(table, result)
        for note in result.notes:
            LOG.info("%s: %s", system.name, note)
    family, found = pl.concat(families), pl.concat(findings)
    store.put_findings(found, family, run_id=run_id)
    store.write_result(run_id, "worth_checking", pl.concat(worth))
    if len(held_out) > 1:
        store.write_result(run_id, "held_out", pl.concat(held_out))
    record = SearchRecord(
        systems=searched,
        left_out=left_out,
        slices=family.height,
        inputs=note_inputs(store, samples),
        label_source=audit.slices.labels,
        asked=hash_search(audit),
        limit=SamplesManifest.read(store.folder).limit,
    )
    return Searched(record, found, tables[0])


def search_table(
    table: SearchTable,
    asked: SliceSearch,
    ordered: Sequence[str],
    exclusive: Sequence[Sequence[str]],
    weights: Floats | None = None,
) -> "SliceResult":
    """Search errors as [slices] asks.

    ordered: attributes of which runs of adjacent values are searched. exclusive: sets of
    attributes that are not combined. Names of no column of the table do nothing. weights: (n,) how
    much each row counts; all the same when None.
    """
    from pipeline.slices import (  # numba takes a second that other stages save
        AuditOptions,
        audit_slices,
    )

    return audit_slices(
        table.attributes,
        table.errors.to_numpy(),
        weights=weights,
        cluster_ids=table.cluster_ids.to_numpy(),
        options=AuditOptions(
            alpha=asked.alpha,
            max_level=asked.max_level,
            min_support=asked.min_support,
            top=asked.top,
            engine=asked.engine,
            confirm=asked.confirm,
            seed=asked.seed,
            exclude_unknown=not asked.include_unknown,
            ordered=table.list_orders(n for n in ordered if n in table.attributes.columns),
            exclusive=[[n for n in own if n in table.attributes.columns] for own in exclusive],
        ),
    )


def correct_findings(
    result: "SliceResult",
    known: KnownLabels,
    asked: SliceSearch,
    exclusive: Sequence[Sequence[str]],
) -> Corrected:
    """Correct the findings of a search for wrong labels, and list what these hide."""
    from pipeline.slices.corrected_findings import attach_corrections, correct_predicates
    from pipeline.slices.worth_checking import list_worth_checking  # scipy loads for a while

    predicates = result.findings["predicates"].to_list()
    corrections = correct_predicates(known, predicates, seed=asked.seed)
    return Corrected(
        findings=attach_corrections(result.findings, corrections),
        worth_checking=list_worth_checking(
            known,
            result.findings,
            counted=result.search.slices,
            exclusive=exclusive,
            max_level=asked.max_level,
            min_support=asked.min_support,
            alpha=asked.alpha,
            top=asked.top,
            seed=asked.seed,
        ),
    )


def _describe(table: SearchTable, result: "SliceResult") -> SearchedSystem:
    held_out = result.search.holdout_n
    return SearchedSystem(
        n=len(table.errors),
        holdout_n=held_out,
        samples_without_labels=table.samples_without_labels,
        error=float(table.errors.to_numpy().mean()) if held_out else result.error,
        detectable_gap=result.detectable_gap,
        notes=tuple(result.notes),
    )

"""What was found becomes a report, read from the workspace; the curves of findings are kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import note_inputs, refuse_stale, refuse_unsearched
from flows.stages.reporting.hidden_names import hide_files
from flows.stages.reporting.pictures.report_gallery import pick_worst, picture_regions
from flows.stages.reporting.report_changes import report_changes
from flows.stages.reporting.report_detector import Evaluated, report_detector
from flows.stages.reporting.report_files import HISTORY, place_report, write_single, write_site
from flows.stages.reporting.report_groups import report_domain, report_error_gates, report_fairness
from flows.stages.reporting.report_map import report_maps
from flows.stages.reporting.report_parts import (
    count_labels,
    describe_attribute,
    list_search_notes,
    note_small,
    report_quality,
)
from flows.stages.reporting.site_evidence import SearchSources, gather_site
from flows.stages.trusting.report_trust import report_trust
from pipeline.config.error_metrics import LABELS
from pipeline.coverage.coded_values import average_values, code_values
from pipeline.coverage.values import arrange_counts, describe_constant
from pipeline.errors.sweep import sweep_threshold
from pipeline.exceptions import StoreError
from pipeline.regions.weak_regions import LEAST_ROWS
from pipeline.tables import CORRECTIONS, FAMILY, REGIONS, REPORTED, RESULTS, empty
from pipeline.workspace.kept.kept_runs import read_run_findings
from pipeline.workspace.label_columns import choose_columns, order_values
from pipeline.workspace.manifests import (
    Inputs,
    LabelManifest,
    SamplesManifest,
    ScoredSystem,
    ScoreManifest,
    SearchRecord,
)
from pipeline.workspace.search_table import SearchTable, read_search_table
from pipeline.workspace.store import Store
from reports.machine.attachments import list_attachments
from reports.models import ReportData, SystemReport


def write_report(resolved: ResolvedAudit, store: Store, *, single_file: bool = False) -> str:
    """Write the report of the latest search in the workspace; return the path of its index.

    single_file: write one page that holds everything instead, beside what is there. A report of
    limited samples goes to a folder of its own, so that it replaces no full one.
    """
    asked = resolved.audit.report
    data, sources = _gather(resolved, store, with_gallery=single_file)
    if not asked.names_files:
        data = hide_files(data)
    folder = place_report(asked, data.limit)
    if single_file:
        return str(write_single(data, folder, language=asked.language))
    site = replace(gather_site(resolved, store, data, sources), attachments=list_attachments(data))
    return str(write_site(site, folder, history=HISTORY if data.limit is None else ""))


def gather_report(resolved: ResolvedAudit, store: Store) -> ReportData:
    """Read all that the page shows.

    Raises StoreError when just that was not searched yet, SearchError when it was made for another
    dataset, attributes or systems than the audit names now.
    """
    return _gather(resolved, store, with_gallery=True)[0]


def _gather(
    resolved: ResolvedAudit, store: Store, *, with_gallery: bool
) -> tuple[ReportData, SearchSources]:
    """Return the report, and what was read for it that its site needs as well."""
    audit = resolved.audit
    run = find_last_search(store)
    if run is None:
        raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot find` first")
    search = SearchRecord.from_json(run["search"], source=f"{store.database}, run {run['run_id']}")
    samples = store.read_samples()
    dataset = SamplesManifest.read(store.folder)
    refuse_stale(resolved, store)
    inputs = note_inputs(store, samples)
    refuse_unsearched(audit, store, search, name=run["name"], inputs=inputs)
    manifest = LabelManifest.read(store.folder)
    columns, _ = choose_columns(
        manifest, label_source=audit.slices.labels, of_objects=resolved.of_objects
    )
    tables = {
        name: read_search_table(store, columns, system=name, sample_ids=samples["sample_id"])
        for name in search.systems
    }
    coded = {
        name: code_values(one.attributes, one.errors, one.cluster_ids, orders=one.orders)
        for name, one in tables.items()
    }
    first = next(iter(tables.values()))
    fairness = report_fairness(resolved, store, manifest, inputs=inputs)
    scored = ScoreManifest.read(store.folder).systems
    detectors = {
        system.name: report_detector(system, scored[system.name], store, samples)
        for system in audit.systems
        if system.name in tables
    }
    systems = _report_systems(
        resolved, store, run["run_id"], search, tables, samples, detectors,
        inputs=inputs, with_gallery=with_gallery,
    )  # fmt: skip
    data = ReportData(
        name=run["name"],
        run_id=run["run_id"],
        started_at=run["started_at"],
        finished_at=run["finished_at"],
        samples=len(first.sample_ids),
        systems=systems,
        attributes=tuple(describe_attribute(column, manifest) for column in columns),
        sample_kind=audit.dataset.sample,
        coverage=arrange_counts(
            count_labels(first),
            order=order_values(
                manifest,
                first.attributes.columns,
                label_source=audit.slices.labels,
                truth=audit.dataset.truth,
            ),
        ),
        value_errors=pl.concat(
            average_values(one, system=name) for name, one in sorted(coded.items())
        ),
        label_quality=report_quality(resolved, store, manifest),
        rejects=store.read("rejects"),
        counts=json.loads(run["counts"]) | dict(dataset.counts),
        notes=(
            *dataset.notes,
            *list_search_notes(search),
            *note_small(dataset.counts, manifest),
            *(note for one in manifest.attributes for note in one.notes),
            *manifest.truth_gaps,
            *describe_constant(first.attributes),
        ),
        config=json.dumps(json.loads(run["config"]), indent=1),
        versions=json.loads(run["versions"]),
        timings=json.loads(run["timings"]),
        encoder_id=manifest.encoder_id,
        limit=search.limit,
        fairness=fairness,
        gates_left_out=search.limit is not None
        and audit.gates is not None
        and (audit.gates.max_gap is not None or audit.gates.max_error is not None)
        and all(report.verdicts is None for report in fairness)
        and all(system.gate is None for system in systems),
        domain=report_domain(search.domain, store, run["run_id"]),
        changes=report_changes(store, run["run_id"]),
        maps=report_maps(store, systems, tables, samples),
        trust=report_trust(resolved, store),
    )
    false = {name: one.shown for name, one in detectors.items()}
    return data, SearchSources(tables, samples, columns, manifest.encoder_id, coded, false)


def _report_systems(
    resolved: ResolvedAudit,
    store: Store,
    run_id: str,
    search: SearchRecord,
    tables: Mapping[str, SearchTable],
    samples: pl.DataFrame,
    detectors: Mapping[str, Evaluated],
    *,
    inputs: Inputs,
    with_gallery: bool,
) -> tuple[SystemReport, ...]:
    """Return what the page shows of each system."""
    audit = resolved.audit
    findings, family = read_run_findings(store, [run_id]), store.read_family(run_id)
    worth = store.read_result(run_id, "worth_checking")
    searched_regions = store.read_result(run_id, "regions")
    scored = ScoreManifest.read(store.folder).systems
    asked = {system.name: system for system in audit.systems}
    has_gate = audit.gates is not None and audit.gates.max_error is not None
    gates = report_error_gates(audit, store, inputs=inputs) if has_gate else {}
    reports = []
    for name, searched in search.systems.items():
        own = (pl.col("run_id") == run_id) & (pl.col("system") == name)
        found = findings.filter(own).sort("rank").select(list(REPORTED))
        counted = family.filter(own).select(list(FAMILY))
        table, metric = tables[name], asked[name].error
        sweeps = _sweep_findings(found, table, store, scored[name], error=metric)
        matches = store.read_matches(scored[name].error_id)
        regions = None
        is_enough = searched.n - searched.holdout_n >= LEAST_ROWS
        if searched_regions is not None and asked[name].format != LABELS and is_enough:
            regions = searched_regions.filter(own).select(list(REGIONS)).sort("rank")
        reports.append(
            SystemReport(
                name=name,
                metric=metric,
                share=bool(table.errors.is_between(0, 1).all()),
                n=searched.n,
                holdout_n=searched.holdout_n,
                overall_error=searched.error,
                samples_without_error=scored[name].samples_without_error,
                errors_without_sample=scored[name].errors_without_sample,
                findings=found,
                worth_checking=empty(CORRECTIONS)
                if worth is None
                else worth.filter(own).select(list(CORRECTIONS)),
                top_slices=counted.head(audit.slices.top),
                slices_counted=counted.height,
                detectable_gap=searched.detectable_gap,
                search_notes=searched.notes,
                sweeps=sweeps,
                detector=detectors[name].report,
                notes=scored[name].notes,
                warnings=scored[name].warnings,
                gate=gates.get(name),
                regions=regions,
                region_gallery={}
                if regions is None
                else picture_regions(
                    regions,
                    table,
                    samples,
                    audit.dataset.root,
                    thumbnails=audit.report.thumbnails,
                    named=audit.report.names_files,
                ),
                gallery=pick_worst(
                    found,
                    table,
                    samples,
                    audit.dataset.root,
                    matches=matches,
                    thumbnails=audit.report.thumbnails,
                    named=audit.report.names_files,
                )
                if with_gallery
                else {},
            )
        )
    _keep_sweeps(reports, store, run_id)
    return tuple(reports)


def _keep_sweeps(reports: Sequence[SystemReport], store: Store, run_id: str) -> None:
    """Keep the curves of all findings as the table `sweeps`."""
    frames = [
        curve.select(
            pl.lit(run_id).alias("run_id"),
            pl.lit(report.name).alias("system"),
            pl.lit(rank, dtype=pl.Int64).alias("rank"),
            pl.all(),
        )
        for report in reports
        for rank, curve in report.sweeps.items()
    ]
    store.write_result(run_id, "sweeps", pl.concat(frames or [empty(RESULTS["sweeps"])]))


def _sweep_findings(
    findings: pl.DataFrame, table: SearchTable, store: Store, scored: ScoredSystem, *, error: str
) -> dict[int, pl.DataFrame]:
    """Return for the rank of each finding its SWEEP; nothing for other systems than detectors."""
    matches = store.read_matches(scored.error_id)
    if matches is None or "score" not in matches.columns or "status" not in matches.columns:
        return {}
    counts = store.read_image_counts(scored.error_id)
    return {
        rank: sweep_threshold(
            matches,
            sample_ids=table.sample_ids,
            inside=table.select_slice(predicates).to_numpy(),
            error=error,
            image_counts=counts,
        )
        for rank, predicates in findings.select("rank", "predicates").iter_rows()
    }

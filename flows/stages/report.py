"""What was found becomes one page, read from the workspace; the curves of findings are kept."""

import json
from collections.abc import Mapping, Sequence

import polars as pl

from flows.run.health.failures import is_full
from flows.run.logs import LOG
from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import note_inputs, refuse_stale, refuse_unsearched
from flows.stages.judging.label_quality import measure_labels
from flows.stages.reporting.report_detector import report_detector
from flows.stages.reporting.report_gallery import pick_worst
from flows.stages.reporting.report_groups import report_domain, report_error_gates, report_fairness
from pipeline.coverage.values import average_errors, cover_values, describe_constant
from pipeline.errors.sweep import sweep_threshold
from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.whole_files import write_text
from pipeline.tables import CORRECTIONS, FAMILY, REPORTED, RESULTS, empty
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.label_columns import LabelColumn, choose_columns, order_values
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
from reports.models import AttributeReport, LabelQualityReport, ReportData, SystemReport
from reports.pages.report_page import build_report

LIMITED = "limited"  # the folder, in that of the report, of a page of limited samples


def write_report(resolved: ResolvedAudit, store: Store) -> str:
    """Write the page of the latest search in the workspace; return its path.

    That of limited samples goes to a folder of its own, so that it replaces no full report.
    """
    data = gather_report(resolved, store)
    folder = resolved.audit.report.folder
    page = (folder if data.limit is None else folder / LIMITED) / "index.html"
    try:
        write_text(build_report(data), page)
    except OSError as error:
        if is_full(error):
            raise
        raise ConfigError(f"[report] folder {page.parent}: cannot be written: {error}") from None
    LOG.info("report: %s", page)
    return str(page)


def gather_report(resolved: ResolvedAudit, store: Store) -> ReportData:
    """Read all that the page shows.

    Raises StoreError when just that was not searched yet, SearchError when it was made for another
    dataset, attributes or systems than the audit names now.
    """
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
    first = next(iter(tables.values()))
    fairness = report_fairness(resolved, store, manifest, inputs=inputs)
    systems = _report_systems(
        resolved, store, run["run_id"], search, tables, samples, inputs=inputs
    )
    return ReportData(
        name=run["name"],
        run_id=run["run_id"],
        started_at=run["started_at"],
        finished_at=run["finished_at"],
        samples=len(first.sample_ids),
        systems=systems,
        attributes=tuple(_describe_attribute(column, manifest) for column in columns),
        sample_kind=audit.dataset.sample,
        coverage=cover_values(
            _lengthen(first),
            order=order_values(
                manifest,
                first.attributes.columns,
                label_source=audit.slices.labels,
                truth=audit.dataset.truth,
            ),
        ),
        value_errors=pl.concat(_average_errors(name, table) for name, table in tables.items()),
        label_quality=_report_quality(resolved, store, manifest),
        rejects=store.read("rejects"),
        counts=json.loads(run["counts"]) | dict(dataset.counts),
        notes=(
            *dataset.notes,
            *_list_notes(search),
            *_note_small(dataset.counts, manifest),
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
        and all(report.verdicts is None for report in fairness)
        and all(system.gate is None for system in systems),
        domain=report_domain(search.domain, store, run["run_id"]),
    )


def _report_systems(
    resolved: ResolvedAudit,
    store: Store,
    run_id: str,
    search: SearchRecord,
    tables: Mapping[str, SearchTable],
    samples: pl.DataFrame,
    *,
    inputs: Inputs,
) -> tuple[SystemReport, ...]:
    """Return what the page shows of each system."""
    audit = resolved.audit
    findings, family = store.read("findings"), store.read_family(run_id)
    worth = store.read_result(run_id, "worth_checking")
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
                detector=report_detector(asked[name], scored[name], store),
                notes=scored[name].notes,
                warnings=scored[name].warnings,
                gate=gates.get(name),
                gallery=pick_worst(found, table, samples, audit.dataset.root, matches=matches),
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


def _describe_attribute(column: LabelColumn, manifest: LabelManifest) -> AttributeReport:
    is_truth = column.label_id == manifest.truth.get(column.attribute)
    labelled = manifest.by_name.get(column.attribute)
    if labelled is None:  # known by its true values alone
        return AttributeReport(name=column.attribute, source="truth")
    return AttributeReport(
        name=column.attribute,
        source="truth" if is_truth else labelled.source,
        reference=labelled.reference,
        edges=labelled.edges,
        sensitive=labelled.sensitive,
    )


def _lengthen(table: SearchTable) -> pl.DataFrame:
    """Return the labels that were searched as sample_id, attribute and value."""
    columns = [
        pl.DataFrame({"sample_id": table.sample_ids, "value": values}).with_columns(
            attribute=pl.lit(values.name)
        )
        for values in table.attributes.iter_columns()
    ]
    return pl.concat(columns)


def _average_errors(name: str, table: SearchTable) -> pl.DataFrame:
    errors = pl.DataFrame(
        {"sample_id": table.sample_ids, "error": table.errors, "cluster_id": table.cluster_ids}
    )
    return average_errors(_lengthen(table), errors.with_columns(system=pl.lit(name)))


def _report_quality(
    resolved: ResolvedAudit, store: Store, manifest: LabelManifest
) -> LabelQualityReport | None:
    """Return how good the labels are, None where neither true values nor checks judge any."""
    if read_known_truth(store, manifest).is_empty():
        return None
    frames = measure_labels(resolved, store)
    if frames["label_quality"].is_empty():
        return None
    return LabelQualityReport(
        quality=frames["label_quality"],
        calibration=frames["label_calibration"],
        reliability=frames["label_reliability"],
        learning=frames["label_learning"],
    )


def _note_small(counts: Mapping[str, int], manifest: LabelManifest) -> tuple[str, ...]:
    """Say how many objects are too small for prompt labels, where there are such labels."""
    small = counts.get("too_small", 0)
    if not small or all(one.kind != "prompts" for one in manifest.attributes):
        return ()
    are = "1 object is" if small == 1 else f"{small:,} objects are"
    end = 'prompt labels are "unknown".'
    return (f"{are} smaller than crop.min_size and not embedded: {end}",)


def _list_notes(search: SearchRecord) -> tuple[str, ...]:
    notes = []
    if search.left_out:
        names = ", ".join(search.left_out)
        notes.append(f"Not searched, because their true values are not known: {names}.")
    for name, searched in search.systems.items():
        if searched.samples_without_labels:
            count = f"{searched.samples_without_labels:,}"
            notes.append(f"{name}: {count} samples have an error but no label; see the rejects.")
    return tuple(notes)

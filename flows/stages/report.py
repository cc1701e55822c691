"""Last stage: what was found becomes one page, read from the store alone."""

import json
from typing import Any

import polars as pl
from prefect import flow
from prefect.artifacts import create_link_artifact

from flows.run.logs import LOG
from flows.run.staleness import note_inputs, refuse_unsearched
from flows.stages.coverage import order_values
from flows.stages.gallery import pick_worst
from flows.stages.report_groups import report_domain, report_fairness
from flows.stages.samples import load_samples
from flows.stages.search import choose_columns, read_search_table
from flows.stages.sweeps import sweep_findings
from pipeline.config.audit import Audit
from pipeline.coverage.values import average_errors, cover_values
from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.whole_files import write_text
from pipeline.labels.quality import measure_agreement, measure_values
from pipeline.tables import FAMILY, WEAKNESSES
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store, open_store
from reports.models import AttributeReport, ReportData, SystemReport
from reports.pages.report_page import build_report


@flow(name="report")
def write_report(audit: Audit) -> str:
    """Write the page of the latest search in the workspace; return its path."""
    store = open_store(audit.workspace)
    data = gather_report(audit, store)
    page = audit.report.folder / "index.html"
    try:
        write_text(build_report(data), page)
    except OSError as error:
        raise ConfigError(f"[report] folder {page.parent}: cannot be written: {error}") from None
    create_link_artifact(page.as_uri(), link_text=audit.name, key="weakspot-report")
    LOG.info("report: %s", page)
    return str(page)


def gather_report(audit: Audit, store: Store) -> ReportData:
    """Read all that the page shows. Raises StoreError when just that was not searched yet."""
    runs = store.read("runs").filter(pl.col("search") != "").sort("started_at", "run_id")
    if runs.is_empty():
        raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot find` first")
    run = runs.row(-1, named=True)
    search = json.loads(run["search"])
    inputs = note_inputs(store)
    refuse_unsearched(audit, store, search, inputs=inputs)
    sample_set = load_samples(store)
    tables = {name: read_search_table(audit, store, name) for name in search["systems"]}
    first = next(iter(tables.values()))
    agreement, value_quality = _measure_quality(store, sample_set.samples["sample_id"])
    return ReportData(
        name=run["name"],
        run_id=run["run_id"],
        started_at=run["started_at"],
        finished_at=run["finished_at"],
        samples=len(first.sample_ids),
        systems=tuple(
            _report_system(
                audit,
                store,
                run["run_id"],
                name,
                search["systems"][name],
                table,
                samples=sample_set.samples,
            )
            for name, table in tables.items()
        ),
        attributes=_list_attributes(audit, store),
        sample_kind=audit.dataset.sample,
        coverage=cover_values(
            _lengthen(first),
            order=order_values(audit, store, first.attributes.columns, labels=audit.slices.labels),
        ),
        value_errors=pl.concat(_average_errors(name, table) for name, table in tables.items()),
        agreement=agreement,
        value_quality=value_quality,
        rejects=store.read("rejects"),
        counts=json.loads(run["counts"]) | sample_set.counts,
        notes=(*_list_notes(search), *store.read_manifest("label").get("truth_gaps", [])),
        config=json.dumps(json.loads(run["config"]), indent=1),
        versions=json.loads(run["versions"]),
        timings=json.loads(run["timings"]),
        encoder_id=run["encoder_id"],
        fairness=report_fairness(audit, store, inputs=inputs),
        domain=report_domain(search, store, run["run_id"]),
    )


def _report_system(
    audit: Audit, store: Store, run_id: str, name: str, seen: dict[str, Any], table: SearchTable,
    *, samples: pl.DataFrame,
) -> SystemReport:  # fmt: skip
    own = (pl.col("run_id") == run_id) & (pl.col("system") == name)
    findings = store.read("findings").filter(own).sort("rank").select(list(WEAKNESSES))
    family = store.read_family(run_id).filter(own).select(list(FAMILY))
    scored = store.read_manifest("score")["systems"][name]
    error = next(system.error for system in audit.systems if system.name == name)
    return SystemReport(
        name=name,
        metric=error,
        share=bool(table.errors.is_between(0, 1).all()),
        n=seen["n"],
        overall_error=seen["error"],
        samples_without_error=scored["samples_without_error"],
        errors_without_sample=scored["errors_without_sample"],
        findings=findings,
        top_slices=family.head(audit.slices.top),
        slices_counted=family.height,
        detectable_gap=seen["detectable_gap"],
        search_notes=tuple(seen["notes"]),
        sweeps=sweep_findings(findings, table, store, error_id=scored["error_id"], error=error),
        gallery=pick_worst(findings, table, samples, audit.dataset.root),
    )


def _list_attributes(audit: Audit, store: Store) -> tuple[AttributeReport, ...]:
    manifest = store.read_manifest("label")
    known = {entry["name"]: entry for entry in manifest["attributes"]}
    columns, _ = choose_columns(audit, store)
    reports = []
    for column in columns:
        entry = known.get(column.attribute, {})
        is_truth = column.label_id == manifest["truth"].get(column.attribute)
        reports.append(
            AttributeReport(
                name=column.attribute,
                source="truth" if is_truth else entry["source"],
                reference=entry.get("reference", ""),
                edges=tuple(entry.get("edges", ())),
                sensitive=entry.get("sensitive", False),
            )
        )
    return tuple(reports)


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
        {"sample_id": table.sample_ids, "error": table.errors, "cluster_id": table.groups}
    )
    return average_errors(_lengthen(table), errors.with_columns(system=pl.lit(name)))


def _measure_quality(
    store: Store, sample_ids: pl.Series
) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Return agreement and value quality where the audit has true values, else None.

    sample_ids: the samples of the audit; the workspace may hold labels of others.
    """
    manifest = store.read_manifest("label")
    truth_ids = manifest["truth"]
    both = [e["label_id"] for e in manifest["attributes"] if e["name"] in truth_ids]
    if not both:
        return None, None
    own = pl.col("sample_id").is_in(sample_ids.implode())
    truth = store.read_labels(list(truth_ids.values())).filter(own)
    labels = store.read_labels(both).filter(own)
    return measure_agreement(labels, truth), measure_values(labels, truth)


def _list_notes(search: dict[str, Any]) -> tuple[str, ...]:
    notes = []
    if search["left_out"]:
        names = ", ".join(search["left_out"])
        notes.append(f"Not searched, because their true values are not known: {names}.")
    for name, seen in search["systems"].items():
        if seen["samples_without_labels"]:
            count = f"{seen['samples_without_labels']:,}"
            notes.append(f"{name}: {count} samples have an error but no label; see the rejects.")
    return tuple(notes)

"""Small parts of a report: its attributes, errors by value, the quality of labels, notes."""

from collections.abc import Mapping

import polars as pl

from flows.run.resolved_audit import ResolvedAudit
from flows.stages.judging.label_quality import measure_labels
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.manifests import LabelManifest, SearchRecord
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store
from reports.models import AttributeReport, LabelQualityReport


def describe_attribute(column: LabelColumn, manifest: LabelManifest) -> AttributeReport:
    """Return how one attribute that was searched is labelled."""
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


def count_labels(table: SearchTable) -> pl.DataFrame:
    """Return attribute, value and n of the labels that were searched."""
    counts = [
        values.value_counts(name="n")
        .rename({values.name: "value"})
        .select(pl.lit(values.name).alias("attribute"), "value", pl.col("n").cast(pl.Int64))
        for values in table.attributes.iter_columns()
    ]
    return pl.concat(counts)


def report_quality(
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


def note_small(counts: Mapping[str, int], manifest: LabelManifest) -> tuple[str, ...]:
    """Say how many objects are too small for prompt labels, where there are such labels."""
    small = counts.get("too_small", 0)
    if not small or all(one.kind != "prompts" for one in manifest.attributes):
        return ()
    are = "1 object is" if small == 1 else f"{small:,} objects are"
    end = 'prompt labels are "unknown".'
    return (f"{are} smaller than crop.min_size and not embedded: {end}",)


def list_search_notes(search: SearchRecord) -> tuple[str, ...]:
    """Say what could not be searched, and which samples lack labels."""
    notes = []
    if search.left_out:
        names = ", ".join(search.left_out)
        notes.append(f"Not searched, because their true values are not known: {names}.")
    for name, searched in search.systems.items():
        if searched.samples_without_labels:
            count = f"{searched.samples_without_labels:,}"
            notes.append(f"{name}: {count} samples have an error but no label; see the rejects.")
    return tuple(notes)

"""How groups fare against each other, and whether the gates let that pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from logging import INFO, WARNING
from typing import Any, Literal

import polars as pl

from flows.run.logs import LOG
from flows.run.preflight import has_comparison
from flows.run.reading.label_truth import read_known_labels
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTask, call_task
from flows.run.staleness import hash_comparison, note_inputs, refuse_stale
from pipeline.config.audit import FairnessConfig, Gates
from pipeline.config.error_metrics import LABELS
from pipeline.fairness.corrected_gaps import correct_gaps, list_compared
from pipeline.fairness.gap_table import order_gaps
from pipeline.fairness.gates import Verdict, judge_error, judge_gates
from pipeline.fairness.measure import Fairness, measure_fairness
from pipeline.fairness.verdicts import ALL, select_failures, sum_up_systems
from pipeline.slices.known_labels import KnownLabels
from pipeline.vocabulary import NOT_JUDGED
from pipeline.workspace.label_columns import (
    LabelColumn,
    list_columns,
    list_true_columns,
    order_values,
)
from pipeline.workspace.manifests import (
    ComparedGroups,
    FairnessManifest,
    LabelManifest,
    ScoreManifest,
)
from pipeline.workspace.search_table import SearchTable, find_error_id, read_search_table
from pipeline.workspace.store import Store
from reports.parts.words import write_group_sources, write_predicates

Labels = Literal["predicted", "truth"]
TABLES = ("gaps", "disparities", "verdicts")


@dataclass(frozen=True)
class Compared:
    """What the groups of one system are compared on.

    table: the labels of groups and covariates beside the errors. known: what is known of these
    labels. matches: as `score_system` gave them, None for a table of errors. paths: (n,) the image
    of each row.
    """

    table: SearchTable
    known: KnownLabels
    sensitive: tuple[str, ...]
    adjust_for: tuple[str, ...]
    matches: pl.DataFrame | None
    paths: pl.Series


def compare_groups(
    resolved: ResolvedAudit, store: Store, run_id: str, *, run_task: RunTask = call_task
) -> dict[str, Verdict]:
    """Compare the groups of every system, by labels and by true values; judge the gates.

    Returns the verdict of the gates on each system, nothing without gates, or when the audit has
    no sensitive attribute, so that nothing is compared, and no gate on the mean error.
    """
    audit = resolved.audit
    if not has_comparison(audit, resolved.sensitive):
        return {}
    refuse_stale(resolved, store)
    samples = store.read_samples()
    manifest = LabelManifest.read(store.folder)
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
    described = []
    for system in audit.systems:
        keys = [pl.lit(run_id).alias("run_id"), pl.lit(system.name).alias("system")]
        overall = _judge_overall(audit.gates, store, system.name, samples)
        parts["verdicts"] += [
            frame.select(*keys, pl.lit(ALL).alias("labels"), pl.all()) for frame in overall
        ]
        for labels in list_sources(manifest, resolved.sensitive):
            compared = gather_groups(resolved, store, system.name, labels, samples, manifest)
            asked = audit.fairness or FairnessConfig()
            max_gap = audit.gates.gap_of(system.name) if audit.gates else None
            fairness = run_task(measure_groups, compared, asked, max_gap)
            frames = {"gaps": fairness.gaps, "disparities": fairness.disparities}
            if audit.gates is not None and max_gap is not None:
                frames["verdicts"] = judge_gates(
                    fairness.gaps,
                    max_gap=max_gap,
                    min_group=audit.gates.min_group,
                    attributes=audit.gates.attributes or compared.sensitive,
                    judge_unchecked=audit.gates.unchecked_labels == "judge",
                )
            for name, frame in frames.items():
                source = pl.lit(labels).alias("labels")
                parts[name].append(frame.select(*keys, source, pl.all()))
            described.append(_describe(system.name, labels, compared, fairness))
    tables = {name: pl.concat(frames) for name, frames in parts.items() if frames}
    for name, frame in tables.items():
        store.write_result(run_id, name, frame)
    verdicts = _sum_up(audit.gates, store, tables)
    FairnessManifest(
        run_id=run_id,
        asked=hash_comparison(audit),
        inputs=note_inputs(store, samples),
        compared=tuple(described),
        verdicts=verdicts,
    ).write(store.folder)
    return verdicts


def _judge_overall(
    gates: Gates | None, store: Store, system: str, samples: pl.DataFrame
) -> list[pl.DataFrame]:
    """Return the verdict on the mean error of a system, nothing where no gate is set on it."""
    max_error = gates.error_of(system) if gates else None
    if gates is None or max_error is None:
        return []
    own = pl.col("error_id") == find_error_id(store, system)
    errors = store.read("errors").filter(own).sort("sample_id")
    rows = errors.join(samples, on="sample_id", how="inner", maintain_order="left")
    images = rows.select(pl.coalesce("parent_id", "sample_id")).to_series()
    return [judge_error(rows["error"], images, max_error=max_error, min_samples=gates.min_group)]


def _sum_up(
    gates: Gates | None, store: Store, tables: Mapping[str, pl.DataFrame]
) -> dict[str, Verdict]:
    """Return the verdict on each system that is judged, and log it with the reason of warnings."""
    if gates is None or "verdicts" not in tables:
        return {}
    scored = ScoreManifest.read(store.folder).systems
    warnings = {name: one.warnings for name, one in scored.items() if one.warnings}
    verdicts = sum_up_systems(tables["verdicts"], min_group=gates.min_group, questionable=warnings)
    for name, verdict in verdicts.items():
        LOG.log(WARNING if verdict == NOT_JUDGED else INFO, "%s: gates: %s", name, verdict)
        if name in warnings:
            LOG.warning("%s: no gate passes on questionable outputs: %s", name, warnings[name][0])
    return verdicts


def list_sources(manifest: LabelManifest, sensitive: Sequence[str]) -> list[Labels]:
    """Return where labels of sensitive attributes can come from; true values, the better, last.

    Where what is labelled is given with the data it is part of the view by true values, and no
    view of its own.
    """
    has_truth = bool(set(manifest.truth) & set(sensitive))
    labelled = [one for one in manifest.attributes if one.name in sensitive]
    given = all(one.source == "given" and one.name not in manifest.truth for one in labelled)
    sources: list[Labels] = []
    if labelled and not (has_truth and given):
        sources.append("predicted")
    if has_truth:
        sources.append("truth")
    return sources


def gather_groups(
    resolved: ResolvedAudit,
    store: Store,
    system: str,
    labels: Labels,
    samples: pl.DataFrame,
    manifest: LabelManifest,
) -> Compared:
    """Join the labels of groups and covariates with one system's errors.

    Raises SearchError when the system is not scored or nothing has both.
    """
    asked = resolved.audit.fairness or FairnessConfig()
    columns = _list_columns(resolved, manifest, labels)
    sensitive = tuple(name for name in resolved.sensitive if name in columns)
    adjust_for = tuple(name for name in asked.adjust_for if name in columns)
    chosen = [columns[name] for name in dict.fromkeys((*sensitive, *adjust_for))]
    table = read_search_table(store, chosen, system=system, sample_ids=samples["sample_id"])
    known = read_known_labels(store, manifest, chosen, table)
    orders = order_values(
        manifest, sensitive, label_source=labels, truth=resolved.audit.dataset.truth
    )
    table = replace(table, attributes=_declare_values(table.attributes, orders))
    rows = pl.DataFrame({"sample_id": table.sample_ids})
    paths = rows.join(samples, on="sample_id", how="left", maintain_order="left")["path"]
    # Recall and the like are of objects: nothing is said of them where samples are detections. And
    # [fairness] positive is a class of a classifier, no label.
    of_labels = any(s.name == system and s.format == LABELS for s in resolved.audit.systems)
    without = resolved.audit.dataset.sample == "detection" or of_labels
    matches = None if without else store.read_matches(find_error_id(store, system))
    return Compared(table, known, sensitive, adjust_for, matches, paths)


def measure_groups(compared: Compared, asked: FairnessConfig, max_gap: float | None) -> Fairness:
    """Measure the gaps between the groups of one system, and correct them for wrong labels.

    max_gap: that of its gate.
    """
    from pipeline.slices.corrected_findings import correct_predicates  # loads for a while

    measured = measure_fairness(
        compared.table.attributes,
        compared.table.errors.to_numpy(),
        sensitive=compared.sensitive,
        adjust_for=compared.adjust_for,
        cluster_ids=compared.table.cluster_ids,
        matches=compared.matches,
        sample_ids=compared.table.sample_ids,
        paths=compared.paths,
        positive=asked.positive,
        max_level=asked.max_level,
        min_group=asked.min_group,
        smallest_gap=max_gap,
    )
    corrections = correct_predicates(compared.known, list_compared(measured.gaps), seed=0)
    return replace(measured, gaps=correct_gaps(measured.gaps, corrections))


def read_gaps(store: Store, run_id: str) -> tuple[dict[str, Any], ...]:
    """Return the gaps in error that a run measured, those that hold up first, by size."""
    gaps = store.read_result(run_id, "gaps")
    return () if gaps is None else tuple(order_gaps(gaps).drop("run_id").to_dicts())


def describe_failures(store: Store, run_id: str) -> str:
    """Return in words which groups fail the gates."""
    verdicts = store.read_result(run_id, "verdicts")
    if verdicts is None:
        return "the gates fail"
    known = LabelManifest.read(store.folder).by_name
    sources = {name: labelled.source for name, labelled in known.items()}
    failures = select_failures(verdicts).to_dicts()
    lines = [f"  - {_describe_failure(row, sources)}" for row in failures]
    return "\n".join(["the gates fail; everything else is done", *lines])


def _describe_failure(row: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    """Say which group fails; sources: of the labels of each attribute."""
    if row["labels"] == ALL:
        return (
            f"{row['system']}: all samples (n {row['n']:,}): error {row['difference']:.3g} above "
            "max_error"
        )
    own = [sources.get(one["attribute"], "") for one in row["predicates"]]
    fixed = ", corrected for wrong labels" if row["corrected"] else ""
    if row["difference"] is None:  # bounds
        difference = f"{row['difference_low']:+.3g} to {row['difference_high']:+.3g}"
    else:
        difference = f"{row['difference']:+.3g}"
    return (
        f"{row['system']}: {write_predicates(row['predicates'])} "
        f"({write_group_sources(row['labels'], own)}, n {row['n']:,}): "
        f"error {difference} against the rest{fixed}"
    )


def _list_columns(
    resolved: ResolvedAudit, manifest: LabelManifest, labels: Labels
) -> dict[str, LabelColumn]:
    """Return the labels of each attribute; with labels = "truth" groups are by true values alone.

    What is given with the data counts as true. Covariates are by true values where there are any,
    else as labelled.
    """
    columns = list_columns(manifest, of_objects=resolved.of_objects)
    if labels == "predicted":
        return columns
    truth = list_true_columns(manifest)
    given = {one.name for one in manifest.attributes if one.source == "given"}
    untrue = set(resolved.sensitive) - set(truth) - given
    return {**{name: one for name, one in columns.items() if name not in untrue}, **truth}


def _declare_values(attributes: pl.DataFrame, known: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Declare in each column also the values that no row has, so that empty groups are listed."""
    return attributes.with_columns(
        attributes[name].cast(pl.Enum([*dict.fromkeys([*values, *attributes[name].unique()])]))
        for name, values in known.items()
    )


def _describe(
    system: str, labels: Labels, compared: Compared, fairness: Fairness
) -> ComparedGroups:
    return ComparedGroups(
        system=system,
        labels=labels,
        attributes=compared.sensitive,
        adjust_for=compared.adjust_for,
        samples=len(compared.table.errors),
        samples_without_labels=compared.table.samples_without_labels,
        notes=tuple(fairness.notes),
    )

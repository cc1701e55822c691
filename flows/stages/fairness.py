"""Sixth stage: how groups fare against each other, and whether the gates let that pass."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl
from prefect import flow

from flows.run.asked_names import list_sensitive
from flows.run.logs import LOG
from flows.run.staleness import note_inputs, refuse_outdated
from flows.run.tasks import shard_task
from flows.stages.coverage import order_values
from flows.stages.samples import load_samples
from flows.stages.search import find_error_id, list_labelled
from pipeline.config.audit import Audit, FairnessConfig, Gates
from pipeline.exceptions import SearchError
from pipeline.fairness.gap_table import order_gaps
from pipeline.fairness.gates import Verdict, judge_gates
from pipeline.fairness.measure import Fairness, measure_fairness
from pipeline.fairness.verdicts import select_failures, sum_up_systems
from pipeline.workspace.search_table import LabelColumn, SearchTable, join_labels
from pipeline.workspace.store import Store, open_store
from reports.parts.words import write_predicates

Labels = Literal["predicted", "truth"]
TABLES = ("gaps", "disparities", "verdicts")


@dataclass(frozen=True)
class Compared:
    """What the groups of one system are compared on.

    table: the labels of groups and covariates beside the errors. outcomes: as `score_system` gave
    them, None for a table of errors. paths: (n,) the image of each row.
    """

    table: SearchTable
    sensitive: tuple[str, ...]
    adjust_for: tuple[str, ...]
    outcomes: pl.DataFrame | None
    paths: pl.Series


@flow(name="fairness")
def compare_groups(audit: Audit, run_id: str) -> dict[str, Any]:
    """Compare the groups of every system, by labels and by true values; judge the gates.

    Returns what the report must know of it: nothing when the audit has no sensitive attribute.
    """
    store = open_store(audit.workspace)
    if not list_sensitive(audit):
        return {}
    refuse_outdated(audit, store)
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
    seen = []
    for system in audit.systems:
        for labels in list_sources(audit, store):
            compared = gather_groups(audit, store, system.name, labels)
            asked = audit.fairness or FairnessConfig()
            fairness = measure_groups(compared, asked, audit.gates)
            frames = {"gaps": fairness.gaps, "disparities": fairness.disparities}
            if audit.gates is not None:
                frames["verdicts"] = judge_gates(
                    fairness.gaps,
                    max_gap=audit.gates.max_gap,
                    min_group=audit.gates.min_group,
                    attributes=audit.gates.attributes or compared.sensitive,
                )
            keys = [pl.lit(run_id).alias("run_id"), pl.lit(system.name).alias("system")]
            keys.append(pl.lit(labels).alias("labels"))
            for name, frame in frames.items():
                parts[name].append(frame.select(*keys, pl.all()))
            seen.append(_describe(system.name, labels, compared, fairness))
    tables = {name: pl.concat(frames) for name, frames in parts.items() if frames}
    for name, frame in tables.items():
        store.write_result(run_id, name, frame)
    verdicts: dict[str, Verdict] = {}
    if audit.gates is not None and "verdicts" in tables:
        verdicts = sum_up_systems(tables["verdicts"], min_group=audit.gates.min_group)
    for system_name, verdict in verdicts.items():
        LOG.info("%s: gates: %s", system_name, verdict)
    made = {
        "run_id": run_id,
        "asked": hash_asked(audit),
        "inputs": note_inputs(store),
        "compared": seen,
        "verdicts": verdicts,
    }
    store.write_manifest("fairness", made)
    return made


def list_sources(audit: Audit, store: Store) -> list[Labels]:
    """Return where labels of sensitive attributes can come from; true values, the better, last."""
    manifest = store.read_manifest("label")
    sensitive = list_sensitive(audit)
    labelled = {entry["name"] for entry in manifest["attributes"]}
    sources: list[Labels] = []
    if labelled & set(sensitive):
        sources.append("predicted")
    if set(manifest["truth"]) & set(sensitive):
        sources.append("truth")
    return sources


def gather_groups(audit: Audit, store: Store, system: str, labels: Labels) -> Compared:
    """Join the labels of groups and covariates with one system's errors.

    Raises SearchError when the system is not scored or nothing has both.
    """
    asked = audit.fairness or FairnessConfig()
    columns = _list_columns(audit, store, labels)
    sensitive = tuple(name for name in list_sensitive(audit) if name in columns)
    adjust_for = tuple(name for name in asked.adjust_for if name in columns)
    samples = load_samples(store).samples
    error_id = find_error_id(store, system)
    chosen = [columns[name] for name in dict.fromkeys((*sensitive, *adjust_for))]
    with store.connect() as connection:
        table = join_labels(connection, samples["sample_id"], chosen, error_id=error_id)
    if table.errors.is_empty():
        raise SearchError(f"system {system!r}: no sample has both an error and a group")
    known = order_values(audit, store, sensitive, labels=labels)
    table = replace(table, attributes=_name_values(table.attributes, known))
    rows = pl.DataFrame({"sample_id": table.sample_ids})
    placed = rows.join(samples, on="sample_id", how="left", maintain_order="left")
    return Compared(table, sensitive, adjust_for, store.read_outcomes(error_id), placed["path"])


@shard_task(name="compare groups")
def measure_groups(compared: Compared, asked: FairnessConfig, gates: Gates | None) -> Fairness:
    """Measure the gaps between the groups of one system as a task."""
    return measure_fairness(
        compared.table.attributes,
        compared.table.errors.to_numpy(),
        sensitive=compared.sensitive,
        adjust_for=compared.adjust_for,
        cluster_ids=compared.table.groups,
        outcomes=compared.outcomes,
        sample_ids=compared.table.sample_ids,
        paths=compared.paths,
        positive=asked.positive,
        max_level=asked.max_level,
        min_group=asked.min_group,
        smallest_gap=gates.max_gap if gates else None,
    )


def hash_asked(audit: Audit) -> str:
    """Return the hash of what the audit asks of groups and gates."""
    asked = [section.model_dump_json() for section in (audit.fairness, audit.gates) if section]
    return hashlib.sha256("\0".join(asked).encode()).hexdigest()[:16]


def read_gaps(store: Store, run_id: str) -> tuple[dict[str, Any], ...]:
    """Return the gaps in error that a run measured, those that hold up first, by size."""
    gaps = store.read_result(run_id, "gaps")
    return () if gaps is None else tuple(order_gaps(gaps).drop("run_id").to_dicts())


def describe_failures(store: Store, run_id: str) -> str:
    """Return in words which groups fail the gates."""
    verdicts = store.read_result(run_id, "verdicts")
    if verdicts is None:
        return "the gates fail"
    lines = [
        f"  - {row['system']}: {write_predicates(row['predicates'])} (by {row['labels']} labels, "
        f"n {row['n']:,}): error {row['difference']:+.3g} against the rest"
        for row in select_failures(verdicts).to_dicts()
    ]
    return "\n".join(["the gates fail; everything else is done", *lines])


def _list_columns(audit: Audit, store: Store, labels: Labels) -> dict[str, LabelColumn]:
    """Return the labels of each attribute; with labels = "truth" groups are by true values alone.

    Covariates are by true values where there are any, else as labelled.
    """
    columns, truth = list_labelled(audit, store)
    if labels == "predicted":
        return columns
    untrue = set(list_sensitive(audit)) - set(truth)
    return {**{name: one for name, one in columns.items() if name not in untrue}, **truth}


def _name_values(attributes: pl.DataFrame, known: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Let columns know also the values that no row has: an empty group is told, not passed over."""
    return attributes.with_columns(
        attributes[name].cast(pl.Enum([*dict.fromkeys([*values, *attributes[name].unique()])]))
        for name, values in known.items()
    )


def _describe(
    system: str, labels: Labels, compared: Compared, fairness: Fairness
) -> dict[str, Any]:
    return {
        "system": system,
        "labels": labels,
        "attributes": list(compared.sensitive),
        "adjust_for": list(compared.adjust_for),
        "samples": len(compared.table.errors),
        "samples_without_labels": compared.table.samples_without_labels,
        "notes": list(fairness.notes),
    }

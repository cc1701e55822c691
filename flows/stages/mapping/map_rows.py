"""What a map shows of its samples: labels, errors of each system, and findings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import note_inputs
from pipeline.arrays import Floats, Ints, Mask
from pipeline.predicates import select_rows
from pipeline.vocabulary import CLUSTER, INSUFFICIENT, UNKNOWN
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import Inputs, LabelManifest, ScoreManifest, SearchRecord
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class MappedFinding:
    """A finding of the last search; inside: (n,) which samples are in it."""

    system: str
    rank: int
    predicates: list[dict[str, str]]
    error: float
    rest_error: float
    inside: Mask


@dataclass(frozen=True)
class MapRows:
    """n samples: attributes one text column each, errors (n,) by system, NaN where not known.

    stale: whether the findings of the last search are left out, because what it searched changed.
    orders: the values of attributes whose files or bins list them, in that order.
    """

    attributes: pl.DataFrame
    errors: Mapping[str, Floats]
    findings: tuple[MappedFinding, ...]
    stale: bool
    orders: Mapping[str, tuple[str, ...]]


def read_map_rows(resolved: ResolvedAudit, store: Store, samples: pl.DataFrame) -> MapRows:
    """Return what is known of samples, in their order; nothing of what no stage made yet.

    samples: sample_id and parent_id.
    """
    label, scored = LabelManifest.find(store.folder), ScoreManifest.find(store.folder)
    attributes, orders = pl.DataFrame(), {}
    if label is not None:
        columns, _ = choose_columns(
            label, label_source=resolved.audit.slices.labels, of_objects=resolved.of_objects
        )
        orders = {one.attribute: one.values for one in columns}
        attributes = pl.DataFrame(
            {
                one.attribute: _join(
                    samples, store.read_labels([one.label_id]), of_image=one.of_image
                ).fill_null(UNKNOWN)
                for one in columns
            }
        )
    errors: dict[str, Floats] = {}
    if scored is not None:
        stored = store.read("errors").select("sample_id", "error_id", value="error")
        for system, one in scored.systems.items():
            own = stored.filter(pl.col("error_id") == one.error_id)
            errors[system] = _join(samples, own).cast(pl.Float64).fill_null(np.nan).to_numpy()
    findings, stale = _read_findings(store, attributes, orders, errors)
    return MapRows(attributes, errors, findings, stale, orders)


def stratify(rows: MapRows, n: int) -> Ints:
    """Return (n,) the smallest finding that each sample is in, from 1; 0 outside of all."""
    strata = np.zeros(n, dtype=np.int64)
    by_size = sorted(rows.findings, key=lambda one: -int(one.inside.sum()))
    for number, finding in enumerate(by_size, 1):
        strata[finding.inside] = number
    return strata


def _join(samples: pl.DataFrame, rows: pl.DataFrame, *, of_image: bool = False) -> pl.Series:
    key = "parent_id" if of_image else "sample_id"
    picked = rows.select("sample_id", "value")
    joined = samples.select(key).join(
        picked, left_on=key, right_on="sample_id", how="left", maintain_order="left"
    )
    return joined["value"]


def _read_findings(
    store: Store,
    attributes: pl.DataFrame,
    orders: Mapping[str, tuple[str, ...]],
    errors: Mapping[str, Floats],
) -> tuple[tuple[MappedFinding, ...], bool]:
    run = find_last_search(store)
    if run is None or attributes.is_empty() or not errors:
        return (), False
    search = SearchRecord.from_json(run["search"], source=f"{store.database}, {run['run_id']}")
    if _leave_out_clusters(search.inputs) != _leave_out_clusters(
        note_inputs(store, store.read_samples())
    ):
        return (), True
    own = pl.col("run_id") == run["run_id"]
    found = store.read("findings").filter(own & (pl.col("state") != INSUFFICIENT))
    findings = [
        MappedFinding(
            row["system"],
            row["rank"],
            row["predicates"],
            row["error"],
            row["rest_error"],
            select_rows(attributes, row["predicates"], orders=orders).to_numpy()
            & np.isfinite(errors[row["system"]]),
        )
        for row in found.sort("system", "rank").to_dicts()
        if row["system"] in errors
        and all(one["attribute"] in attributes.columns for one in row["predicates"])
    ]
    return tuple(findings), False


def _leave_out_clusters(inputs: Inputs) -> Inputs:
    """Return what a search read but for clusters, which change no other label."""
    labels = {name: one for name, one in inputs.labels.items() if name != CLUSTER}
    return inputs.model_copy(update={"labels": labels})

"""The verdict on each attribute of an audit, of what is known of its labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.retrieval.search_session import keep_access
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import refuse_unlabelled
from flows.stages.judging.label_quality import measure_labels
from flows.stages.ranking.sample_classes import read_classes, read_searched_samples
from pipeline.exceptions import ConfigError
from pipeline.tables import IN_USE
from pipeline.trust.attribute_verdicts import Measured, judge_attributes
from pipeline.trust.group_accuracy import NOT_MEASURED, GroupBias, compare_accuracy
from pipeline.vocabulary import MODELLED, UNKNOWN
from pipeline.workspace.kept.kept_trust import TrustManifest, find_attack, put_trust
from pipeline.workspace.known_truth import TRUTH_DRAW, read_known_truth
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store, find_store


@dataclass(frozen=True)
class TrustResult:
    """The table TRUST; notes: in words, what could not be measured and how it can be."""

    trust: pl.DataFrame
    notes: tuple[str, ...]


def judge_trust(resolved: ResolvedAudit, *, groups: tuple[str, ...] = ()) -> TrustResult:
    """Judge the attributes with labels of a model, and keep the table `trust`.

    groups: attributes or columns whose groups are compared; the sensitive attributes when empty.
    Raises ConfigError for a name that is not known, StoreError where nothing is labelled.
    """
    store = find_store(resolved.audit.workspace)
    refuse_unlabelled(resolved, store)
    manifest = LabelManifest.read(store.folder)
    names = [one.name for one in manifest.attributes if one.source in MODELLED]
    if not names:
        raise ConfigError("no label of this audit is made by a model, so there is none to trust")
    with keep_access(store.folder), lock_workspace(store.folder):
        quality = measure_labels(resolved, store)["label_quality"]
        whole = quality.filter(pl.col("value").is_null(), pl.col("method") == IN_USE)
        flips = _read_flips(store, manifest)
        biases = _compare_groups(store, manifest, groups or resolved.sensitive, names)
        table = judge_attributes(
            [
                Measured(
                    name,
                    _find_row(whole, name),
                    _find_row(flips, name) if flips is not None else None,
                    biases.get(name, GroupBias(NOT_MEASURED)),
                )
                for name in names
            ]
        )
        put_trust(table, store, table="trust")
        TrustManifest(
            labels={name: manifest.by_name[name].label_id for name in names},
            truth=dict(manifest.truth),
        ).write(store.folder)
    return TrustResult(table, _list_notes(table))


def _read_flips(store: Store, manifest: LabelManifest) -> pl.DataFrame | None:
    """Return the rows of all areas, of labels as they are now.

    Those without defence; of attributes that a probe labels those of the defence `probe`.
    """
    found = find_attack(store)
    if found is None:
        return None
    made, flips = found
    current = [
        name for name, label_id in made.labels.items()
        if name in manifest.by_name and manifest.by_name[name].label_id == label_id
    ]  # fmt: skip
    probed = [name for name in current if manifest.by_name[name].source == "probe"]
    by_probe = pl.col("attribute").is_in(probed)
    used = pl.when(by_probe).then(pl.lit("probe")).otherwise(pl.lit("none"))
    whole = pl.col("area").is_null() & pl.col("attribute").is_in(current)
    return flips.filter(whole & (pl.col("defence") == used))


def _find_row(frame: pl.DataFrame, name: str) -> Mapping[str, object] | None:
    own = frame.filter(pl.col("attribute") == name)
    return None if own.is_empty() else own.row(0, named=True)


def _compare_groups(
    store: Store,
    manifest: LabelManifest,
    groups: tuple[str, ...],
    names: list[str],
) -> dict[str, GroupBias]:
    """Compare the labels of each attribute between groups, where true values are known."""
    known = read_known_truth(store, manifest).filter(pl.col("draw") == TRUTH_DRAW)
    if known.is_empty() or not groups:
        return {}
    samples = read_searched_samples(store)
    groupings = {
        name: read_classes(store, samples, name, option="--groups", may_be_modelled=True).values
        for name in groups
    }
    frame = samples.select("sample_id", "group", *(
        values.alias(f"by {name}") for name, values in groupings.items()
    ))  # fmt: skip
    found = {}
    for name in names:
        labels = store.read_labels([manifest.by_name[name].label_id])
        true = known.filter(pl.col("attribute") == name).select("sample_id", true="value")
        rows = frame.join(labels.select("sample_id", "value"), on="sample_id", how="inner")
        rows = rows.join(true, on="sample_id", how="inner").sort("sample_id")
        rows = rows.filter(pl.col("value") != UNKNOWN)
        right = (rows["value"] == rows["true"]).to_numpy().astype(np.float64)
        others = {group: rows[f"by {group}"] for group in groupings if group != name}
        if len(right) and others:
            found[name] = compare_accuracy(right, others, rows["group"])
    return found


def _list_notes(table: pl.DataFrame) -> tuple[str, ...]:
    notes = []
    if (table["quality"] == NOT_MEASURED).any():
        notes.append(
            "Label quality is known where true values are given or labels were checked: "
            "[dataset.truth], or `weakspot check-labels`."
        )
    if (table["text"] == NOT_MEASURED).any():
        notes.append("Whether labels read text is measured by `weakspot attack typographic`.")
    if (table["bias"] == NOT_MEASURED).any():
        notes.append("Groups are compared where true values are known; --groups names them.")
    notes.append("Leakage, labels decided outside of the object, is not measured yet.")
    return tuple(notes)

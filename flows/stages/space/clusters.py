"""Samples that lie close together in the embedding space become labels of one more attribute."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from flows.run.reading.audited_space import AuditedSpace, open_space
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import refuse_unlabelled
from pipeline.clusters.cluster_methods import (
    LEAST,
    ClusterSettings,
    cluster_vectors,
    complete_settings,
)
from pipeline.clusters.cluster_values import label_clusters, name_clusters
from pipeline.clusters.dbscan import NOISE
from pipeline.clusters.purity import Agreement, compare_clusters
from pipeline.clusters.sweep_settings import (
    MIN_POINTS,
    SweptSetting,
    propose_eps,
    sweep_settings,
)
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.vocabulary import CLUSTER, UNKNOWN
from pipeline.workspace.kept.kept_clusters import put_clusters
from pipeline.workspace.label_columns import list_columns, list_true_columns
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class Clustered:
    """What was clustered.

    settings: with what was left open filled in. sizes: value and n of each cluster, largest first.
    agreement: with the values of `against`, where one was named. missing: samples without vector.
    """

    settings: ClusterSettings
    samples: int
    sizes: pl.DataFrame
    agreement: Agreement
    against: str | None
    missing: int


@dataclass(frozen=True)
class Swept:
    """Settings of DBSCAN side by side; majority: share of the most frequent value of `against`."""

    samples: int
    settings: list[SweptSetting]
    against: str | None
    majority: float | None


def make_clusters(
    resolved: ResolvedAudit, store: Store, asked: ClusterSettings, *, against: str | None = None
) -> Clustered:
    """Cluster the samples of an audit; keep the clusters as labels of the attribute "cluster".

    against: an attribute whose values the clusters are compared with, true ones where known. Raises
    ConfigError for an unknown attribute, too few samples, or an attribute of the audit's own named
    "cluster"; StoreError where nothing is labelled or embedded.
    """
    if any(one.name == CLUSTER for one in resolved.attributes):
        raise ConfigError(f"{resolved.audit.name} has an attribute {CLUSTER!r}; rename that first")
    refuse_unlabelled(resolved, store)
    space = open_space(resolved, store)
    values = None if against is None else read_values(resolved, store, space, against)
    vectors = space.read_unit_vectors()
    settings = complete_settings(asked, vectors)
    labels = cluster_vectors(vectors, settings)
    names = name_clusters(labels, _read_attributes(resolved, store, space))
    sample_ids = space.samples["sample_id"]
    inside = [names[number] if number != NOISE else "" for number in labels]
    label_id = _make_label_id(space, settings, sample_ids, inside)
    rows = label_clusters(sample_ids, labels, names, label_id=label_id)
    put_clusters(store, rows, _describe(resolved, label_id, settings, names, rows))
    sizes = rows.group_by("value").len("n").filter(pl.col("value") != UNKNOWN).sort("value")
    return Clustered(
        settings, len(sample_ids), sizes, compare_clusters(labels, values), against, space.missing
    )


def sweep_clusters(
    resolved: ResolvedAudit,
    store: Store,
    *,
    against: str | None = None,
    eps: Sequence[float] = (),
    min_points: Sequence[int] = (),
) -> Swept:
    """Cluster by DBSCAN with many settings, and compare each with known values; keep nothing.

    eps, min_points: what to try; without them what the distances between samples propose. Raises
    as `make_clusters`.
    """
    space = open_space(resolved, store)
    values = None if against is None else read_values(resolved, store, space, against)
    vectors = space.read_unit_vectors()
    if len(vectors) < LEAST:
        raise ConfigError(
            f"{len(vectors):,} samples have vectors, too few to cluster; {LEAST} are needed"
        )
    counts = [one for one in min_points or MIN_POINTS if one <= len(vectors)]
    found = sweep_settings(
        vectors, values, eps=list(eps) or propose_eps(vectors), min_points=counts
    )
    majority = None
    if values is not None:
        counted = pl.Series(values).value_counts()["count"]
        majority = float(counted.to_numpy().max() / len(values))
    return Swept(len(vectors), found, against, majority)


def read_values(resolved: ResolvedAudit, store: Store, space: AuditedSpace, name: str) -> list[str]:
    """Return the value of one attribute for each sample of a space, true ones where known.

    Raises ConfigError for a name that is neither an attribute of the audit nor has true values.
    """
    manifest = LabelManifest.read(store.folder)
    columns = list_columns(manifest, of_objects=resolved.of_objects)
    columns |= list_true_columns(manifest)
    columns.pop(CLUSTER, None)
    if name not in columns:
        raise ConfigError(
            f"{resolved.audit.name}: no attribute {name!r} is labelled; {nearest(name, columns)}"
        )
    column = columns[name]
    labels = store.read_labels([column.label_id]).select("sample_id", "value")
    key = "parent_id" if column.of_image else "sample_id"
    joined = space.samples.join(
        labels, left_on=key, right_on="sample_id", how="left", maintain_order="left"
    )
    return joined["value"].fill_null(UNKNOWN).to_list()


def _read_attributes(resolved: ResolvedAudit, store: Store, space: AuditedSpace) -> pl.DataFrame:
    manifest = LabelManifest.read(store.folder)
    names = [one.name for one in manifest.attributes if one.source != CLUSTER]
    return pl.DataFrame({name: read_values(resolved, store, space, name) for name in names})


def _make_label_id(
    space: AuditedSpace, settings: ClusterSettings, sample_ids: pl.Series, values: Sequence[str]
) -> str:
    """Return 16 hex digits of encoder, settings and who is in which cluster."""
    digest = hashlib.sha256(repr((space.encoder_id, settings)).encode())
    digest.update(pl.DataFrame({"sample_id": sample_ids, "value": values}).write_csv().encode())
    return digest.hexdigest()[:16]


def _describe(
    resolved: ResolvedAudit,
    label_id: str,
    settings: ClusterSettings,
    names: Sequence[str],
    rows: pl.DataFrame,
) -> LabelledAttribute:
    outside = rows.filter(pl.col("value") == UNKNOWN).height
    note = f"cluster: {len(names):,} clusters by {describe_settings(settings)}"
    if outside:
        note += f"; {outside:,} samples in none are unknown"
    return LabelledAttribute(
        name=CLUSTER,
        label_id=label_id,
        kind=CLUSTER,
        source="cluster",
        applies_to="object" if resolved.of_objects else "image",
        values=tuple(names),
        notes=(note,),
    )


def describe_settings(settings: ClusterSettings) -> str:
    """Write settings: "dbscan, eps 0.2, min points 10"."""
    if settings.method == "kmeans":
        return f"kmeans, {settings.count} centers"
    eps = f", eps {settings.eps:g}" if settings.method == "dbscan" and settings.eps else ""
    return f"{settings.method}{eps}, min points {settings.min_points}"

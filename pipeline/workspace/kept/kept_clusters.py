"""Clusters as kept: labels of the attribute "cluster", and their entry in the manifest of labels.

They are made by a command of their own; each labelling of an audit carries them on.
"""

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.tables import LABELS, check
from pipeline.vocabulary import CLUSTER, UNKNOWN
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.store import Store
from pipeline.workspace.stored_labels import list_unlabelled


def put_clusters(store: Store, labels: pl.DataFrame, entry: LabelledAttribute) -> None:
    """Keep clusters as the labels of the attribute "cluster", in place of earlier ones.

    labels: the `labels` table, one row a sample. Raises StoreError when nothing is labelled yet.
    """
    manifest = LabelManifest.read(store.folder)
    store.put_labels(labels)
    others = tuple(one for one in manifest.attributes if one.name != CLUSTER)
    manifest.model_copy(update={"attributes": (*others, entry)}).write(store.folder)


def forget_clusters(store: Store) -> bool:
    """Take the attribute "cluster" out of the labels in use; return whether it was there."""
    manifest = LabelManifest.read(store.folder)
    others = tuple(one for one in manifest.attributes if one.source != CLUSTER)
    manifest.model_copy(update={"attributes": others}).write(store.folder)
    return len(others) < len(manifest.attributes)


def carry_clusters(
    store: Store, targets: pl.DataFrame, *, encoder_id: str | None
) -> tuple[LabelledAttribute | None, int]:
    """Return the entry of the clusters made last, and how many samples came since.

    targets: the samples that can have a cluster; those without one get "unknown". None where there
    are no clusters, or they are of vectors of another encoder.
    """
    try:
        last = LabelManifest.find(store.folder)
    except StoreError:  # of another version: what is labelled now replaces it
        return None, 0
    entry = None if last is None else last.by_name.get(CLUSTER)
    if last is None or entry is None or entry.source != CLUSTER:
        return None, 0
    if encoder_id is not None and last.encoder_id not in (None, encoder_id):
        return None, 0
    lacking = list_unlabelled(store, targets["sample_id"], entry.label_id)
    rows = pl.DataFrame({"sample_id": lacking}).select(
        "sample_id",
        pl.lit(CLUSTER).alias("attribute"),
        pl.lit(CLUSTER).alias("source"),
        pl.lit(UNKNOWN).alias("value"),
        pl.lit(None, dtype=pl.Float64).alias("score"),
        pl.lit(None, dtype=pl.Float64).alias("margin"),
        pl.lit(entry.label_id).alias("label_id"),
    )
    store.put_labels(check(rows, LABELS, table="labels"))
    return entry, len(lacking)

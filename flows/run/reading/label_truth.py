"""The labels of a workspace beside what true values and checks say of them."""

from collections.abc import Sequence

import polars as pl

from pipeline.slices.known_labels import NOT_GIVEN, KnownLabels
from pipeline.tables import empty
from pipeline.vocabulary import MODELLED, UNKNOWN
from pipeline.workspace.known_truth import KNOWN_TRUTH, read_known_truth
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store


def read_truth_of_labels(
    store: Store, manifest: LabelManifest, columns: Sequence[LabelColumn]
) -> pl.DataFrame:
    """Return KNOWN_TRUTH of the workspace, once for all systems; none where no model labelled."""
    if not list_modelled(manifest, columns):
        return empty(KNOWN_TRUTH)
    return read_known_truth(store, manifest)


def read_known_labels(
    store: Store, manifest: LabelManifest, columns: Sequence[LabelColumn], table: SearchTable
) -> KnownLabels:
    """Return what the workspace knows of the labels of one table, see `join_known_labels`."""
    known = read_truth_of_labels(store, manifest, columns)
    return join_known_labels(known, manifest, columns, table)


def join_known_labels(
    known: pl.DataFrame, manifest: LabelManifest, columns: Sequence[LabelColumn], table: SearchTable
) -> KnownLabels:
    """Return what true values and checks say of the labels of a table.

    known: KNOWN_TRUTH. columns: those that the table was made of. What is known of an image holds
    for its objects. Measured and given labels and true values are what they are: nothing is looked
    up for them.
    """
    modelled = list_modelled(manifest, columns)
    labels, truth, inclusion = [], [], []
    for column in table.attributes.iter_columns():
        name, own = column.name, column.cast(pl.String)
        if name in modelled:
            found = _align(known.filter(pl.col("attribute") == name), table)
        else:
            own = own.replace(UNKNOWN, NOT_GIVEN)
            found = pl.DataFrame({"value": own, "inclusion": pl.repeat(1.0, len(own), eager=True)})
        labels.append(own)
        truth.append(found["value"].alias(name))
        inclusion.append(found["inclusion"].alias(name))
    return KnownLabels(
        labels=pl.DataFrame(labels),
        truth=pl.DataFrame(truth),
        inclusion=pl.DataFrame(inclusion),
        modelled=modelled,
        errors=table.errors.to_numpy(),
        cluster_ids=table.cluster_ids,
        orders=table.orders,
    )


def list_modelled(manifest: LabelManifest, columns: Sequence[LabelColumn]) -> frozenset[str]:
    """Return the attributes of the columns whose labels a model made; true values are none."""
    made = {one.label_id for one in manifest.attributes if one.source in MODELLED}
    return frozenset(column.attribute for column in columns if column.label_id in made)


def _align(known: pl.DataFrame, table: SearchTable) -> pl.DataFrame:
    """Return (n,) value and inclusion of one attribute: of the sample, else of its image."""
    rows = pl.DataFrame({"sample_id": table.sample_ids, "image": table.cluster_ids})
    values = known.select("sample_id", "value", "inclusion")
    joined = rows.join(values, on="sample_id", how="left", maintain_order="left").join(
        values.rename({"sample_id": "image"}), on="image", how="left", maintain_order="left",
        suffix="_of_image",
    )  # fmt: skip
    of_sample = pl.col("value").is_not_null()
    return joined.select(
        pl.when(of_sample).then(name).otherwise(f"{name}_of_image").alias(name)
        for name in ("value", "inclusion")
    )

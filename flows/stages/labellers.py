"""Attributes made ready to label: prompts encoded, edges resolved, columns at hand."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.stages.encoders import LoadEncoder, identify_encoder, require_encoder
from flows.stages.prompts import encode_prompts
from flows.stages.stored_texts import measure_stored_texts
from pipeline.config.audit import Audit
from pipeline.exceptions import StoreError
from pipeline.images.measure import MEASURE_VERSION
from pipeline.labels.attribute_file import Attribute, hash_attribute, make_label_id
from pipeline.labels.given import label_given, select_targets
from pipeline.labels.measured import (
    bin_values,
    get_raw_measure,
    list_bins,
    needs_neighbors,
    needs_text,
    resolve_edges,
    take_values,
)
from pipeline.labels.zero_shot import Prototypes, label_samples, list_prompts, make_prototypes
from pipeline.samples.sample_set import SampleSet
from pipeline.tables import Vectors
from pipeline.workspace.shards import read_measurements
from pipeline.workspace.store import Store

Label = Callable[[pl.DataFrame, Vectors | None], pl.DataFrame]


@dataclass(frozen=True)
class Labeller:
    """One attribute ready to label: `label` makes labels of samples and, for prompts, vectors."""

    attribute: Attribute
    label_id: str
    source: str
    label: Label
    encoder_id: str | None = None  # set when `label` needs vectors
    edges: tuple[float, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return what later stages and the report must know of it."""
        return {
            "name": self.attribute.name,
            "label_id": self.label_id,
            "kind": self.attribute.kind,
            "source": self.source,
            "applies_to": self.attribute.applies_to,
            "sensitive": self.attribute.sensitive,
            "reference": self.attribute.reference,
            "asked": hash_attribute(self.attribute),
            "edges": list(self.edges),
            "values": self._list_values(),
        }

    def _list_values(self) -> list[str]:
        """Return the values in the order to show them; none where the data alone knows them."""
        if self.attribute.kind == "measured":
            return list_bins(self.attribute, self.edges)
        return list(self.attribute.values)


def make_labellers(
    attributes: Sequence[Attribute],
    audit: Audit,
    sample_set: SampleSet,
    store: Store,
    load: LoadEncoder,
) -> tuple[list[Labeller], int]:
    """Make a labeller of every attribute, in order; return them and the prompts encoded."""
    shown, encoded = _make_shown(attributes, audit, store, load)
    labellers = []
    for attribute in attributes:
        if attribute.kind == "prompts":
            labellers.append(shown[attribute.name])
        elif attribute.kind == "measured":
            labellers.append(_make_measured(attribute, sample_set, store))
        else:
            labellers.append(_make_given(attribute, sample_set.columns))
    return labellers, encoded


def _make_shown(
    attributes: Sequence[Attribute], audit: Audit, store: Store, load: LoadEncoder
) -> tuple[dict[str, Labeller], int]:
    prompted = [attribute for attribute in attributes if attribute.kind == "prompts"]
    if not prompted:
        return {}, 0
    config = require_encoder(audit)
    card = identify_encoder(config, store, load)
    texts = list(dict.fromkeys(text for a in prompted for text in list_prompts(a)))
    vectors, encoded = encode_prompts(texts, store, card.encoder_id, lambda: load(config))
    labellers = {}
    for attribute in prompted:
        prototypes = make_prototypes(attribute, vectors, logit_scale=card.logit_scale)
        label_id = make_label_id(attribute, card.encoder_id)
        labellers[attribute.name] = Labeller(
            attribute=attribute,
            label_id=label_id,
            source="zero-shot",
            label=_label_by(prototypes, label_id),
            encoder_id=card.encoder_id,
        )
    return labellers, encoded


def _label_by(prototypes: Prototypes, label_id: str) -> Label:
    def label(rows: pl.DataFrame, vectors: Vectors | None) -> pl.DataFrame:
        """Label the rows that have a vector; the others were rejected when they were decoded."""
        if vectors is None:
            raise StoreError("no vectors are stored; run `weakspot embed` first")
        places = pl.DataFrame({"content_key": vectors.keys}).with_row_index("place")
        there = rows.join(places, on="content_key", how="inner", maintain_order="left")
        taken = vectors.values[there["place"].to_numpy()]
        own = Vectors(there["content_key"], taken, vectors.encoder_id)
        return label_samples(own, prototypes, sample_ids=there["sample_id"], label_id=label_id)

    return label


def _make_measured(attribute: Attribute, sample_set: SampleSet, store: Store) -> Labeller:
    measure = get_raw_measure(attribute)
    measurements, version = None, MEASURE_VERSION
    if needs_text(attribute):
        measurements, version = measure_stored_texts(sample_set.samples, store)
    elif measure is not None:
        right = (pl.col("measure") == measure) & (pl.col("measure_version") == MEASURE_VERSION)
        measurements = read_measurements(store.measurements).filter(right)
    neighbors = _choose_neighbors(sample_set) if needs_neighbors(attribute) else None
    targets = select_targets(sample_set.samples, attribute)
    values = take_values(attribute, targets, measurements, objects=neighbors)
    if measurements is not None:  # samples whose pixels could not be measured were rejected
        values = values.drop_nulls("value")
    edges = resolve_edges(attribute, values["value"])
    made_from = version if measurements is not None else "size"
    if needs_neighbors(attribute):  # a new one changes an object's number, but not its content key
        made_from = _hash_rows(values)
    label_id = make_label_id(attribute, made_from, *edges)

    def label(rows: pl.DataFrame, _vectors: Vectors | None) -> pl.DataFrame:
        own = values.filter(pl.col("sample_id").is_in(rows["sample_id"].implode()))
        return bin_values(attribute, own, edges=edges, label_id=label_id)

    return Labeller(attribute, label_id, "measured", label, edges=edges)


def _make_given(attribute: Attribute, columns: pl.DataFrame) -> Labeller:
    name = attribute.given_column
    content = columns.select("sample_id", pl.col(name).alias("cell"))
    label_id = make_label_id(attribute, _hash_rows(content))

    def label(rows: pl.DataFrame, _vectors: Vectors | None) -> pl.DataFrame:
        own = columns.filter(pl.col("sample_id").is_in(rows["sample_id"].implode()))
        return label_given(attribute, own, label_id=label_id)

    return Labeller(attribute, label_id, "given", label)


def _choose_neighbors(sample_set: SampleSet) -> pl.DataFrame:
    """Return the true objects of the categories of the audit, also those that are no samples."""
    asked = sample_set.categories.filter(pl.col("asked"))
    return sample_set.objects.join(asked, on=["source", "category"], how="semi")


def _hash_rows(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()

"""Attributes ready to label: frozen values that make the labels of any of their samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
import polars as pl

from pipeline.arrays import Vectors
from pipeline.exceptions import StoreError
from pipeline.images.crop import find_small
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.given import label_given, make_labels
from pipeline.labels.measured import bin_values, list_bins
from pipeline.labels.probes.examples import Examples
from pipeline.labels.probes.linear_probe import Probe
from pipeline.labels.zero_shot import Prototypes, label_samples
from pipeline.tables import LABELS, empty

Source = Literal["zero-shot", "probe", "measured", "given"]


class Labeller(Protocol):
    """Labels samples with one attribute."""

    @property
    def attribute(self) -> Attribute:
        """What it labels with."""

    @property
    def label_id(self) -> str:
        """Hash of the attribute and of what its labels are made from."""

    @property
    def source(self) -> Source:
        """How it labels."""

    @property
    def encoder_id(self) -> str | None:
        """The encoder whose vectors it needs, None where it needs none."""

    @property
    def edges(self) -> tuple[float, ...]:
        """The edges of its bins, none where it has no bins."""

    @property
    def values(self) -> tuple[str, ...]:
        """Its values in the order to show them; none where the data alone knows them."""

    def take(self, sample_ids: pl.Series) -> Self:
        """Return it with what it needs for these samples alone: what a task gets."""

    def label(self, samples: pl.DataFrame, vectors: Vectors | None) -> pl.DataFrame:
        """Return `labels` of the samples rows that it can label; vectors: of their content."""


@dataclass(frozen=True)
class PromptLabeller:
    """Labels by likeness to prompts; min_size: pixels, objects with a shorter side are unknown.

    notes: on how its margins were chosen, in words.
    """

    attribute: Attribute
    label_id: str
    prototypes: Prototypes
    min_size: float = 1.0
    notes: tuple[str, ...] = ()
    source: ClassVar[Source] = "zero-shot"
    edges: ClassVar[tuple[float, ...]] = ()

    @property
    def encoder_id(self) -> str:
        """The encoder of the prompts."""
        return self.prototypes.encoder_id

    @property
    def values(self) -> tuple[str, ...]:
        """The values in the order of the attribute file."""
        return tuple(self.attribute.values)

    def take(self, _sample_ids: pl.Series) -> Self:
        """Return itself: prompts are the same for all samples."""
        return self

    def label(self, samples: pl.DataFrame, vectors: Vectors | None) -> pl.DataFrame:
        """Label the rows that have a vector, and as "unknown" objects too small to have one.

        The others were rejected when they were decoded.
        """
        sample_ids, own, unknown = _match_vectors(self, samples, vectors, min_size=self.min_size)
        if sample_ids.is_empty():
            return unknown
        known = label_samples(own, self.prototypes, sample_ids=sample_ids, label_id=self.label_id)
        return pl.concat([known, unknown])


@dataclass(frozen=True)
class ProbeLabeller:
    """Labels by a probe trained on known values; min_size: as that of PromptLabeller.

    margins: for each value of the probe the margin under which it is "unknown"; the attribute's own
    where None. notes: what is to be said of them.
    """

    attribute: Attribute
    label_id: str
    probe: Probe
    min_size: float = 1.0
    margins: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()
    source: ClassVar[Source] = "probe"
    edges: ClassVar[tuple[float, ...]] = ()

    @property
    def encoder_id(self) -> str:
        """The encoder on whose vectors the probe was trained."""
        return self.probe.encoder_id

    @property
    def values(self) -> tuple[str, ...]:
        """The values in the order of the attribute file, also those that the probe left out."""
        return tuple(self.attribute.values)

    def take(self, _sample_ids: pl.Series) -> Self:
        """Return itself: the probe is the same for all samples."""
        return self

    def label_examples(self, examples: Examples) -> pl.DataFrame:
        """Return `labels` of samples whose true value is known, in their order."""
        vectors = Vectors(examples.sample_ids, examples.vectors.astype(np.float32), self.encoder_id)
        return self._label_vectors(vectors, examples.sample_ids)

    def label(self, samples: pl.DataFrame, vectors: Vectors | None) -> pl.DataFrame:
        """Label the rows that have a vector, and as "unknown" objects too small to have one."""
        sample_ids, own, unknown = _match_vectors(self, samples, vectors, min_size=self.min_size)
        if sample_ids.is_empty():
            return unknown
        return pl.concat([self._label_vectors(own, sample_ids), unknown])

    def _label_vectors(self, vectors: Vectors, sample_ids: pl.Series) -> pl.DataFrame:
        return self.probe.label(
            vectors,
            sample_ids=sample_ids,
            min_margin=self.margins or self.attribute.stated_margin,
            label_id=self.label_id,
        )


@dataclass(frozen=True)
class MeasuredLabeller:
    """Labels by the bin that a number lies in; numbers: sample_id and value."""

    attribute: Attribute
    label_id: str
    numbers: pl.DataFrame
    edges: tuple[float, ...] = ()
    source: ClassVar[Source] = "measured"
    encoder_id: ClassVar[None] = None

    @property
    def values(self) -> tuple[str, ...]:
        """The bins, lowest first."""
        return tuple(list_bins(self.attribute, self.edges))

    def take(self, sample_ids: pl.Series) -> Self:
        """Return it with the numbers of these samples."""
        return replace(self, numbers=_select(self.numbers, sample_ids))

    def label(self, samples: pl.DataFrame, _vectors: Vectors | None) -> pl.DataFrame:
        """Label the rows that have a number; the others were rejected when they were decoded."""
        own = _select(self.numbers, samples["sample_id"])
        return bin_values(self.attribute, own, edges=self.edges, label_id=self.label_id)


@dataclass(frozen=True)
class GivenLabeller:
    """Labels by the cell of a column; columns: sample_id and the column."""

    attribute: Attribute
    label_id: str
    columns: pl.DataFrame
    source: ClassVar[Source] = "given"
    encoder_id: ClassVar[None] = None
    edges: ClassVar[tuple[float, ...]] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The values that the attribute names; none where every cell is one."""
        return tuple(self.attribute.values)

    def take(self, sample_ids: pl.Series) -> Self:
        """Return it with the cells of these samples."""
        return replace(self, columns=_select(self.columns, sample_ids))

    def label(self, samples: pl.DataFrame, _vectors: Vectors | None) -> pl.DataFrame:
        """Label every row."""
        own = _select(self.columns, samples["sample_id"])
        return label_given(self.attribute, own, label_id=self.label_id)


def label_missing(
    samples: pl.DataFrame,
    lacking: pl.DataFrame,
    labellers: Sequence[Labeller],
    vectors: Vectors | None,
) -> pl.DataFrame:
    """Return the labels that samples lack, of every attribute.

    samples: (n) rows of the samples table. lacking: (n, attributes) booleans, which of them lack
    the label of each labeller. vectors: of the samples' content, where a labeller needs some.
    """
    found = [
        labeller.label(rows, vectors)
        for labeller, lacks in zip(labellers, lacking.iter_columns(), strict=True)
        if not (rows := samples.filter(lacks)).is_empty()
    ]
    return pl.concat([empty(LABELS), *found])


def _match_vectors(
    labeller: PromptLabeller | ProbeLabeller,
    samples: pl.DataFrame,
    vectors: Vectors | None,
    *,
    min_size: float,
) -> tuple[pl.Series, Vectors, pl.DataFrame]:
    """Return the samples that have a vector, their vectors, and labels of those too small."""
    small = find_small(samples, min_size=min_size)
    nothing = pl.Series([None] * int(small.sum()), dtype=pl.String)
    unknown = make_labels(
        samples["sample_id"].filter(small),
        nothing,
        labeller.attribute.name,
        labeller.source,
        labeller.label_id,
    )
    samples = samples.filter(~small)
    if vectors is None:
        if samples.height:
            raise StoreError("no vectors are stored; run `weakspot embed` first")
        vectors = Vectors(samples["content_key"], np.zeros((0, 0), np.float32), labeller.encoder_id)
    rows = pl.DataFrame({"content_key": vectors.keys}).with_row_index("row")
    there = samples.join(rows, on="content_key", how="inner", maintain_order="left")
    values = vectors.values[there["row"].to_numpy()]
    own = Vectors(there["content_key"], values, vectors.encoder_id)
    return there["sample_id"], own, unknown


def _select(frame: pl.DataFrame, sample_ids: pl.Series) -> pl.DataFrame:
    return frame.filter(pl.col("sample_id").is_in(sample_ids.implode()))

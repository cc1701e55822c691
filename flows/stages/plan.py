"""What an audit still has to do: which attributes, and which samples lack vectors or measures."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.stages.encoders import LoadEncoder, identify_encoder, require_encoder
from pipeline.config.audit import Audit
from pipeline.images.image_pass import list_rejects
from pipeline.images.measure import MEASURE_VERSION
from pipeline.labels.attribute_file import Attribute, read_attributes
from pipeline.labels.given import label_given, select_targets
from pipeline.labels.measured import get_raw_measure, refuse_whole_images
from pipeline.workspace.shards import read_broken, read_measurements, stored_keys
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class EmbedPlan:
    """What is left to decode: samples that need a vector, samples that need measures alone."""

    to_encode: pl.DataFrame
    to_measure: pl.DataFrame
    shard_size: int = 2048

    @property
    def size(self) -> int:
        """How many samples will be decoded."""
        return self.to_encode.height + self.to_measure.height

    def cut(self) -> list[tuple[pl.DataFrame, bool]]:
        """Return the blocks of the shards, and whether each is encoded."""
        encode = [(block, True) for block in self.to_encode.iter_slices(self.shard_size)]
        return encode + [(block, False) for block in self.to_measure.iter_slices(self.shard_size)]


def read_audit_attributes(audit: Audit) -> list[Attribute]:
    """Read the attributes that an audit uses; their paths are absolute already."""
    return read_attributes(audit.attributes.use, base=Path(), given=audit.attributes.given)


def check_given(audit: Audit, columns: pl.DataFrame) -> None:
    """Raise DatasetError for a given attribute without its column, before hours of work.

    columns: as in SampleSet. Raises ConfigError for an attribute of boxes in an image audit.
    """
    attributes = read_audit_attributes(audit)
    if audit.dataset.sample == "image":
        refuse_whole_images(attributes)
    for attribute in attributes:
        if attribute.kind == "given":
            label_given(attribute, columns, label_id="")


def plan_embedding(
    audit: Audit, samples: pl.DataFrame, store: Store, load: LoadEncoder, *, keep: bool = True
) -> EmbedPlan:
    """Find the samples whose attributes need a vector or a measurement that is not stored.

    The rows keep the boxes of one image together, so that it is decoded once. keep: whether a
    new encoder is noted in the workspace.
    """
    attributes = read_audit_attributes(audit)
    prompted = [a for a in attributes if a.kind == "prompts"]
    measured = [a for a in attributes if a.kind == "measured" and get_raw_measure(a)]
    nothing = samples.clear()
    broken = read_broken(store.broken)["content_key"]
    needs_vector = pl.concat([nothing, *(select_targets(samples, a) for a in prompted)])
    needs_measure = pl.concat([nothing, *(select_targets(samples, a) for a in measured)])
    encoded = pl.Series("content_key", [], dtype=pl.String)
    if not needs_vector.is_empty():
        card = identify_encoder(require_encoder(audit), store, load, keep=keep)
        encoded = stored_keys(store.embeddings / card.encoder_id)
    right_version = pl.col("measure_version") == MEASURE_VERSION
    known = read_measurements(store.measurements).filter(right_version)["content_key"]
    to_encode = leave_out(needs_vector, encoded, broken)
    to_measure = leave_out(needs_measure, known, broken, to_encode["content_key"])
    if audit.encoder is None:
        return EmbedPlan(to_encode, to_measure)
    return EmbedPlan(to_encode, to_measure, audit.encoder.shard_size)


def list_broken(samples: pl.DataFrame, store: Store, *, stage: str) -> pl.DataFrame:
    """Return the rejects of every path whose content is known to be broken."""
    known = read_broken(store.broken).select("content_key", "reason")
    return list_rejects(samples, dict(known.iter_rows()), stage=stage)


def leave_out(samples: pl.DataFrame, *keys: pl.Series) -> pl.DataFrame:
    """Return the samples with other keys, each content once, ordered by image and content."""
    done = pl.DataFrame({"content_key": pl.concat(keys)}).unique()
    rows = samples.join(done, on="content_key", how="anti")
    return rows.sort("path", "content_key").unique("content_key", keep="first", maintain_order=True)

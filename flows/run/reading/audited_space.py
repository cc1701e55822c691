"""The samples that an audit judges, as points of the embedding space."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import hash_encoder
from pipeline.embeddings.card import EncoderCard, spec_key, weights_stamp
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import ConfigError, StoreError
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.scans.scan_store import Scan, open_scan
from pipeline.workspace.scans.scanned_samples import read_scanned_samples
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class AuditedSpace:
    """Samples with a vector.

    samples: SAMPLES and `row`, sorted by sample_id: objects in an audit of objects, else images.
    scan: holds the vector of each in its `row`. missing: how many samples have none.
    """

    samples: pl.DataFrame
    scan: Scan
    missing: int

    @property
    def encoder_id(self) -> str:
        """The encoder that the vectors are of."""
        return self.scan.encoder_id

    def read_unit_vectors(self) -> NDArray[np.float32]:
        """Return (n, d) the vector of each sample, in their order, of unit length."""
        values: NDArray[np.float32] = self.scan.vectors[self.samples["row"].to_numpy()].astype(
            np.float32
        )
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        return values


def open_space(resolved: ResolvedAudit, store: Store) -> AuditedSpace:
    """Return the samples that the audit judges, with the vectors of its encoder.

    Raises ConfigError without an [encoder], StoreError where nothing is embedded by it.
    """
    scan = open_scan(store, _find_encoder(resolved, store))
    of_audit = scored_samples(store.read_samples())
    there = read_scanned_samples(store, scan)
    samples = there.join(of_audit.select("sample_id"), on="sample_id", how="semi")
    if samples.is_empty():
        raise StoreError(
            f"{store.folder}: none of the {of_audit.height:,} samples has a vector; run "
            "`weakspot embed` first"
        )
    return AuditedSpace(samples.sort("sample_id"), scan, of_audit.height - samples.height)


def _find_encoder(resolved: ResolvedAudit, store: Store) -> str:
    """Return the id of the audit's encoder, by the cards that the workspace keeps."""
    config = resolved.audit.encoder
    if config is None:
        raise ConfigError(
            f"{resolved.audit.name}: there is no [encoder], so samples have no vectors; add one "
            "and run `weakspot embed`"
        )
    label = LabelManifest.find(store.folder)
    if label and label.encoder_id and label.encoder_asked == hash_encoder(resolved.audit):
        return label.encoder_id
    key, stamp = spec_key(config), weights_stamp(config)
    for path in sorted(store.embeddings.glob("*/encoder.json")):
        card = EncoderCard.from_json(path.read_text(encoding="utf-8"), source=str(path))
        if card.spec_key == key and stamp in (None, card.stamp):
            return card.encoder_id
    raise StoreError(
        f"{store.folder}: there are no vectors of {config.model} yet; run `weakspot embed` first"
    )

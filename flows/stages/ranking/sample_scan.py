"""The encoder's own vectors of samples as one array; what is missing is embedded first."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.loaded_models import LoadEncoder
from flows.stages.ranking.pooled_vectors import Pooling, make_pooled_vectors
from pipeline.config.audit import Audit
from pipeline.exceptions import StoreError
from pipeline.workspace.scans.scan_store import open_scan
from pipeline.workspace.store import Store


def scan_samples(
    store: Store, audit: Audit, samples: pl.DataFrame, *, load: LoadEncoder
) -> tuple[pl.Series, NDArray[np.float16]]:
    """Return the content keys of the samples that have a vector, sorted, and (n, d) vectors.

    These are mapped from disk where the samples are all that is stored. Raises StoreError when none
    of the samples has one, and what embedding raises.
    """
    stored = make_pooled_vectors(store, audit, samples, Pooling("cls"), load=load)
    scan = open_scan(store, stored.encoder_id)
    there = scan.keys.is_in(samples["content_key"].implode())
    if not there.any():
        raise StoreError(f"{store.folder}: none of the samples has a vector; see its rejects")
    if there.all():
        return scan.keys, scan.vectors
    return scan.keys.filter(there), scan.vectors[there.to_numpy()]

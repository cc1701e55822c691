"""The stored vectors of samples: one row a sample, also where samples share their content."""

import polars as pl

from pipeline.arrays import Vectors
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store


def read_sample_vectors(store: Store, samples: pl.DataFrame, *, encoder_id: str) -> Vectors:
    """Return the vectors of the samples that have one, in their order, with sample_ids as keys.

    samples: sample_id and content_key. Errors as for `read_vectors`.
    """
    keys = samples["content_key"].unique().sort()
    stored = read_vectors(keys, store.embeddings, encoder_id=encoder_id)
    rows = pl.DataFrame({"content_key": stored.keys}).with_row_index("row")
    there = samples.join(rows, on="content_key", how="inner", maintain_order="left")
    return Vectors(there["sample_id"], stored.values[there["row"].to_numpy()], encoder_id)

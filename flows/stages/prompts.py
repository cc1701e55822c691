"""Vectors of prompts: each text is encoded once by each encoder and kept in the workspace."""

from collections.abc import Callable, Sequence

import polars as pl

from flows.run.tasks import shard_task
from pipeline.embeddings.card import Encoder
from pipeline.tables import Vectors
from pipeline.workspace.shards import read_vectors, stored_keys, write_vectors
from pipeline.workspace.store import Store


@shard_task(name="encode prompts")
def encode_prompts(
    texts: Sequence[str], store: Store, encoder_id: str, get_encoder: Callable[[], Encoder]
) -> tuple[Vectors, int]:
    """Return the vectors of `texts`, keyed by text, and how many had to be encoded."""
    known = set(stored_keys(store.prompts / encoder_id).to_list())
    missing = [text for text in texts if text not in known]
    if missing:
        values = get_encoder().encode_texts(missing)
        keys = pl.Series("content_key", missing)
        write_vectors(Vectors(keys, values, encoder_id), store.prompts)
    return read_vectors(texts, store.prompts, encoder_id=encoder_id), len(missing)

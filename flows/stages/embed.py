"""Second stage: what samples lack of vectors and measurements is made, shard by shard."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from uuid import UUID

import polars as pl
from prefect import flow
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.run.logs import LOG, show_progress
from flows.run.tasks import shard_task
from flows.stages.encoders import LoadEncoder, require_encoder
from flows.stages.plan import list_broken, plan_embedding
from flows.stages.read_text import LoadReader, make_texts
from flows.stages.samples import load_samples
from pipeline.config.audit import Audit
from pipeline.embeddings.card import Encoder
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.workspace.shards import write_shard, write_vectors
from pipeline.workspace.store import Store, open_store


@flow(name="embed")
def make_embeddings(
    audit: Audit, load: LoadEncoder, load_text_reader: LoadReader | None = None
) -> dict[str, int]:
    """Embed and measure what is missing; return counts of images embedded, and of those read.

    load_text_reader: makes the reader where an attribute is measured of text; RapidOCR's when None.
    """
    store = open_store(audit.workspace)
    samples = load_samples(store).samples
    # First, so that what cannot be decoded is listed below whoever found it.
    read = make_texts(audit, samples, store, load_text_reader or load_reader)
    plan = plan_embedding(audit, samples, store, load)
    blocks = plan.cut()
    embedded, found = 0, []
    artifact = create_progress_artifact(0.0, key="weakspot-embed", description=audit.name)
    with open_pool() as pool, show_progress("embed", plan.size) as advance:
        for number, (block, encode) in enumerate(blocks, start=1):
            encoder = load(require_encoder(audit)) if encode else None
            made, rejected = make_shard(block, audit, store, encoder, pool, advance)
            embedded += made
            found.append(rejected)
            update_progress_artifact(cast(UUID, artifact), 100.0 * number / len(blocks))
    rejects = (
        pl.concat([list_broken(samples, store, stage="embed"), *found])
        .unique()
        .sort("path", "reason")
    )
    store.put_rejects(rejects, stage="embed")
    LOG.info("embedded: %s samples; not usable: %s", f"{embedded:,}", f"{rejects.height:,}")
    return {"images_embedded": embedded, **read}


@shard_task(name="embed shard")
def make_shard(
    block: pl.DataFrame,
    audit: Audit,
    store: Store,
    encoder: Encoder | None,
    pool: ThreadPoolExecutor,
    advance: Callable[[int], None],
) -> tuple[int, pl.DataFrame]:
    """Embed and measure one block and write its shards; return the vectors made and the rejects."""
    made = embed_block(
        block,
        root=audit.dataset.root,
        crop=audit.dataset.crop,
        encoder=encoder,
        pool=pool,
        batch_size=audit.encoder.batch_size if audit.encoder else 1,
        progress=advance,
    )
    write_shard(made.measurements, store.measurements)
    write_shard(made.broken, store.broken)
    write_vectors(made.vectors, store.embeddings)
    return len(made.vectors.keys), made.rejects

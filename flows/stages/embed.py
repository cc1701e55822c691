"""What samples lack of vectors and measurements is made, shard by shard."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from flows.run.health.damage import count_remade, drop_damaged
from flows.run.loaded_models import LoadEncoder, get_encoder, identify_encoder, require_encoder
from flows.run.logs import LOG, advance_progress, show_progress
from flows.run.masked_images import choose_loader, masks_text
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTasks, call_tasks
from pipeline.config.audit import Audit
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.images.crop import find_small
from pipeline.images.decode import load_image
from pipeline.images.measure import MEASURE_VERSION
from pipeline.labels.given import select_targets
from pipeline.labels.measured import get_raw_measure
from pipeline.workspace.shards import (
    list_broken,
    measured_keys,
    read_broken,
    select_missing,
    stored_keys,
    write_shard,
    write_vectors,
)
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class EmbedPlan:
    """What is left to decode: samples that need a vector, samples that need measures alone.

    dropped: how many damaged shards were removed to be made again.
    """

    to_encode: pl.DataFrame
    to_measure: pl.DataFrame
    shard_size: int = 2048
    dropped: int = 0

    @property
    def size(self) -> int:
        """How many samples will be decoded."""
        return self.to_encode.height + self.to_measure.height

    def cut(self) -> list[tuple[pl.DataFrame, bool]]:
        """Return the blocks of the shards, and whether each is encoded."""
        encode = [(block, True) for block in self.to_encode.iter_slices(self.shard_size)]
        return encode + [(block, False) for block in self.to_measure.iter_slices(self.shard_size)]


def plan_embedding(
    resolved: ResolvedAudit,
    samples: pl.DataFrame,
    store: Store,
    load: LoadEncoder,
    *,
    keep: bool = True,
) -> EmbedPlan:
    """Find the samples whose attributes need a vector or a measurement that is not stored.

    The rows keep the boxes of one image together, so that it is decoded once. Objects too small to
    embed are measured alone. keep: whether the workspace may be changed: a new encoder is noted,
    damaged shards are removed. Without it these raise StoreError.
    """
    audit = resolved.audit
    prompted = [a for a in resolved.attributes if a.kind == "prompts"]
    measured = [a for a in resolved.attributes if a.kind == "measured" and get_raw_measure(a)]
    nothing = samples.clear()
    dropped = drop_damaged(store.measurements, store.broken) if keep else 0
    broken = read_broken(store.broken)["content_key"]
    needs_vector = pl.concat([nothing, *(select_targets(samples, a) for a in prompted)])
    small = find_small(needs_vector, min_size=audit.dataset.crop.min_size)
    needs_vector = needs_vector.filter(~small)
    needs_measure = pl.concat([nothing, *(select_targets(samples, a) for a in measured)])
    encoded = pl.Series("content_key", [], dtype=pl.String)
    if not needs_vector.is_empty():
        card = identify_encoder(require_encoder(audit), store, load, keep=keep)
        vectors = store.embeddings / card.encoder_id
        dropped += drop_damaged(vectors) if keep else 0
        encoded = stored_keys(vectors)
    known = measured_keys(store.measurements, measure_version=MEASURE_VERSION)
    to_encode = select_missing(needs_vector, encoded, broken)
    to_measure = select_missing(needs_measure, known, broken, to_encode["content_key"])
    size = EmbedPlan.shard_size if audit.encoder is None else audit.encoder.shard_size
    return EmbedPlan(to_encode, to_measure, size, dropped)


def make_embeddings(
    resolved: ResolvedAudit,
    store: Store,
    *,
    load: LoadEncoder,
    run_tasks: RunTasks = call_tasks,
    on_share: Callable[[float], None] = lambda _share: None,
) -> dict[str, int]:
    """Embed and measure what is missing; return the count of images embedded.

    on_share: gets the percentage that is done after each shard.
    """
    samples = store.read_samples()
    plan = plan_embedding(resolved, samples, store, load)
    blocks = plan.cut()
    embedded, rejects = 0, []
    with show_progress("embed", plan.size):
        results = run_tasks(
            partial(embed_shard, block, resolved.audit, store, load, encode=encode)
            for block, encode in blocks
        )
        for number, (made, rejected) in enumerate(results, start=1):
            embedded += made
            rejects.append(rejected)
            on_share(100.0 * number / len(blocks))
    rejects.append(list_broken(samples, store.broken, stage="embed"))  # of all paths, after shards
    unusable = pl.concat(rejects).unique().sort("path", "reason")
    store.put_rejects(unusable, stage="embed")
    LOG.info("embedded: %s samples; not usable: %s", f"{embedded:,}", f"{unusable.height:,}")
    return {"images_embedded": embedded} | count_remade(plan.dropped)


def embed_shard(
    block: pl.DataFrame, audit: Audit, store: Store, load: LoadEncoder, *, encode: bool
) -> tuple[int, pl.DataFrame]:
    """Embed and measure one block and write its shards; return the vectors made and the rejects.

    encode: whether the samples need vectors, not measures alone.
    """
    encoder = get_encoder(require_encoder(audit), load) if encode else None
    filled = encoder is not None and masks_text(audit.encoder)
    with open_pool() as pool:
        embed = partial(
            embed_block,
            block,
            root=audit.dataset.root,
            crop=audit.dataset.crop,
            pool=pool,
            batch_size=audit.encoder.batch_size if audit.encoder else 1,
        )
        made = embed(
            encoder=encoder,
            measures=not filled,
            progress=advance_progress,
            load=choose_loader(audit, store) if filled else load_image,
        )
        if filled:  # measures are of the pictures as they are
            made = replace(made, measurements=embed(encoder=None).measurements)
    write_shard(made.measurements, store.measurements)
    write_shard(made.broken, store.broken)
    write_vectors(made.vectors, store.embeddings)
    return len(made.vectors.keys), made.rejects

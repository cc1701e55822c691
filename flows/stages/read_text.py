"""The text in the images of an audit, read where an attribute is measured of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import polars as pl

from flows.run.health.damage import count_remade, drop_damaged
from flows.run.loaded_models import load_once
from flows.run.logs import LOG, advance_progress, show_progress
from flows.run.masked_images import masks_text
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTasks, call_tasks
from pipeline.config.audit import Audit
from pipeline.embeddings.embed import open_pool
from pipeline.exceptions import ConfigError
from pipeline.labels.given import select_targets
from pipeline.labels.measured import needs_text
from pipeline.tables import REJECTS, empty
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.texts.reader import TextReader
from pipeline.texts.text_lines import read_texts
from pipeline.workspace.kept.kept_texts import read_stored_texts
from pipeline.workspace.manifests import TextsManifest
from pipeline.workspace.shards import read_broken, select_missing, write_shard
from pipeline.workspace.store import Store

LoadReader = Callable[[], TextReader]
SHARD_SIZE = 256  # images in a shard: what a killed run repeats at most
STARTED, PROBED = 8, 16  # images of a dry run: the first while readers start, then those timed


def asks_for_text(resolved: ResolvedAudit) -> bool:
    """Return whether an attribute is measured of the text in images, or the encoder masks it."""
    measured = any(needs_text(attribute) for attribute in resolved.attributes)
    return measured or masks_text(resolved.audit.encoder)


def make_texts(
    resolved: ResolvedAudit,
    store: Store,
    *,
    load: LoadReader = load_reader,
    run_tasks: RunTasks = call_tasks,
) -> dict[str, int]:
    """Read the text of the images that were not read yet; return their count.

    Raises ConfigError when an attribute asks for the text of objects or the reader is not
    installed.
    """
    reader_id = load_once(load).reader_id
    dropped = drop_damaged(store.locate_texts(reader_id), store.broken)
    missing = _find_unread(resolved, store.read_samples(), store, reader_id)
    rejects = [empty(REJECTS)]
    with show_progress("read text", missing.height):
        rejects += run_tasks(
            partial(read_text_shard, block, resolved.audit, store, load)
            for block in missing.iter_slices(SHARD_SIZE)
        )
    store.put_rejects(pl.concat(rejects).unique().sort("path", "reason"), stage="texts")
    TextsManifest(reader_id=reader_id).write(store.folder)
    LOG.info("text read in %s images", f"{missing.height:,}")
    return {"images_read": missing.height} | count_remade(dropped)


@dataclass(frozen=True)
class TextProbe:
    """What a dry run learns of a text reader: images left to read, and the seconds they take."""

    to_read: int
    seconds: float


def probe_texts(
    resolved: ResolvedAudit,
    samples: pl.DataFrame,
    store: Store,
    *,
    load: LoadReader = load_reader,
) -> TextProbe:
    """Read the text of a few images that were not read yet, and keep nothing.

    Raises as `make_texts`.
    """
    reader = load_once(load)
    left = _find_unread(resolved, samples, store, reader.reader_id)
    seconds = [0.0, 0.0]
    parts = (left.head(STARTED), left[STARTED : STARTED + PROBED])
    with open_pool() as pool:
        for number, part in enumerate(parts):
            start = time.perf_counter()
            read_texts(part, root=resolved.audit.dataset.root, reader=reader, pool=pool)
            seconds[number] = time.perf_counter() - start
    each = seconds[1] / max(1, parts[1].height)
    return TextProbe(left.height, seconds[0] + each * (left.height - parts[0].height))


def _find_unread(
    resolved: ResolvedAudit, samples: pl.DataFrame, store: Store, reader_id: str
) -> pl.DataFrame:
    """Return the images whose text an attribute asks for and no shard holds, by content key."""
    targets = _list_targets(resolved, samples)
    done = read_stored_texts(store.locate_texts(reader_id))["content_key"]
    broken = read_broken(store.broken)["content_key"]
    return select_missing(targets, done, broken).sort("content_key")


def read_text_shard(
    block: pl.DataFrame, audit: Audit, store: Store, load: LoadReader
) -> pl.DataFrame:
    """Read one block and write its shard; return the rejects that may do better another time.

    What can never be decoded is noted in the workspace, and listed with the embeddings' rejects.
    """
    reader = load_once(load)
    with open_pool() as pool:
        made = read_texts(
            block, root=audit.dataset.root, reader=reader, pool=pool, progress=advance_progress
        )
    write_shard(made.broken, store.broken)
    write_shard(made.rows, store.locate_texts(reader.reader_id))
    broken = block.join(made.broken, on="content_key", how="semi")
    return made.rejects.join(broken, on="path", how="anti")


def _list_targets(resolved: ResolvedAudit, samples: pl.DataFrame) -> pl.DataFrame:
    """Return the images whose text is asked for; raises ConfigError when objects' text is."""
    asked = [a for a in resolved.attributes if needs_text(a)]
    whole = samples.filter(pl.col("parent_id").is_null())
    parts = [select_targets(samples, attribute) for attribute in asked]
    parts += [whole] if masks_text(resolved.audit.encoder) else []
    targets = pl.concat(parts)
    if targets["parent_id"].null_count() < targets.height:
        names = ", ".join(a.name for a in asked if a.applies_to == "object")
        raise ConfigError(
            f'attribute {names}: text is read in whole images; write applies_to = "image"'
        )
    return targets

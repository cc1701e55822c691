"""The text in the images of an audit, read where an attribute is measured of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from flows.run.logs import LOG, show_progress
from flows.run.tasks import shard_task
from flows.stages.plan import read_audit_attributes
from flows.stages.stored_texts import texts_folder
from pipeline.config.audit import Audit
from pipeline.embeddings.embed import open_pool
from pipeline.exceptions import ConfigError
from pipeline.labels.given import select_targets
from pipeline.labels.measured import needs_text
from pipeline.tables import REJECTS, empty
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.texts.reader import TextReader
from pipeline.texts.text_lines import read_texts, stored_texts
from pipeline.workspace.shards import read_broken, write_shard
from pipeline.workspace.store import Store

LoadReader = Callable[[], TextReader]
SHARD_SIZE = 256  # images in a shard: what a killed run loses


def make_texts(
    audit: Audit, samples: pl.DataFrame, store: Store, load: LoadReader = load_reader
) -> dict[str, int]:
    """Read the text of the images that no one has read yet, if an attribute asks for it.

    Returns the count of images read; nothing is counted, loaded or read when no attribute is
    measured of text. Raises ConfigError when an attribute asks for the text of objects or the
    reader is not installed.
    """
    asked = [a for a in read_audit_attributes(audit) if needs_text(a)]
    if not asked:
        return {}
    targets = pl.concat([select_targets(samples, attribute) for attribute in asked])
    if targets["parent_id"].null_count() < targets.height:
        names = ", ".join(a.name for a in asked if a.applies_to == "object")
        raise ConfigError(
            f'attribute {names}: text is read in whole images; write applies_to = "image"'
        )
    reader = load()
    folder = texts_folder(store, reader.reader_id)
    done = [stored_texts(folder)["content_key"], read_broken(store.broken)["content_key"]]
    keys = pl.DataFrame({"content_key": pl.concat(done)}).unique()
    left = targets.join(keys, on="content_key", how="anti").sort("content_key", "path")
    missing = left.unique("content_key", keep="first", maintain_order=True)
    rejects = [empty(REJECTS)]
    with open_pool() as pool, show_progress("read text", missing.height) as advance:
        rejects += [
            read_shard(block, audit, store, reader, pool, advance)
            for block in missing.iter_slices(SHARD_SIZE)
        ]
    store.put_rejects(pl.concat(rejects).unique().sort("path", "reason"), stage="texts")
    store.write_manifest("texts", {"reader_id": reader.reader_id})
    LOG.info("text read in %s images", f"{missing.height:,}")
    return {"images_read": missing.height}


@shard_task(name="read text shard")
def read_shard(
    block: pl.DataFrame,
    audit: Audit,
    store: Store,
    reader: TextReader,
    pool: ThreadPoolExecutor,
    advance: Callable[[int], None],
) -> pl.DataFrame:
    """Read one block and write its shard; return the rejects that may do better another time.

    What can never be decoded is noted in the workspace, and listed with the embeddings' rejects.
    """
    made = read_texts(block, root=audit.dataset.root, reader=reader, pool=pool, progress=advance)
    write_shard(made.broken, store.broken)
    write_shard(made.rows, texts_folder(store, reader.reader_id))
    broken = block.join(made.broken, on="content_key", how="semi")
    return made.rejects.join(broken, on="path", how="anti")

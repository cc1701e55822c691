"""Vectors of whatever is mined or compared with it: of the audit, of the pool, of windows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.health.damage import drop_damaged
from flows.run.loaded_models import LoadEncoder, get_encoder, require_encoder
from flows.run.logs import LOG, advance_progress, show_progress
from flows.run.resolved_audit import ResolvedAudit
from pipeline.config.dataset import CropRule
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.samples.ids import make_object_key
from pipeline.workspace.integrity.examine import POOLS
from pipeline.workspace.shards import read_vectors, stored_keys, write_vectors
from pipeline.workspace.store import Store

_SHARD = 4096


def add_box_keys(rows: pl.DataFrame, crop: CropRule) -> pl.DataFrame:
    """Return rows with the content key of their box in place of that of their image.

    rows: content_key of the image and x, y, w, h in pixels.
    """
    names = ("content_key", "x", "y", "w", "h")
    keys = [
        make_object_key(
            key, (x, y, w, h),
            margin=crop.margin, square=crop.square, interpolation=crop.interpolation,
        )
        for key, x, y, w, h in rows.select(names).iter_rows()
    ]  # fmt: skip
    return rows.with_columns(pl.Series("content_key", keys, dtype=pl.String))


class MiningVectors:
    """Reads vectors by content key; embeds and keeps those that are nowhere stored.

    elsewhere: further folders of vectors, such as those of a pool that is a workspace.
    """

    def __init__(
        self, resolved: ResolvedAudit, store: Store, encoder_id: str, load: LoadEncoder,
        *, elsewhere: Sequence[Path] = (),
    ) -> None:  # fmt: skip
        """Remember where vectors are; damaged shards of pools are removed, to be made again."""
        self.encoder_id = encoder_id
        self.own = store.folder / POOLS
        drop_damaged(self.own / encoder_id)
        self._resolved, self._load = resolved, load
        self._folders = (store.embeddings, *elsewhere, self.own)

    def embed(self, rows: pl.DataFrame, root: Path, *, what: str) -> int:
        """Embed the rows whose vectors are not stored; return how many. A killed call goes on.

        rows: content_key, path (relative to `root`), x, y, w, h (null for whole images).
        """
        there = [stored_keys(folder / self.encoder_id) for folder in self._folders]
        keys = pl.DataFrame({"content_key": pl.concat(there)}).unique()
        missing = rows.join(keys, on="content_key", how="anti").sort("path", "content_key")
        missing = missing.unique("content_key", keep="first", maintain_order=True)
        if missing.is_empty():
            return 0
        LOG.info("embedding %s %s", f"{missing.height:,}", what)
        audit = self._resolved.audit
        config = require_encoder(audit)
        encoder = get_encoder(config, self._load)
        with open_pool() as pool, show_progress("embed", missing.height):
            for block in missing.iter_slices(_SHARD):
                made = embed_block(
                    block, root=root, crop=audit.dataset.crop, encoder=encoder, pool=pool,
                    batch_size=config.batch_size, measures=False, progress=advance_progress,
                )  # fmt: skip
                write_vectors(made.vectors, self.own)
        return missing.height

    def read(self, keys: pl.Series) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return (n, d) unit vectors of content keys, zeros where there is none, and (n,) where."""
        distinct = keys.drop_nulls().unique().sort()
        left, parts = distinct, []
        for folder in self._folders:
            if left.is_empty():
                break
            found = read_vectors(left, folder, encoder_id=self.encoder_id)
            if len(found.keys):
                parts.append(found)
                left = left.filter(~left.is_in(found.keys.implode()))
        if not parts:
            return np.zeros((len(keys), 0), np.float32), np.zeros(len(keys), np.bool_)
        values = np.concatenate([part.values for part in parts])
        names = pl.concat([part.keys for part in parts])
        places = pl.DataFrame({"content_key": names, "place": np.arange(len(names))})
        rows = pl.DataFrame({"content_key": keys}).join(
            places, on="content_key", how="left", maintain_order="left"
        )["place"]
        there = rows.is_not_null().to_numpy()
        out = np.zeros((len(keys), values.shape[1]), np.float32)
        out[there] = values[rows.drop_nulls().to_numpy()]
        return out, there

"""Vectors of samples by the encoder's own pooling or another one, made where they are missing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from flows.run.health.damage import drop_damaged
from flows.run.loaded_models import LoadEncoder, get_encoder, identify_encoder
from flows.run.logs import LOG, advance_progress, show_progress
from flows.run.masked_images import choose_loader
from pipeline.config.audit import Audit, EncoderConfig
from pipeline.embeddings.batches import Pixels, VectorArray, encode_in_batches
from pipeline.embeddings.card import Encoder, EncoderCard, MapEncoder
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.embeddings.resampling import Prepare, choose_prepare
from pipeline.exceptions import ConfigError, EncoderError, StoreError
from pipeline.files.whole_files import write_text
from pipeline.images.crop import find_small
from pipeline.ranking.region_pooling import pool_maximum, pool_regions
from pipeline.workspace.shards import (
    iterate_vectors,
    read_broken,
    select_missing,
    stored_keys,
    write_shard,
    write_vectors,
)
from pipeline.workspace.store import Store

PoolName = Literal["cls", "max", "rmac"]
CPU_BATCH = 16  # images of one forward on a CPU, as of the encoder
_BLOCK = 256  # samples whose regions are in memory as float32 at a time


@dataclass(frozen=True)
class Pooling:
    """How one vector is made of an image: by the encoder, or of its feature maps.

    scales: of R-MAC's regions.
    """

    name: PoolName
    scales: int = 3

    @property
    def label(self) -> str:
        """What encoder ids and tables call it."""
        return f"rmac{self.scales}" if self.name == "rmac" else self.name

    def pool(self, maps: VectorArray) -> VectorArray:
        """Return (n, r, c) vectors of (n, h, w, c) maps."""
        if self.name == "rmac":
            return pool_regions(maps, scales=self.scales)
        return pool_maximum(maps)[:, np.newaxis]


class PooledEncoder:
    """An encoder whose vectors are pooled from feature maps; regions lie one after the other.

    Raises EncoderError for an encoder without feature maps.
    """

    def __init__(self, encoder: Encoder, pooling: Pooling, *, encoder_id: str) -> None:
        if not isinstance(encoder, MapEncoder):
            raise EncoderError(f"--pool {pooling.name}: this encoder gives no feature maps")
        self._encoder: MapEncoder = encoder
        self._pooling = pooling
        self.encoder_id = encoder_id
        self.in_workers, self.logit_scale = encoder.in_workers, encoder.logit_scale
        example = encoder.prepare(Image.new("RGB", (64, 64)))
        pooled = pooling.pool(encoder.encode_maps(np.stack([example])))
        self.regions, self.channels = pooled.shape[1:]

    @property
    def card(self) -> EncoderCard:
        """The card of the encoder underneath."""
        return self._encoder.card

    @property
    def dim(self) -> int:
        """Length of a vector: all regions of an image."""
        return int(self.regions * self.channels)

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize and cut an image as the encoder does."""
        return self._encoder.prepare(image)

    def prepare_by(self, interpolation: str) -> Prepare:
        """Return `prepare` with another interpolation, where the encoder has one."""
        return choose_prepare(self._encoder, interpolation)

    def encode_pixels(self, pixels: Pixels, *, batch_size: int) -> VectorArray:
        """Return (n, regions * channels) pooled vectors, of unit length as a whole."""
        return encode_in_batches(
            self._forward,
            pixels,
            batch_size=min(batch_size, CPU_BATCH) if self.in_workers else batch_size,
            dim=self.dim,
            on_halved=lambda size: LOG.warning("out of memory: %d images at a time", size),
        )

    def encode_images(self, images: Sequence[Image.Image]) -> VectorArray:
        """Prepare and encode a few images."""
        return self.encode_pixels(np.stack([self.prepare(one) for one in images]), batch_size=16)

    def encode_texts(self, texts: Sequence[str]) -> VectorArray:
        """Raise EncoderError: prompts have no feature maps."""
        raise EncoderError(f"--pool {self._pooling.name} has no vectors of {len(texts)} texts")

    def _forward(self, pixels: Pixels) -> VectorArray:
        pooled = self._pooling.pool(self._encoder.encode_maps(pixels))
        return pooled.reshape(len(pixels), -1) / np.float32(np.sqrt(self.regions))


@dataclass(frozen=True)
class PooledVectors:
    """The stored vectors of samples by one pooling.

    encoder_id: with the pooling's name, unless it is the encoder's own. regions: of a vector, one
    after the other. made: how many were missing.
    """

    store: Store
    encoder_id: str
    regions: int
    made: int = 0

    def iterate(self) -> Iterator[tuple[pl.Series, NDArray[np.float32]]]:
        """Yield content keys (b,) and vectors (b, regions, channels) of what is stored."""
        for shard in iterate_vectors(self.store.embeddings, encoder_id=self.encoder_id):
            for start in range(0, len(shard.keys), _BLOCK):
                values = shard.values[start : start + _BLOCK]
                yield (
                    shard.keys[start : start + _BLOCK],
                    values.reshape(len(values), self.regions, -1),
                )


def make_pooled_vectors(
    store: Store, audit: Audit, samples: pl.DataFrame, pooling: Pooling, *, load: LoadEncoder
) -> PooledVectors:
    """Embed the samples that lack a vector of this pooling, and return what is stored.

    samples: SAMPLES. Objects too small to embed and broken images have none. Raises ConfigError
    when the audit has no encoder, EncoderError when it has no feature maps.
    """
    if audit.encoder is None:
        raise ConfigError(
            f"{store.folder}: its audit has no [encoder], so that there are no vectors; add one "
            "and run it again"
        )
    config = audit.encoder
    card = identify_encoder(config, store, load)
    plain = pooling.name == "cls"
    encoder_id = card.encoder_id if plain else f"{card.encoder_id}+{pooling.label}"
    folder = store.embeddings / encoder_id
    drop_damaged(folder)
    small = find_small(samples, min_size=audit.dataset.crop.min_size)
    broken = read_broken(store.broken)["content_key"]
    missing = select_missing(samples.filter(~small), stored_keys(folder), broken)
    if not missing.is_empty():
        encoder = get_encoder(config, load)
        if not plain:
            encoder = PooledEncoder(encoder, pooling, encoder_id=encoder_id)
            note = {"regions": encoder.regions, "channels": encoder.channels}
            write_text(json.dumps(note), folder / "pooling.json")
        _embed(missing, encoder, store, audit, config)
    regions = 1 if plain else _read_regions(store, encoder_id)
    return PooledVectors(store, encoder_id, regions, missing.height)


def _embed(
    missing: pl.DataFrame, encoder: Encoder, store: Store, audit: Audit, config: EncoderConfig
) -> None:
    LOG.info("%s: embedding %s samples", encoder.encoder_id, f"{missing.height:,}")
    embed = partial(
        embed_block,
        root=audit.dataset.root,
        crop=audit.dataset.crop,
        encoder=encoder,
        batch_size=config.batch_size,
        measures=False,
        progress=advance_progress,
        load=choose_loader(audit, store),
    )
    with show_progress("embed", missing.height), open_pool() as pool:
        for block in missing.iter_slices(config.shard_size):
            made = embed(block, pool=pool)
            write_shard(made.broken, store.broken)
            write_vectors(made.vectors, store.embeddings)


def _read_regions(store: Store, encoder_id: str) -> int:
    path = store.embeddings / encoder_id / "pooling.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["regions"])
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(
            f"{path}: missing or broken; remove the folder {path.parent}, and its vectors are made "
            "again"
        ) from None

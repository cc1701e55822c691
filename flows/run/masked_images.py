"""How images are opened to be embedded: as they are, or with their read text filled."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import polars as pl
from PIL import Image

from pipeline.config.audit import Audit, EncoderConfig
from pipeline.images.crop import Box
from pipeline.images.decode import load_image
from pipeline.images.fill_text import fill_boxes
from pipeline.workspace.kept.kept_texts import read_kept_texts
from pipeline.workspace.store import Store

Loader = Callable[[Path], Image.Image]


def masks_text(config: EncoderConfig | None) -> bool:
    """Return whether text is filled before the encoder gets a picture."""
    return config is not None and config.text == "mask"


def choose_loader(audit: Audit, store: Store) -> Loader:
    """Return what opens an image for the encoder of an audit.

    With [encoder] text = "mask" the text that was read in it is filled; raises StoreError when no
    text was read here yet.
    """
    if not masks_text(audit.encoder):
        return load_image
    texts, _ = read_kept_texts(store)
    whole = store.read_samples().filter(pl.col("parent_id").is_null())
    lines = texts.drop_nulls("text").join(
        whole.select("content_key", "path"), on="content_key", how="inner"
    )
    boxes: dict[Path, list[Box]] = {}
    for path, *box in lines.select("path", "x", "y", "w", "h").iter_rows():
        boxes.setdefault(audit.dataset.root / path, []).append((box[0], box[1], box[2], box[3]))
    return partial(_load_filled, boxes)


def _load_filled(boxes: Mapping[Path, list[Box]], path: Path) -> Image.Image:
    return fill_boxes(load_image(path), boxes.get(path, []))

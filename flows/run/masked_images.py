"""How images are opened to be embedded: as they are, or with their read text filled."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import polars as pl
from PIL import Image

from pipeline.config.audit import Audit, EncoderConfig
from pipeline.images.crop import Box
from pipeline.images.decode import ImageUnreadableError, load_image
from pipeline.images.fill_text import fill_boxes
from pipeline.workspace.kept.kept_texts import read_kept_texts
from pipeline.workspace.store import Store

Loader = Callable[[Path], Image.Image]


def masks_text(config: EncoderConfig | None) -> bool:
    """Return whether text is filled before the encoder gets a picture."""
    return config is not None and config.text == "mask"


def choose_loader(audit: Audit, store: Store) -> Loader:
    """Return what opens an image for the encoder of an audit.

    With [encoder] text = "mask" the text that was read in it is filled, and an image whose text
    could not be read is not opened; raises StoreError when no text was read here yet.
    """
    if not masks_text(audit.encoder):
        return load_image
    texts, _ = read_kept_texts(store)
    whole = store.read_samples().filter(pl.col("parent_id").is_null())
    lines = texts.drop_nulls("text").join(
        whole.select("content_key", "path"), on="content_key", how="inner"
    )
    read = whole.join(texts, on="content_key", how="semi")["path"]
    boxes: dict[Path, list[Box]] = {audit.dataset.root / path: [] for path in read}
    for path, *box in lines.select("path", "x", "y", "w", "h").iter_rows():
        boxes[audit.dataset.root / path].append((box[0], box[1], box[2], box[3]))
    return partial(_load_filled, boxes)


def _load_filled(boxes: Mapping[Path, list[Box]], path: Path) -> Image.Image:
    image = load_image(path)
    if path not in boxes:  # with its text it would be another picture; it is tried again
        raise ImageUnreadableError("its text could not be read, so that none can be filled")
    return fill_boxes(image, boxes[path])

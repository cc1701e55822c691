"""The detector that an audit names, by its kind, and what it finds in a block of images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from flows.run.loaded_models import (
    LoadEncoder,
    get_encoder,
    identify_encoder,
    load_once,
    require_encoder,
)
from flows.run.logs import advance_progress
from flows.windows.embed_windows import embed_windows
from pipeline.config.audit import Audit, EncoderConfig
from pipeline.config.boxes import PATCHES, PATCHES_ONE, ZERO_SHOT, Boxes, ByWords
from pipeline.detectors.detect import STAGE, detect_block
from pipeline.detectors.detector import Detector
from pipeline.detectors.patches_detector import (
    PatchesDetector,
    identify_patches,
    make_patches_detector,
)
from pipeline.embeddings.card import weights_stamp
from pipeline.embeddings.embed import open_pool
from pipeline.exceptions import ConfigError
from pipeline.images.image_pass import ImageBlock
from pipeline.tables import BROKEN, DETECTIONS, check, empty
from pipeline.workspace.store import Store

LoadDetector = Callable[[str], Detector]
WINDOWED_IMAGES = 32  # images of a shard whose windows are in memory at a time


def require_boxes(audit: Audit) -> Boxes:
    """Return the [dataset.boxes] of an audit that names a detector; raises ConfigError."""
    boxes = audit.dataset.boxes
    if boxes is None or boxes.detector is None:
        raise ConfigError('name the detector: [dataset.boxes] detector = "hog-people"')
    return boxes


def identify_detector(
    audit: Audit, store: Store, load: LoadDetector, load_encoder: LoadEncoder, *, keep: bool = True
) -> tuple[str, str]:
    """Return name and id of the audit's detector; one of windows is not loaded for that.

    keep: note a new encoder in the workspace.
    """
    boxes = require_boxes(audit)
    name = boxes.detector or ""
    if name in (PATCHES, PATCHES_ONE):
        card = identify_encoder(require_encoder(audit), store, load_encoder, keep=keep)
        return name, identify_patches(name, boxes, encoder_id=card.encoder_id)
    detector = load_detector_of(audit, load, load_encoder)
    return detector.name, detector.detector_id


def load_detector_of(audit: Audit, load: LoadDetector, load_encoder: LoadEncoder) -> Detector:
    """Return the audit's detector, loaded once a process."""
    boxes = require_boxes(audit)
    name = boxes.detector or ""
    words = boxes.model_dump_json(include=set(ByWords.model_fields))
    if name in (PATCHES, PATCHES_ONE):
        config = require_encoder(audit)
        stamp = weights_stamp(config)
        return load_once(_load_patches, name, words, config, load_encoder, stamp)
    if name.startswith(f"{ZERO_SHOT}:"):
        return load_once(_load_zero_shot, name.partition(":")[2], words)
    return load_once(load, name)


def run_detector(
    block: pl.DataFrame,
    audit: Audit,
    detector: Detector,
    store: Store,
    *,
    load_encoder: LoadEncoder,
    keep: bool = True,
) -> ImageBlock:
    """Run a detector on the images of one block; windows are embedded where they are not yet.

    keep: whether vectors of windows may be written to the workspace; without it they are made
    anew.
    """
    if isinstance(detector, PatchesDetector) and keep:
        made = [
            _find_in_windows(part, audit, detector, store, load_encoder)
            for part in block.iter_slices(WINDOWED_IMAGES)
        ]
        rows = pl.concat([empty(DETECTIONS), *(one.rows for one in made)])
        rejects = pl.concat([one.rejects for one in made])
        return ImageBlock(rows, rejects, empty(BROKEN))
    with open_pool() as pool:
        return detect_block(
            block, root=audit.dataset.root, detector=detector, pool=pool, progress=advance_progress
        )


def _find_in_windows(
    images: pl.DataFrame,
    audit: Audit,
    detector: PatchesDetector,
    store: Store,
    load_encoder: LoadEncoder,
) -> ImageBlock:
    """Find objects by the vectors of windows, which are kept."""
    config = require_encoder(audit)
    embedded = embed_windows(
        images, detector.windows, root=audit.dataset.root, store=store, stage=STAGE,
        encoder=get_encoder(config, load_encoder), batch_size=config.batch_size,
    )  # fmt: skip
    sizes = {key: (w, h) for key, w, h in images["content_key", "width", "height"].iter_rows()}
    numbered = embedded.windows.with_row_index("row")
    rows: list[tuple[object, ...]] = []
    for (key,), own in sorted(numbered.partition_by("image_key", as_dict=True).items()):
        boxes = own.select("x", "y", "w", "h").to_numpy().astype(np.float64)
        vectors = embedded.vectors[own["row"].to_numpy()]
        found = detector.find(boxes, vectors, size=sizes[key])
        rows += [(key, *one) for one in found] or [(key, *[None] * (len(DETECTIONS) - 1))]
    advance_progress(images.height)
    frame = pl.DataFrame(rows, schema=dict(DETECTIONS), orient="row")
    checked = check(frame, DETECTIONS, table="detections")
    return ImageBlock(checked, embedded.rejects, empty(BROKEN))


def _load_patches(
    name: str, words: str, config: EncoderConfig, load: LoadEncoder, _stamp: object
) -> PatchesDetector:
    encoder = get_encoder(config, load)
    return make_patches_detector(
        name,
        ByWords.model_validate_json(words),
        encode=encoder.encode_images,
        encode_texts=encoder.encode_texts,
        encoder_id=encoder.encoder_id,
        logit_scale=encoder.logit_scale,
    )


def _load_zero_shot(folder: str, words: str) -> Detector:
    from pipeline.detectors.zero_shot_transformers import load_zero_shot

    return load_zero_shot(Path(folder), ByWords.model_validate_json(words).categories)

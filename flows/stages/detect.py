"""Objects of a dataset without true boxes: its detector runs on the images that are new to it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl

from flows.run.health.damage import drop_damaged
from flows.run.loaded_models import LoadEncoder, load_open_clip
from flows.run.logs import LOG, advance_progress, show_progress
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTasks, call_tasks
from flows.stages.detectors import (
    LoadDetector,
    identify_detector,
    load_detector_of,
    run_detector,
)
from pipeline.config.audit import Audit
from pipeline.config.dataset import Dataset
from pipeline.detectors.load import load_detector
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.detected_images import (
    DetectedImages,
    find_known_images,
    join_detections,
    locate_detections,
    put_known_images,
    read_stored_detections,
)
from pipeline.workspace.kept.kept_samples import find_known_samples
from pipeline.workspace.shards import list_broken, read_broken, select_missing, write_shard
from pipeline.workspace.store import Store

SHARD_SIZE = 512  # images in a shard: what a killed run repeats at most
PROBED_IMAGES = 32  # images of a dry run


def asks_for_detector(dataset: Dataset) -> bool:
    """Return whether the samples of a dataset are what a detector finds."""
    return dataset.sample == "object" and dataset.boxes is not None and bool(dataset.boxes.detector)


def detect_objects(
    resolved: ResolvedAudit,
    store: Store,
    *,
    limit: int | None = None,
    rehash: bool = False,
    of_audit: bool = True,
    load: LoadDetector = load_detector,
    load_encoder: LoadEncoder = load_open_clip,
    run_tasks: RunTasks = call_tasks,
    shard_size: int = SHARD_SIZE,
) -> DetectedImages:
    """Run the audit's detector on the images that are new to it, and return all it finds.

    rehash: open also the files that seem unchanged. limit: go no further, in the order of paths,
    than so many objects need. of_audit: whether what fails becomes rejects of the audit.
    load_encoder: of a detector by windows. What was found in an image is kept for each detector_id,
    also that nothing was. Raises ConfigError for a detector that cannot be loaded.
    """
    audit = resolved.audit
    name, detector_id = identify_detector(audit, store, load, load_encoder)
    read = _read_images(audit, None if rehash else _find_known(audit, store))
    images, unread = read.samples, read.rejects
    put_known_images(images, read.stamps, store)
    folder = locate_detections(store, detector_id)
    dropped = drop_damaged(folder, store.broken)
    stored = read_stored_detections(folder)
    found, rejects = [stored], [list_broken(images, store.broken, stage="detect")]
    done = pl.concat([stored["content_key"], read_broken(store.broken)["content_key"]]).unique()
    ran_on, objects = 0, 0
    with show_progress("detect", images.height):
        blocks = list(_cut_blocks(images, done, shard_size))
        results = run_tasks(
            partial(detect_shard, fresh, audit, store, load, load_encoder)
            for _, fresh in blocks
            if not fresh.is_empty()
        )
        for block, fresh in blocks:
            if not fresh.is_empty():
                made, rejected = next(results)
                found.append(made)
                rejects.append(rejected)
                ran_on += fresh.height
            advance_progress(block.height - fresh.height)
            if limit is not None:
                objects += _count_asked(join_detections(block, found), audit.dataset)
                if objects >= limit:
                    break
    failed = pl.concat(rejects).unique().sort("path", "reason")
    if of_audit:
        store.put_rejects(failed, stage="detect")
    LOG.info("%s ran on %s images", name, f"{ran_on:,}")
    return DetectedImages(join_detections(images, found), images, unread, failed, ran_on, dropped)


def _cut_blocks(
    images: pl.DataFrame, done: pl.Series, size: int
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield blocks of images, and of each the rows whose content no shard and no block has."""
    for block in images.iter_slices(size):
        fresh = select_missing(block, done)
        done = pl.concat([done, fresh["content_key"]])
        yield block, fresh


def detect_shard(
    block: pl.DataFrame,
    audit: Audit,
    store: Store,
    load: LoadDetector,
    load_encoder: LoadEncoder,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Run the detector on one block and write its shard; return detections and rejects."""
    detector = load_detector_of(audit, load, load_encoder)
    made = run_detector(block, audit, detector, store, load_encoder=load_encoder)
    write_shard(made.broken, store.broken)
    write_shard(made.rows, locate_detections(store, detector.detector_id))
    return made.rows, made.rejects


@dataclass(frozen=True)
class Probe:
    """What a dry run learns of a detector: what it finds in a few images, and what is left."""

    detections: pl.DataFrame
    to_detect: int
    seconds: float


def probe_detector(
    audit: Audit,
    store: Store,
    *,
    load: LoadDetector = load_detector,
    load_encoder: LoadEncoder = load_open_clip,
) -> Probe:
    """Run the detector on a few images that are new to it, and keep nothing."""
    _, detector_id = identify_detector(audit, store, load, load_encoder, keep=False)
    images = _read_images(audit, None).samples
    stored = read_stored_detections(locate_detections(store, detector_id))
    left = select_missing(images, stored["content_key"], read_broken(store.broken)["content_key"])
    detector = load_detector_of(audit, load, load_encoder)
    start = time.perf_counter()
    few = run_detector(
        left.head(PROBED_IMAGES), audit, detector, store, load_encoder=load_encoder, keep=False
    ).rows
    each = (time.perf_counter() - start) / max(1, min(PROBED_IMAGES, left.height))
    return Probe(join_detections(images, [stored, few]), left.height, each * left.height)


def _find_known(audit: Audit, store: Store) -> pl.DataFrame | None:
    """Return what is known of the images, None where the samples were of another folder."""
    known = find_known_samples(store, root=str(audit.dataset.root))
    images = find_known_images(store)
    return known if known is None or images is None else images


def _read_images(audit: Audit, known: pl.DataFrame | None) -> SampleSet:
    """Return the images of the dataset that can be read, whole, and rejects."""
    whole = audit.dataset.model_copy(
        update={"sample": "image", "boxes": None, "categories": None, "rename": {}}
    )
    return read_samples(whole, known=known)


def _count_asked(detections: pl.DataFrame, dataset: Dataset) -> int:
    """Return how many detections are objects that the audit asks for."""
    minimum = dataset.boxes.min_score if dataset.boxes else None
    asked = detections if minimum is None else detections.filter(pl.col("score") >= minimum)
    if dataset.categories is not None:
        category = pl.col("category").replace(dict(dataset.rename))
        asked = asked.filter(category.is_in(list(dataset.categories)))
    return asked.height

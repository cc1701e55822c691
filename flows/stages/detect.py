"""Objects of a dataset without true boxes: what its detector has not looked at yet is looked at."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from flows.run.logs import LOG, show_progress
from flows.run.tasks import shard_task
from flows.stages.plan import leave_out, list_broken
from pipeline.config.audit import Audit
from pipeline.config.dataset import Dataset
from pipeline.detectors.detect import detect_block, read_detections
from pipeline.detectors.detector import Detector
from pipeline.detectors.load import load_detector
from pipeline.embeddings.embed import open_pool
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_parquet
from pipeline.samples.read import read_samples
from pipeline.workspace.shards import read_broken, write_shard
from pipeline.workspace.store import Store

LoadDetector = Callable[[str], Detector]
SHARD_SIZE = 512  # images in a shard: what a killed run loses
PROBED = 32  # images that a dry run looks at


@dataclass(frozen=True)
class Detected:
    """What a detector sees in a dataset.

    detections: path, category, x, y, w, h, score. images: samples rows of the images that can be
    read. rejects: those that cannot. looked_at: how many images it looked at now.
    """

    detections: pl.DataFrame
    images: pl.DataFrame
    rejects: pl.DataFrame
    looked_at: int


def asks_for_detector(dataset: Dataset) -> bool:
    """Tell whether the samples of a dataset are what a detector sees."""
    return dataset.sample == "object" and dataset.boxes is not None and bool(dataset.boxes.detector)


def detect_objects(
    audit: Audit,
    store: Store,
    *,
    known: pl.DataFrame | None = None,
    limit: int | None = None,
    load: LoadDetector = load_detector,
) -> Detected:
    """Run the audit's detector over the images that it has not seen, and return all it sees.

    known: earlier samples rows, None when they are of another folder. limit: look no further, in
    the order of paths, than so many objects need. What an image shows is kept for each detector_id,
    also that it shows nothing. Raises ConfigError for a detector that cannot be loaded.
    """
    detector = _load(audit, load)
    images, unread = _list_images(audit, store, known)
    folder = store.folder / "detections" / detector.detector_id
    stored = read_detections(folder)
    seen, rejects = [stored], [list_broken(images, store, stage="detect")]
    done = pl.concat([stored["content_key"], read_broken(store.broken)["content_key"]]).unique()
    looked_at, objects = 0, 0
    with open_pool() as pool, show_progress("detect", images.height) as advance:
        for block in images.iter_slices(SHARD_SIZE):
            fresh = leave_out(block, done)
            if not fresh.is_empty():
                made, rejected = detect_shard(fresh, audit, store, detector, pool)
                done = pl.concat([done, fresh["content_key"]])
                seen.append(made)
                rejects.append(rejected)
                looked_at += fresh.height
            advance(block.height)
            if limit is not None:
                objects += _count_asked(_place(block, pl.concat(seen)), audit.dataset)
                if objects >= limit:
                    break
    store.put_rejects(pl.concat(rejects).unique().sort("path", "reason"), stage="detect")
    LOG.info("%s looked at %s images", detector.name, f"{looked_at:,}")
    return Detected(_place(images, pl.concat(seen)), images, unread, looked_at)


@shard_task(name="detect shard")
def detect_shard(
    block: pl.DataFrame, audit: Audit, store: Store, detector: Detector, pool: ThreadPoolExecutor
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Look at one block of images and write its shard; return its detections and rejects."""
    made = detect_block(block, root=audit.dataset.root, detector=detector, pool=pool)
    write_shard(made.broken, store.broken)
    write_shard(made.rows, store.folder / "detections" / detector.detector_id)
    return made.rows, made.rejects


@dataclass(frozen=True)
class Probe:
    """What a dry run tells of a detector: what it sees in a few images, and what is left to do."""

    detections: pl.DataFrame
    to_detect: int
    seconds: float


def probe_detector(audit: Audit, store: Store, *, load: LoadDetector = load_detector) -> Probe:
    """Look at a few images that the detector has not seen, and keep nothing."""
    detector = _load(audit, load)
    images, _ = _list_images(audit, store, None, keep=False)
    stored = read_detections(store.folder / "detections" / detector.detector_id)
    left = leave_out(images, stored["content_key"], read_broken(store.broken)["content_key"])
    start = time.perf_counter()
    with open_pool() as pool:
        few = detect_block(
            left.head(PROBED), root=audit.dataset.root, detector=detector, pool=pool
        ).rows
    each = (time.perf_counter() - start) / max(1, min(PROBED, left.height))
    return Probe(_place(images, pl.concat([stored, few])), left.height, each * left.height)


def _load(audit: Audit, load: LoadDetector) -> Detector:
    boxes = audit.dataset.boxes
    if boxes is None or boxes.detector is None:
        raise ConfigError('name the detector: [dataset.boxes] detector = "hog-people"')
    return load(boxes.detector)


def _list_images(
    audit: Audit, store: Store, known: pl.DataFrame | None, *, keep: bool = True
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the images of the dataset that can be read, as samples rows by path, and rejects.

    They are kept beside the samples, which hold no image in which nothing was seen: such an image
    need not be hashed again either.
    """
    file = store.dataset / "looked_at.parquet"
    if known is not None and file.exists():
        known = pl.read_parquet(file)
    whole = audit.dataset.model_copy(
        update={"sample": "image", "boxes": None, "categories": None, "rename": {}}
    )
    found = read_samples(whole, known=known)
    if keep:
        write_parquet(found.samples, file)
    return found.samples, found.rejects


def _place(images: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Return the detections of every path with the content that they were seen in."""
    there = seen.drop_nulls("category")
    placed = images.select("path", "content_key").join(there, on="content_key", how="inner")
    return placed.drop("content_key").sort(pl.all())


def _count_asked(detections: pl.DataFrame, dataset: Dataset) -> int:
    """Return how many detections are objects that the audit asks for."""
    minimum = dataset.boxes.min_score if dataset.boxes else 0.0
    asked = detections.filter(pl.col("score") >= minimum)
    if dataset.categories is not None:
        category = pl.col("category").replace(dict(dataset.rename))
        asked = asked.filter(category.is_in(list(dataset.categories)))
    return asked.height

"""The pool: images of a folder, or the samples of another workspace."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.mining.mining_vectors import add_box_keys
from flows.run.resolved_audit import ResolvedAudit
from pipeline.config.dataset import CropRule, Dataset
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import ConfigError
from pipeline.files.remote_path import make_path
from pipeline.samples.read import read_samples
from pipeline.workspace.manifests import SamplesManifest
from pipeline.workspace.store import Store, find_store


@dataclass(frozen=True)
class Pool:
    """What is mined from.

    images: SAMPLES of whole images. units: SAMPLES of what is chosen: images, or objects where the
    audit is of objects and the pool has their boxes. root: what paths are relative to. windowed:
    whether objects are searched for in windows, since the pool has no boxes. embeddings: vectors
    that the pool has of its own. rejects: REJECTS of its files.
    """

    images: pl.DataFrame
    units: pl.DataFrame
    root: Path
    windowed: bool
    embeddings: Path | None
    rejects: pl.DataFrame


def read_pool(source: Path, resolved: ResolvedAudit, store: Store) -> Pool:
    """Read the pool. Raises ConfigError for what is neither a folder of images nor a workspace."""
    if not source.is_dir():
        raise ConfigError(f"--pool {source}: expected a folder of images or a workspace")
    if (source / "weakspot.duckdb").exists():
        return _read_workspace(source, resolved, store)
    return _read_folder(source, resolved)


def _read_folder(source: Path, resolved: ResolvedAudit) -> Pool:
    found = read_samples(Dataset(format="folder", images=(source.absolute(),)))
    return Pool(
        images=found.samples,
        units=found.samples,
        root=source.absolute(),
        windowed=resolved.of_objects,
        embeddings=None,
        rejects=found.rejects,
    )


def _read_workspace(source: Path, resolved: ResolvedAudit, store: Store) -> Pool:
    if source.resolve() == store.folder.resolve():
        raise ConfigError(f"--pool {source}: is the audit's own workspace, which is known already")
    other = find_store(source)
    samples = other.read_samples()
    images = samples.filter(pl.col("parent_id").is_null())
    has_boxes = images.height < samples.height
    units = images
    if resolved.of_objects and has_boxes:
        units = _cut_as_audit(scored_samples(samples), images, resolved.audit.dataset.crop)
    if units.is_empty():
        raise ConfigError(f"--pool {source}: holds no samples; run its audit first")
    root = SamplesManifest.read(source).root
    return Pool(
        images=images,
        units=units,
        root=make_path(root or "."),
        windowed=resolved.of_objects and not has_boxes,
        embeddings=other.embeddings,
        rejects=other.read("rejects").filter(pl.col("stage") == "samples"),
    )


def _cut_as_audit(objects: pl.DataFrame, images: pl.DataFrame, crop: CropRule) -> pl.DataFrame:
    """Return objects with the content keys that they have when cut by the audit's own rule."""
    keys = images.select(parent_id="sample_id", content_key="content_key")
    rows = objects.drop("content_key").join(keys, on="parent_id", maintain_order="left")
    return add_box_keys(rows, crop).select(objects.columns)

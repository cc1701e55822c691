"""The sample set of an audit as last read: samples and rejects as tables, truth as Parquet."""

from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.samples.sample_set import STAGE, SampleSet
from pipeline.tables import STAMPS, empty
from pipeline.workspace.manifests import SamplesManifest
from pipeline.workspace.store import Store

_FRAMES = ("objects", "source_images", "categories", "columns")  # beside the tables of DuckDB


def put_sample_set(
    found: SampleSet,
    store: Store,
    *,
    root: str,
    asked: str | None = None,
    limit: int | None = None,
) -> None:
    """Keep a sample set in place of the one before.

    root: the folder that its paths are relative to. asked: hash of the settings it was read with.
    limit: how many samples it was limited to.
    """
    for name in _FRAMES:
        write_parquet(getattr(found, name), store.dataset / f"{name}.parquet")
    write_parquet(found.stamps, _locate_stamps(store))
    store.put_samples(found.samples)
    store.put_rejects(found.rejects, stage=STAGE)
    SamplesManifest(
        counts=dict(found.counts), root=root, notes=found.notes, asked=asked, limit=limit
    ).write(store.folder)


def read_sample_set(store: Store) -> SampleSet:
    """Return the sample set as last read; raises StoreError when there is none."""
    manifest = SamplesManifest.read(store.folder)
    frames = {name: read_parquet(store.dataset / f"{name}.parquet") for name in _FRAMES}
    rejects = store.read("rejects").filter(pl.col("stage") == STAGE)
    return SampleSet(
        samples=store.read_samples(),
        rejects=rejects,
        counts=manifest.counts,
        notes=manifest.notes,
        **frames,
    )


def find_known_samples(store: Store, *, root: str) -> pl.DataFrame | None:
    """Return the samples last read from the folder `root`, None where they were of another.

    With STAMP, null where it is not known: such a file is hashed again. Of another folder a path
    says nothing, though size and time of change be the same.
    """
    try:
        manifest = SamplesManifest.find(store.folder)
    except StoreError:  # broken: it is about to be made again
        return None
    if manifest is None or manifest.root != root:
        return None
    return store.read_samples().join(_read_stamps(store), on="path", how="left")


def _read_stamps(store: Store) -> pl.DataFrame:
    """Return STAMPS as last kept, none where an earlier version kept none or they are damaged."""
    path = _locate_stamps(store)
    try:
        return read_parquet(path) if path.exists() else empty(STAMPS)
    except StoreError:
        return empty(STAMPS)


def _locate_stamps(store: Store) -> Path:
    return store.dataset / "stamps.parquet"

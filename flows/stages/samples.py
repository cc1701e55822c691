"""First stage: a dataset of any format becomes samples, kept in the workspace."""

import dataclasses

import polars as pl
from prefect import flow

from flows.run.logs import LOG
from flows.stages.detect import LoadDetector, asks_for_detector, detect_objects
from flows.stages.plan import check_given
from pipeline.config.audit import Audit
from pipeline.detectors.load import load_detector
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.store import Store, open_store

_FRAMES = tuple(f.name for f in dataclasses.fields(SampleSet) if f.name != "counts")


@flow(name="samples")
def make_samples(
    audit: Audit, limit: int | None = None, load: LoadDetector | None = None
) -> dict[str, int]:
    """Read the dataset into the workspace; return the counts of samples and rejects.

    load: makes the detector of a dataset whose objects are to be detected first; by name when None.
    """
    store = open_store(audit.workspace)
    root = str(audit.dataset.root)
    # Of another folder a path says nothing, though size and time of change be the same.
    known = store.read("samples") if _read_root(store) == root else None
    found, counts = _read(audit, store, known, limit, load or load_detector)
    check_given(audit, found.columns)
    save_samples(found, store, root=root)
    samples = scored_samples(found.samples).height  # without the images that hold objects
    LOG.info("samples: %s, rejects: %s", f"{samples:,}", f"{found.rejects.height:,}")
    return {"samples": samples, "rejects": found.rejects.height, **counts}


def _read(
    audit: Audit, store: Store, known: pl.DataFrame | None, limit: int | None, load: LoadDetector
) -> tuple[SampleSet, dict[str, int]]:
    """Read the dataset; where its objects are what a detector sees, that looks first."""
    if not asks_for_detector(audit.dataset):
        return read_samples(audit.dataset, known=known, limit=limit), {}
    seen = detect_objects(audit, store, known=known, limit=limit, load=load)
    found = read_samples(audit.dataset, detections=seen.detections, known=seen.images, limit=limit)
    # Images in which nothing was seen are not read again, so what is wrong with them is known here.
    rejects = pl.concat([found.rejects, seen.rejects]).unique().sort("path", "reason")
    found = dataclasses.replace(found, rejects=rejects)
    return found, {"images_detected": seen.looked_at}


def save_samples(found: SampleSet, store: Store, *, root: str) -> None:
    """Keep a sample set: its frames for the stages, its samples and rejects as tables.

    root: the folder that its paths are relative to.
    """
    for name in _FRAMES:
        write_parquet(getattr(found, name), store.dataset / f"{name}.parquet")
    store.put_samples(found.samples)
    store.put_rejects(found.rejects, stage="samples")
    store.write_manifest("samples", {"counts": dict(found.counts), "root": root})


def load_samples(store: Store) -> SampleSet:
    """Return the sample set as last read; raises StoreError when there is none."""
    counts = store.read_manifest("samples")["counts"]
    frames = {name: read_parquet(store.dataset / f"{name}.parquet") for name in _FRAMES}
    return SampleSet(**frames, counts=counts)


def _read_root(store: Store) -> str | None:
    """Return the folder of the samples last read, None where none were."""
    try:
        return store.read_manifest("samples").get("root")
    except StoreError:
        return None

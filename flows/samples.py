"""First stage: a dataset of any format becomes samples, kept in the workspace."""

import dataclasses

import polars as pl
from prefect import flow

from flows.logs import LOG
from flows.plan import check_given
from pipeline.config import Audit
from pipeline.exceptions import StoreError
from pipeline.samples import SampleSet, read_samples
from pipeline.shards import write_parquet
from pipeline.store import Store, open_store

_FRAMES = tuple(f.name for f in dataclasses.fields(SampleSet) if f.name != "counts")


@flow(name="samples")
def make_samples(audit: Audit, limit: int | None = None) -> dict[str, int]:
    """Read the dataset into the workspace; return the counts of samples and rejects."""
    store = open_store(audit.workspace)
    root = str(audit.dataset.root)
    # Of another folder a path says nothing, though size and time of change be the same.
    known = store.read("samples") if _read_root(store) == root else None
    found = read_samples(audit.dataset, known=known, limit=limit)
    check_given(audit, found.columns)
    save_samples(found, store, root=root)
    LOG.info("samples: %s, rejects: %s", f"{found.samples.height:,}", f"{found.rejects.height:,}")
    return {"samples": found.samples.height, "rejects": found.rejects.height}


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
    try:
        frames = {name: pl.read_parquet(store.dataset / f"{name}.parquet") for name in _FRAMES}
    except OSError as error:
        raise StoreError(f"{store.dataset}: {error}; run `weakspot run` again") from None
    return SampleSet(**frames, counts=counts)


def _read_root(store: Store) -> str | None:
    """Return the folder of the samples last read, None where none were."""
    try:
        return store.read_manifest("samples").get("root")
    except StoreError:
        return None

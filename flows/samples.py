"""First stage: a dataset of any format becomes samples, kept in the workspace."""

import dataclasses

import polars as pl
from prefect import flow

from flows.logs import LOG
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
    found = read_samples(audit.dataset, known=store.read("samples"), limit=limit)
    save_samples(found, store)
    LOG.info("samples: %s, rejects: %s", f"{found.samples.height:,}", f"{found.rejects.height:,}")
    return {"samples": found.samples.height, "rejects": found.rejects.height}


def save_samples(found: SampleSet, store: Store) -> None:
    """Keep a sample set: its frames for the stages, its samples and rejects as tables."""
    for name in _FRAMES:
        write_parquet(getattr(found, name), store.dataset / f"{name}.parquet")
    store.put_samples(found.samples)
    store.put_rejects(found.rejects, stage="samples")
    store.write_manifest("samples", {"counts": dict(found.counts)})


def load_samples(store: Store) -> SampleSet:
    """Return the sample set as last read; raises StoreError when there is none."""
    counts = store.read_manifest("samples")["counts"]
    try:
        frames = {name: pl.read_parquet(store.dataset / f"{name}.parquet") for name in _FRAMES}
    except OSError as error:
        raise StoreError(f"{store.dataset}: {error}; run `weakspot run` again") from None
    return SampleSet(**frames, counts=counts)

"""The samples of the last search of an audit: what the next one is compared with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet, write_text
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class Searched:
    """Samples by sample_id and content_key; bins: values of measured attributes, lowest first."""

    samples: pl.DataFrame
    bins: Mapping[str, tuple[str, ...]]


def put_searched(store: Store, run_id: str, searched: Searched) -> None:
    """Keep what a run searched."""
    write_parquet(searched.samples, _locate(store, run_id))
    write_text(json.dumps(searched.bins), _locate(store, run_id).with_suffix(".json"))


def read_searched(store: Store, run_id: str) -> Searched | None:
    """Return what a run searched, None where it is not kept or is damaged."""
    path = _locate(store, run_id)
    try:
        bins = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return Searched(read_parquet(path), {name: tuple(own) for name, own in bins.items()})
    except (OSError, ValueError, StoreError):
        return None


def forget_searched(store: Store, run_id: str) -> None:
    """Remove what a run searched."""
    _locate(store, run_id).unlink(missing_ok=True)
    _locate(store, run_id).with_suffix(".json").unlink(missing_ok=True)


def _locate(store: Store, run_id: str) -> Path:
    return store.dataset / f"searched-{run_id}.parquet"

"""Snapshots as files of the workspace: which one is of now, and reading it without a database."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

import polars as pl

from flows.browsing.snapshots.build_snapshot import build_snapshot
from flows.browsing.snapshots.snapshot import Snapshot, SnapshotCard
from pipeline.exceptions import StoreError
from pipeline.files.whole_files import write_parquet, write_text
from pipeline.workspace.store import Store

_LAYOUT = "2"  # of the files; another one makes other snapshots
_TABLES = ("samples", "all_findings", "runs")
_CARD = "card.json"  # is written last, and says that a snapshot is whole


def stamp_workspace(store: Store) -> str:
    """Return a short name of what the stages made last: of their manifests and of their results.

    No database is read, so that it can be asked for every second.
    """
    lines = [_LAYOUT]
    for folder in ("manifests", "finished", "results"):
        with contextlib.suppress(OSError), os.scandir(store.folder / folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                status = entry.stat()
                size = 0 if entry.is_dir() else status.st_size
                lines.append(f"{folder}/{entry.name} {size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def open_snapshot(store: Store, *, keep: bool = True) -> Snapshot:
    """Return the snapshot of now: as kept, or built and, with `keep`, kept.

    A workspace that cannot be written is read all the same. Raises StoreError where there are no
    samples, or a run writes without a pause.
    """
    snapshot_id = stamp_workspace(store)
    known = _read(_locate(store) / snapshot_id)
    if known is not None:
        return known
    built = build_snapshot(store, snapshot_id)
    with contextlib.suppress(OSError):
        if keep:
            _keep(built, _locate(store))
    return built


def _locate(store: Store) -> Path:
    return store.folder / "serve"


def _read(folder: Path) -> Snapshot | None:
    """Return the snapshot in a folder; None where there is none that is whole."""
    try:
        card = SnapshotCard.model_validate_json((folder / _CARD).read_bytes())
        frames = [pl.read_parquet(folder / f"{name}.parquet") for name in _TABLES]
    except (OSError, ValueError, StoreError, pl.exceptions.PolarsError):
        return None
    return Snapshot(card, *frames)


def _keep(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot, and remove those before it."""
    own = folder / snapshot.snapshot_id
    for name in _TABLES:
        write_parquet(getattr(snapshot, name), own / f"{name}.parquet")
    write_text(snapshot.card.model_dump_json(indent=1), own / _CARD)
    for other in folder.iterdir():
        if other.is_dir() and other != own:
            shutil.rmtree(other, ignore_errors=True)

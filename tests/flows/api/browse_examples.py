"""A served workspace with planted answers, for tests of its pages and of its API."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from fastapi.testclient import TestClient

from flows.api.browse.serve_workspace import make_browse_app
from flows.api.browse.service import Service
from flows.browsing.snapshots.kept_snapshots import open_snapshot
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.tables import POSITIONS
from pipeline.workspace.kept.kept_maps import put_map
from pipeline.workspace.manifests import MapManifest, SamplesManifest, ScoredSystem, ScoreManifest
from pipeline.workspace.store import Store
from tests.flows.retrieval.planted_workspace import COUNT, WIDTH, write_workspace

OWN = "http://127.0.0.1:8300"


@functools.cache
def _write_template() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_snapshot(write_workspace(folder), keep=False)
    return folder


def copy_workspace(folder: Path) -> Store:
    """Return the planted workspace in a folder: written once, and copied."""
    for name in ("workspace", "images"):
        shutil.copytree(_write_template() / name, folder / name)
    store = Store(folder / "workspace")
    manifest = SamplesManifest.read(store.folder)
    manifest.model_copy(update={"root": str(folder / "images")}).write(store.folder)
    return store


def make_client(folder: Path, *, read_only: bool = False) -> TestClient:
    """Write the planted workspace into a folder and serve it without a socket."""
    source = SnapshotSource(copy_workspace(folder), keep=not read_only)
    return serve_source(source, read_only=read_only)


def serve_source(source: SnapshotSource, *, read_only: bool = False) -> TestClient:
    app = make_browse_app(Service(source, read_only=read_only))
    return TestClient(app, base_url=OWN, follow_redirects=False)


def add_system(store: Store, name: str) -> None:
    """Add a system that fails just where the planted one does not."""
    own = store.read("errors").filter(pl.col("system") == "finder")
    errors = own.with_columns(system=pl.lit(name), error_id=pl.lit(name), error=1 - pl.col("error"))
    store.put_errors(errors)
    manifest = ScoreManifest.read(store.folder)
    systems = {**manifest.systems, name: ScoredSystem(error_id=name)}
    manifest.model_copy(update={"systems": systems}).write(store.folder)


def add_map(store: Store) -> None:
    """Place sample n at n from the left, all at one height."""
    numbers = np.arange(COUNT, dtype=np.float64)
    keys = [f"k{n:03}" for n in range(COUNT)]
    columns = {"content_key": keys, "x": numbers, "y": np.zeros(COUNT), "landmark": True}
    positions = pl.DataFrame(columns, schema=dict(POSITIONS))
    put_map(store, "planted", positions, np.zeros(WIDTH), np.eye(2, WIDTH))
    MapManifest(encoder_id="enc", folder="planted", method="pca", landmarks=COUNT, seed=0).write(
        store.folder
    )

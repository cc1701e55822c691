"""A served workspace with planted answers, for tests of its pages and of its API."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from fastapi.testclient import TestClient

from flows.api.browse.serve_workspace import make_browse_app
from flows.api.browse.service import Service
from flows.browsing.snapshots.kept_snapshots import open_snapshot
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.workspace.manifests import SamplesManifest
from pipeline.workspace.store import Store
from tests.flows.retrieval.planted_workspace import write_workspace

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

"""A served workspace with planted answers, for tests of its pages and of its API."""

from pathlib import Path

from fastapi.testclient import TestClient

from flows.api.browse.serve_workspace import make_browse_app
from flows.api.browse.service import Service
from flows.browsing.snapshot_source import SnapshotSource
from tests.flows.retrieval.planted_workspace import write_workspace

OWN = "http://127.0.0.1:8300"


def make_client(folder: Path, *, read_only: bool = False) -> TestClient:
    """Write the planted workspace into a folder and serve it without a socket."""
    source = SnapshotSource(write_workspace(folder), keep=not read_only)
    return serve_source(source, read_only=read_only)


def serve_source(source: SnapshotSource, *, read_only: bool = False) -> TestClient:
    app = make_browse_app(Service(source, read_only=read_only))
    return TestClient(app, base_url=OWN, follow_redirects=False)

"""The OpenAPI schema of `weakspot serve` in docs/; `python -m tests.published_api` writes it."""

import json
import tempfile
from pathlib import Path

from flows.api.browse.serve_workspace import make_routes
from flows.api.browse.service import Service
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from tests.flows.api.browse_examples import copy_workspace

FILE = Path(__file__).parents[1] / "docs" / "openapi.json"


def write_schema() -> str:
    """Return the schema as the file has it."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(SnapshotSource(copy_workspace(Path(folder)), keep=False))
        return json.dumps(make_routes(service).openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(write_schema(), encoding="utf-8")

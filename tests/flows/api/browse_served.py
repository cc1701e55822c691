"""`weakspot serve` in a process of its own, which tests may kill."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.api.served import Served
from tests.flows.command import KEPT, ROOT


@contextmanager
def serve_folder(workspace: Path, *options: str, port: int = 0) -> Iterator[Served]:
    """Serve a workspace; yields once the address was printed."""
    command = [
        sys.executable, "-m", "flows.commands.app", "serve", str(workspace), "--port", str(port),
        "--checker", "me", *options,
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name in KEPT}
    process = subprocess.Popen(
        command, cwd=ROOT, env={**environment, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Open "), line
        yield Served(process, line.split()[1])
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=60)
        process.stdout.close()
